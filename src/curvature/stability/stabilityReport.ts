import {
  type EigenpairsCheckpoint,
  frobeniusNorm,
  hutchinsonTrace,
  type SampledCheckpoint,
  topEigenpairs,
} from '../../linalg/index.js'
import type { Estimate } from '../../linalg/stochastic/estimator.js'
import { lossHessian, type OperatorOptions } from '../operators/index.js'
import type { Problem } from '../problem.js'
import { stagesFor } from '../stages/fingerprint.js'
import type { StagesOptions } from '../stages/stages.js'
import type { BatchesCheckpoint } from './batchMeasure.js'
import { batchSharpness } from './batchSharpness.js'
import { type Descent, frobeniusLimit, sharpnessLimit, traceLimit } from './thresholds.js'

export interface StabilityOptions
  extends Descent,
    Omit<OperatorOptions, 'moves' | 'batch' | 'onStep' | 'signal'>,
    StagesOptions {
  readonly learningRate: number
  /** Samples of one step. */
  readonly batch: number
  /** Random probes of trace and norm, and random batches of the batch sharpness. Default 64. */
  readonly probes?: number
  readonly seed?: number
}

/** A measure of curvature beside the value beyond which training with this step is unstable. */
export interface StabilityMeasure extends Estimate {
  readonly name: 'sharpness' | 'trace' | 'Frobenius norm' | 'batch sharpness'
  readonly limit: number
  /** The estimate over the limit. */
  readonly share: number
  /** What it means to reach the limit. */
  readonly meaning: string
}

export interface StabilityReport extends Required<Descent> {
  readonly learningRate: number
  readonly batch: number
  readonly measures: readonly StabilityMeasure[]
}

/**
 * How near training with this learning rate and batch is to the edge of stability: the largest eigenvalue (its error is
 * the residual), the trace and the Frobenius norm of the Hessian and the batch sharpness, each beside its limit. With
 * momentum m, batch sharpness is held against 2 (1 - m) / eta, the limit of small batches, for which the steps add up.
 * Stopped at any moment it goes on from its last checkpoint, to the same digits.
 */
export async function stabilityReport(problem: Problem, options: StabilityOptions): Promise<StabilityReport> {
  const { learningRate, batch, probes = 64, seed = 0, method = 'gradient descent', momentum = 0 } = options
  const where = 'stabilityReport'
  const limits = {
    sharpness: sharpnessLimit(learningRate, options),
    trace: traceLimit(learningRate),
    frobenius: frobeniusLimit(learningRate, batch),
    batch: (2 * (1 - momentum)) / learningRate,
  }
  const stages = await stagesFor(where, problem, { batch, probes, seed }, options)
  const { batch: _, signal, onStep, ...operator } = options
  const hessian = await lossHessian(problem, {
    ...operator,
    ...(signal && { signal }),
    onStep: ({ done, total }) => onStep?.({ stage: 'linearising', fraction: done / total }),
  })
  try {
    const sharpness = await stages.run<Estimate, EigenpairsCheckpoint>('sharpness', {}, async (run) => {
      const tolerance = hessian.dtype === 'float64' ? 1e-6 : 1e-4
      const found = await topEigenpairs(hessian, { count: 1, findRepeated: false, tolerance, seed, ...run })
      const { value, residual } = found.eigenvalues[0]!
      return { estimate: value, standardError: residual }
    })
    const trace = await stages.run<Estimate, SampledCheckpoint>('trace', {}, (run) =>
      hutchinsonTrace(hessian, { probes, seed, ...run }),
    )
    const norm = await stages.run<Estimate, SampledCheckpoint>('Frobenius norm', {}, (run) =>
      frobeniusNorm(hessian, { probes, seed, ...run }),
    )
    const along = await stages.run<Estimate, BatchesCheckpoint>('batch sharpness', {}, (run) =>
      batchSharpness(problem, {
        batch,
        batches: probes,
        precision: hessian.dtype,
        ...(options.parameters && { parameters: options.parameters }),
        seed,
        ...run,
      }),
    )
    return {
      learningRate,
      batch,
      method,
      momentum,
      measures: [
        measure(
          'sharpness',
          sharpness,
          limits.sharpness,
          'steps along the whole gradient overshoot beyond it',
        ),
        measure(
          'trace',
          trace,
          limits.trace,
          'stochastic gradients leave a perfect fit whose trace is larger',
        ),
        measure('Frobenius norm', norm, limits.frobenius, 'the same for batches, to an order of magnitude'),
        measure(
          'batch sharpness',
          along,
          limits.batch,
          'steps along the gradients of batches overshoot beyond it',
        ),
      ],
    }
  } finally {
    await hessian.dispose()
  }
}

function measure(
  name: StabilityMeasure['name'],
  { estimate, standardError }: Estimate,
  limit: number,
  meaning: string,
): StabilityMeasure {
  return { name, estimate, standardError, limit, share: estimate / limit, meaning }
}
