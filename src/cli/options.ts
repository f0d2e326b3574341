import { type AnalyzeOptions, curvatureKinds, type Loss, losses, lossNamed } from '../curvature/index.js'
import { type Option, type ParsedArguments, UsageError } from './arguments.js'
import { blamingInput } from './errors.js'
import { bytesOf } from './memory.js'
import type { ProblemFiles } from './model.js'

/** The data and how it is run: the same for every command that measures a model. */
export const dataOptions = {
  inputs: { value: 'X', help: 'the inputs, samples along the first axis (required)' },
  labels: { value: 'Y', help: 'class numbers, or target values (required)' },
  loss: { value: 'NAME', help: `${Object.keys(losses).join(', ')} (default cross-entropy)` },
  mean: {
    value: 'M',
    help: 'inputs become (x - M) / S, x as the file holds it; one number or one a channel: a,b,c',
  },
  std: { value: 'S', help: 'see --mean' },
  samples: { value: 'N', help: 'use the first N samples (default all)' },
  batch: { value: 'N', help: 'samples in one run (default 256), fewer where --memory asks for it' },
  precision: { value: 'P', help: 'float32, float64 or auto: float64 where it is cheap (default auto)' },
  memory: { value: 'SIZE', help: 'what may be used, for example 500MB (default 2GiB)' },
  seed: { value: 'N', help: 'same seed, same digits (default 0)' },
} satisfies Record<string, Option>

/** Where results go, and how an interrupted command is continued. */
export const outputOptions = {
  out: { value: 'FILE', short: 'o', help: 'write the report to this .html file' },
  json: { help: 'print one JSON object on standard output instead of text' },
  checkpoint: { value: 'FILE', help: 'keep what is done in this file, and go on from it where it exists' },
  resume: { value: 'FILE', help: 'the same, for a file that must exist' },
} satisfies Record<string, Option>

/** What an analysis measures and how well. */
export const analysisOptions = {
  curvature: { value: 'KIND', help: `${curvatureKinds.join(', ')} (default hessian)` },
  top: { value: 'K', help: 'how many of the largest eigenvalues (default 10)' },
  bottom: { value: 'K', help: 'how many of the smallest (default 1 for the Hessian, else 0)' },
  tolerance: {
    value: 'T',
    help: 'residuals of eigenvalues relative to the largest (default 1e-8, or 1e-5 in float32)',
  },
  trace: { value: 'METHOD', help: 'hutchinson or xtrace (default hutchinson)' },
  probes: { value: 'N', help: 'products for the trace (default 30)' },
  'trace-tolerance': { value: 'T', help: 'take more, until its relative standard error is below T' },
  steps: { value: 'N', help: 'Lanczos steps for each of the density’s 2 to 10 random starts (default 80)' },
  layers: { help: 'the largest eigenvalue of each layer’s own block' },
  activations: { help: 'the curvature in the layers’ outputs' },
  stability: { help: 'the largest stable learning rate by batch size, and the noise of the gradient' },
  'log-determinant': { value: 'SHIFT', help: 'log det(H + SHIFT I), from the density’s products' },
  landscape: { help: 'the loss along and over the plane of two eigenvectors' },
} satisfies Record<string, Option>

/** The loss and the files of a command's data. */
export async function readData(
  args: ParsedArguments,
): Promise<{ loss: Loss; files: Omit<ProblemFiles, 'model'> }> {
  const loss = await blamingInput('loss', () => lossNamed(args.text('loss') ?? 'cross-entropy'))
  const samples = args.number('samples', { integer: true, min: 1 })
  return {
    loss,
    files: {
      inputs: required(args, 'inputs'),
      labels: required(args, 'labels'),
      ...given({ samples, mean: numbersOf(args, 'mean'), std: numbersOf(args, 'std') }),
    },
  }
}

/** How the data is run. */
export function readRun(args: ParsedArguments) {
  const memory = args.text('memory')
  return {
    ...given({
      batch: args.number('batch', { integer: true, min: 1 }),
      seed: args.number('seed', { integer: true, min: 0 }),
      memoryBytes: memory === undefined ? undefined : bytesOf(memory, '--memory'),
    }),
    precision: choice(args, 'precision', ['auto', 'float32', 'float64']) ?? 'auto',
  }
}

/** What an analysis measures. */
export function readAnalysis(args: ParsedArguments): Omit<AnalyzeOptions, 'parameters'> {
  const count = (name: string, min: number) => args.number(name, { integer: true, min })
  const tolerance = (name: string) => {
    const value = args.number(name, { min: 0 })
    if (value === 0) throw new UsageError(`--${name}: got 0, expected a number above 0`)
    return value
  }
  return {
    ...readRun(args),
    ...given({
      curvature: choice(args, 'curvature', curvatureKinds),
      top: count('top', 1),
      bottom: count('bottom', 0),
      tolerance: tolerance('tolerance'),
      traceMethod: choice(args, 'trace', ['hutchinson', 'xtrace']),
      probes: count('probes', 2),
      traceTolerance: tolerance('trace-tolerance'),
      steps: count('steps', 1),
      logDeterminant: args.number('log-determinant', {}),
    }),
    layers: args.flag('layers'),
    activations: args.flag('activations'),
    stability: args.flag('stability'),
    landscape: args.flag('landscape'),
  }
}

/** An option that is one of a few words. */
export function choice<const Word extends string>(
  args: ParsedArguments,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = args.text(name)
  const word = words.find((known) => known === text)
  if (text !== undefined && word === undefined)
    throw new UsageError(`--${name}: got ${JSON.stringify(text)}, expected one of ${words.join(', ')}`)
  return word
}

/** The options that were given, without those that were not. */
export function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

/** Comma-separated numbers. */
function numbersOf(args: ParsedArguments, name: string): number[] | undefined {
  const words = args.text(name)?.split(',')
  const numbers = words?.map((word) => (word.trim() === '' ? Number.NaN : Number(word)))
  if (numbers?.some((x) => !Number.isFinite(x)))
    throw new UsageError(
      `--${name}: got ${JSON.stringify(args.text(name))}, expected a number, or numbers with commas between`,
    )
  return numbers
}

function required(args: ParsedArguments, name: string): string {
  const value = args.text(name)
  if (value === undefined) throw new UsageError(`--${name} is missing, expected --${name} FILE`)
  return value
}
