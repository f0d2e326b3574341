import { basename } from 'node:path'
import { analyze, type CurvatureReport, losses, lossNamed, toJson } from '../curvature/index.js'
import { writeFileAtomic } from '../io/index.js'
import { curvatureReport, curvatureText, progressBar } from '../report/index.js'
import { type CommandSpec, type ParsedArguments, parseArguments, UsageError } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { openProblem } from './model.js'
import { requireWritable } from './output.js'

const spec: CommandSpec = {
  name: 'analyze',
  summary:
    'Measure the curvature of a model’s loss: eigenvalues, trace and spectral density of the Hessian.\n' +
    'Arrays are .npy, .npz (file.npz:name), .idx, .csv, or any of these with .gz.',
  operands: ['MODEL.onnx'],
  options: {
    inputs: { value: 'X', help: 'the inputs, samples along the first axis (required)' },
    labels: { value: 'Y', help: 'class numbers, or target values (required)' },
    loss: { value: 'NAME', help: `${Object.keys(losses).join(', ')} (default cross-entropy)` },
    mean: {
      value: 'M',
      help: 'inputs become (x - M) / S, x as the file holds it; one number or one a channel: a,b,c',
    },
    std: { value: 'S', help: 'see --mean' },
    samples: { value: 'N', help: 'use the first N samples (default all)' },
    batch: { value: 'N', help: 'samples in one run (default 256)' },
    top: { value: 'K', help: 'how many of the largest eigenvalues (default 10)' },
    probes: { value: 'N', help: 'random probes of the trace (default 30)' },
    steps: { value: 'N', help: 'Lanczos steps for each of the density’s 2 to 10 random starts (default 80)' },
    seed: { value: 'N', help: 'same seed, same digits (default 0)' },
    precision: { value: 'P', help: 'float32, float64 or auto: float64 where it is cheap (default auto)' },
    out: { value: 'FILE', short: 'o', help: 'write the report to this .html file' },
    json: { help: 'print one JSON object on standard output instead of text' },
  },
}

/** Comma-separated numbers. */
function numbersOf(args: ParsedArguments, name: string): number[] | undefined {
  const given = args.text(name)?.split(',')
  const numbers = given?.map((word) => (word.trim() === '' ? Number.NaN : Number(word)))
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

function precisionOf(args: ParsedArguments): 'float32' | 'float64' | 'auto' {
  const given = args.text('precision') ?? 'auto'
  if (given === 'float32' || given === 'float64' || given === 'auto') return given
  throw new UsageError(`--precision: got ${JSON.stringify(given)}, expected float32, float64 or auto`)
}

/** The options that were given, without those that were not. */
function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const count = (name: string, min: number) => args.number(name, { integer: true, min })
  const [path] = args.operands as [string]
  const out = args.text('out')
  const loss = await blamingInput('loss', () => lossNamed(args.text('loss') ?? 'cross-entropy'))
  const files = {
    model: path,
    inputs: required(args, 'inputs'),
    labels: required(args, 'labels'),
    ...given({ samples: count('samples', 1), mean: numbersOf(args, 'mean'), std: numbersOf(args, 'std') }),
  }
  const settings = {
    ...given({ batch: count('batch', 1), top: count('top', 1), probes: count('probes', 2) }),
    ...given({ steps: count('steps', 1), seed: count('seed', 0) }),
    precision: precisionOf(args),
  }
  if (out !== undefined) requireWritable(out)
  const { problem, model, input } = await openProblem(files, loss)
  const bar = progressBar(process.stderr)
  const started = performance.now()
  const onStep = ({ stage, fraction }: { stage: string; fraction: number }) =>
    bar.update({ stage, fraction, elapsedSeconds: (performance.now() - started) / 1000 })
  const measured = await blamingInput(path, () => analyze(problem, { ...settings, signal, onStep })).finally(
    () => bar.end(),
  )
  const report: CurvatureReport = {
    ...measured,
    model: {
      name: basename(path),
      inputs: `${input.name}: ${input.dtype}[${input.shape.join(', ')}]`,
      opset: model.opset,
    },
  }
  if (out !== undefined) writeFileAtomic(out, curvatureReport(report))
  if (args.flag('json')) console.log(JSON.stringify(toJson(report)))
  else console.log(curvatureText(report))
  if (out !== undefined) console.error(`report written to ${out}`)
}

export const analyzeCommand: Command = { spec, run }
