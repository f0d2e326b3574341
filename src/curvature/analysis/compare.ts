import { requireCount } from '../../linalg/products.js'
import { meanAndError } from '../../linalg/stochastic/estimator.js'
import { lossSurface, type SampleLosses } from '../landscape/index.js'
import type { Problem } from '../problem.js'
import { fingerprint } from '../stages/fingerprint.js'
import { type StagesCheckpoint, stagesOf } from '../stages/stages.js'
import { analyze, type Measured } from './analyze.js'
import type { AnalyzeOptions } from './options.js'
import type { EigenvalueReport, EstimateReport } from './report.js'
import { type StraightLine, straightLine } from './straightLine.js'

export interface CompareOptions extends AnalyzeOptions {
  /** Points of the straight line between the models, both ends included. Default 21. */
  readonly linePoints?: number
}

/** The second model's value less the first's; `differs` where that is more than the errors explain. */
export type Difference = { difference: number; error: number; differs: boolean }

/** Two models on the same data. */
export type Comparison = {
  first: Measured
  second: Measured
  /** Errors are those over the samples, which both models share; `differs` at 95 %. */
  loss: Difference
  accuracy: Difference | null
  /** By rank; errors are the sums of the residuals, which bound them. */
  eigenvalues: Difference[]
  /** Errors are standard errors over the probes; `differs` at 95 %. */
  trace: Difference
  /** Traces of the parameter tensors that have the same name in both. */
  layers: (Difference & { name: string })[]
  /** The loss on the straight line between the parameters; a sentence where there is none. */
  line: StraightLine | string
}

/**
 * Compares two models by what {@link analyze} finds of each with the same options, and by the loss between them.
 * @throws as that does, and when the two do not share data and loss.
 */
export async function compare(
  first: Problem,
  second: Problem,
  options: CompareOptions = {},
): Promise<Comparison> {
  requireSameData(first, second)
  const { linePoints = 21, signal, checkpoint, onCheckpoint, onStep } = options
  requireCount(linePoints, 'linePoints', 'compare', 2)
  const continues = checkpoint || onCheckpoint
  const identity = continues
    ? { first: (await fingerprint(first)).parameters!, second: (await fingerprint(second)).parameters! }
    : {}
  const stages = stagesOf('compare', identity, options)
  const analysis = (name: string, problem: Problem) =>
    stages.run<Measured, StagesCheckpoint>(name, {}, (run) =>
      analyze(problem, {
        ...options,
        checkpoint: run.checkpoint,
        onCheckpoint: run.onCheckpoint,
        onStep: ({ stage, fraction }) => onStep?.({ stage: `${name}: ${stage}`, fraction }),
      }),
    )
  const [a, b] = [await analysis('first model', first), await analysis('second model', second)]
  const { batch, precision, parameters } = options
  const pass = {
    ...(batch && { batch }),
    ...(precision && { precision }),
    ...(parameters && { parameters }),
    ...(signal && { signal }),
  }
  const [ownA, ownB] = await stages.run('losses of samples', {}, async () => [
    await lossesOf(first, pass),
    await lossesOf(second, pass),
  ])
  const line = await stages.run<StraightLine | string, number[]>('straight line', { linePoints }, (run) =>
    straightLine(first, second, { ...pass, points: linePoints, end: b.loss, ...run }),
  )
  return {
    first: a,
    second: b,
    loss: paired(ownA!.losses, ownB!.losses),
    accuracy: ownA!.right.length > 0 ? paired(ownA!.right, ownB!.right) : null,
    eigenvalues: a.eigenvalues
      .slice(0, b.eigenvalues.length)
      .map((own, i) => byResiduals(own, b.eigenvalues[i]!)),
    trace: byErrors(a.trace, b.trace),
    layers: (a.layers ?? []).flatMap(({ name, trace }) => {
      const other = b.layers?.find((layer) => layer.name === name)
      return other ? [{ name, ...byErrors(trace, other.trace) }] : []
    }),
    line,
  }
}

function requireSameData(first: Problem, second: Problem): void {
  const [a, b] = [first.inputs.shape[0], second.inputs.shape[0]]
  if (a !== b)
    throw new Error(`compare: the models are given ${a} and ${b} samples, expected the same data for both`)
  if (first.loss.name !== second.loss.name)
    throw new Error(`compare: the losses are ${first.loss.name} and ${second.loss.name}, expected one loss`)
}

async function lossesOf(problem: Problem, options: Parameters<typeof lossSurface>[1]): Promise<SampleLosses> {
  const surface = await lossSurface(problem, options)
  try {
    return await surface.at(surface.theta)
  } finally {
    await surface.dispose()
  }
}

/** The mean difference over samples that both share. */
function paired(a: Float64Array, b: Float64Array): Difference {
  const { estimate, standardError } = meanAndError(b.map((value, i) => value - a[i]!))
  return { difference: estimate, error: standardError, differs: Math.abs(estimate) > 1.96 * standardError }
}

function byErrors(a: EstimateReport, b: EstimateReport): Difference {
  const difference = b.estimate - a.estimate
  const error = Math.hypot(a.standardError, b.standardError)
  return { difference, error, differs: Math.abs(difference) > 1.96 * error }
}

function byResiduals(a: EigenvalueReport, b: EigenvalueReport): Difference {
  const difference = b.value - a.value
  const error = a.residual + b.residual
  return { difference, error, differs: Math.abs(difference) > error }
}
