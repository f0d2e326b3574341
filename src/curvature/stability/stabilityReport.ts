import { frobeniusNorm, hutchinsonTrace, topEigenpairs } from '../../linalg/index.js'
import type { Progress } from '../../linalg/products.js'
import type { Estimate } from '../../linalg/stochastic/estimator.js'
import { lossHessian, type OperatorOptions } from '../operators/index.js'
import type { Problem } from '../problem.js'
import { batchSharpness } from './batchSharpness.js'
import { type Descent, frobeniusLimit, sharpnessLimit, traceLimit } from './thresholds.js'

export interface StabilityOptions extends Descent, Omit<OperatorOptions, 'moves' | 'batch' | 'onStep'> {
  readonly learningRate: number
  /** Samples of one step. */
  readonly batch: number
  /** Random probes of trace and norm, and random batches of the batch sharpness. Default 64. */
  readonly probes?: number
  readonly seed?: number
  readonly onStep?: (progress: Progress & { readonly stage: string }) => void
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
 */
export async function stabilityReport(problem: Problem, options: StabilityOptions): Promise<StabilityReport> {
  const { learningRate, batch, probes = 64, seed = 0, method = 'gradient descent', momentum = 0 } = options
  const { signal, onStep } = options
  const limits = {
    sharpness: sharpnessLimit(learningRate, options),
    trace: traceLimit(learningRate),
    frobenius: frobeniusLimit(learningRate, batch),
    batch: (2 * (1 - momentum)) / learningRate,
  }
  const stage = (name: string) => ({
    ...(signal && { signal }),
    onStep: ({ done, total }: Progress) => onStep?.({ stage: name, done, total }),
  })
  const { batch: _, ...operator } = options
  const hessian = await lossHessian(problem, { ...operator, ...stage('linearising') })
  try {
    const tolerance = hessian.dtype === 'float64' ? 1e-6 : 1e-4
    const { eigenvalues } = await topEigenpairs(hessian, {
      count: 1,
      findRepeated: false,
      tolerance,
      seed,
      ...stage('sharpness'),
    })
    const [top] = eigenvalues
    const sharpness = { estimate: top!.value, standardError: top!.residual }
    const trace = await hutchinsonTrace(hessian, { probes, seed, ...stage('trace') })
    const norm = await frobeniusNorm(hessian, { probes, seed, ...stage('Frobenius norm') })
    const along = await batchSharpness(problem, {
      batch,
      batches: probes,
      precision: hessian.dtype,
      ...(options.parameters && { parameters: options.parameters }),
      seed,
      ...stage('batch sharpness'),
    })
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
