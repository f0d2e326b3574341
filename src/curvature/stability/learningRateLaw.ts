import { type EigenpairsCheckpoint, topEigenpairs } from '../../linalg/index.js'
import type { Estimate } from '../../linalg/stochastic/estimator.js'
import { Tensor } from '../../tensor/tensor.js'
import { lossHessian, type OperatorOptions } from '../operators/index.js'
import type { Problem } from '../problem.js'
import { requireData } from '../requirements.js'
import { stagesFor } from '../stages/fingerprint.js'
import type { StagesOptions } from '../stages/stages.js'
import type { BatchesCheckpoint } from './batchMeasure.js'
import { hessianNoise } from './hessianNoise.js'
import { effectiveBatch, requireBatches, shuffled } from './sampling.js'
import { learningRateLimit, stabilityThreshold } from './thresholds.js'

/** What the law needs to know of a loss. */
export interface LawInput {
  /** The largest eigenvalue lambda of the Hessian over all samples. */
  readonly sharpness: Estimate
  /** {@link hessianNoise} s^2 of one sample along its eigenvector. */
  readonly noise: Estimate
  readonly samples: number
}

export interface LawOptions {
  /** Momentum of the heavy ball. Default 0. */
  readonly momentum?: number
  /** Batch sizes of the curve. Default powers of 2 and all samples. */
  readonly batches?: readonly number[]
}

export interface LawPoint {
  readonly batch: number
  /** The largest eigenvalue of a batch's Hessian. */
  readonly sharpness: Estimate
  /** The largest stable learning rate of steps along the gradient. */
  readonly learningRate: Estimate
  /** That of adaptive steps (Adam) over its value at the first batch; null for all samples, which have no noise. */
  readonly adaptive: number | null
}

/** The largest stable learning rate as a function of the batch size. */
export interface LearningRateLaw extends LawInput {
  readonly momentum: number
  /** The batch at which the learning rate is half its limit: it grows with smaller ones, and larger ones gain little. */
  readonly saturation: number
  /** The learning rate that no batch exceeds. */
  readonly limit: number
  readonly points: readonly LawPoint[]
}

/**
 * The largest eigenvalue of the Hessian of a random batch: a Hessian of few outliers plus a symmetric matrix of noise. An
 * outlier lambda > s / sqrt(b) moves to lambda + s^2 / (b lambda); below that it drowns in the noise, whose own edge is
 * 2 s / sqrt(b) (Granziol, Zohren, Roberts 2022, arXiv 2006.09092; b is {@link effectiveBatch}). There the noise has equal
 * strength along all directions; in networks it is far stronger along the outliers, which is what counts here.
 */
export function batchHessianSharpness({ sharpness, noise, samples }: LawInput, batch: number): Estimate {
  const b = effectiveBatch(batch, samples)
  const lambda = sharpness.estimate
  const s = Math.sqrt(Math.max(0, noise.estimate) / b)
  const emerges = lambda > s
  const bySharpness = emerges ? 1 - (s / lambda) ** 2 : 0
  const byNoise = emerges ? 1 / (b * lambda) : s === 0 ? 0 : 1 / (b * s)
  return {
    estimate: emerges ? lambda + s ** 2 / lambda : 2 * s,
    standardError: Math.hypot(bySharpness * sharpness.standardError, byNoise * noise.standardError),
  }
}

/**
 * The law's learning rates for batches of B samples. For steps along the gradient
 *
 *     eta = 2 (1 + m) / (lambda + (1 + m) / (1 - m) s^2 / (b lambda)),   m the momentum,
 *
 * which grows as B while the noise is large and ends at 2 (1 + m) / lambda. With m = 0 it is 2 over the shifted outlier of
 * {@link batchHessianSharpness}, and also where E |(I - eta H_B) v|^2 = (1 - eta lambda)^2 + eta^2 s^2 / b passes 1 for the
 * eigenvector v, which holds where the outlier drowns, too; m enters as it does in the second moments of the heavy ball.
 * For adaptive steps, whose preconditioner flattens the outliers and leaves the noise, eta grows as sqrt(b). Standard
 * errors are those of sharpness and noise, to first order; the law's own are not in them.
 */
export function learningRateLaw(input: LawInput, options: LawOptions = {}): LearningRateLaw {
  const { sharpness, noise, samples } = input
  const { momentum = 0, batches = powersOfTwo(samples) } = options
  const threshold = stabilityThreshold({ method: 'heavy ball', momentum })
  const lambda = sharpness.estimate
  if (!(lambda > 0))
    throw new Error(
      `learningRateLaw: the sharpness is ${lambda}, expected a positive number; where nothing curves upwards no learning rate is too large`,
    )
  const weight = (1 + momentum) / (1 - momentum)
  const s2 = weight * Math.max(0, noise.estimate)
  const rate = (b: number): Estimate => {
    const effective = lambda + s2 / (b * lambda)
    const bySharpness = (1 - s2 / (b * lambda ** 2)) * sharpness.standardError
    const byNoise = (weight * noise.standardError) / (b * lambda)
    const estimate = threshold / effective
    return { estimate, standardError: (estimate * Math.hypot(bySharpness, byNoise)) / effective }
  }
  const first = effectiveBatch(batches[0]!, samples)
  return {
    sharpness,
    noise,
    samples,
    momentum,
    saturation: 1 / (lambda ** 2 / s2 + 1 / samples),
    limit: learningRateLimit(lambda, { method: 'heavy ball', momentum }),
    points: batches.map((batch) => {
      const b = effectiveBatch(batch, samples)
      return {
        batch,
        sharpness: batchHessianSharpness(input, batch),
        learningRate: rate(b),
        adaptive: Number.isFinite(b) ? Math.sqrt(b / first) : null,
      }
    }),
  }
}

function powersOfTwo(samples: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(samples)) }, (_, i) => 2 ** i)
  return [...powers, samples]
}

export interface MeasureLawOptions
  extends LawOptions,
    Omit<OperatorOptions, 'moves' | 'onStep' | 'signal'>,
    StagesOptions {
  readonly seed?: number
}

/**
 * {@link learningRateLaw} from a model and its data: the sharpness by Lanczos, the noise from random batches along the
 * eigenvector. `batch` is their size: by default a 64th of the samples, at most 256. Stopped at any moment it goes on from its
 * last checkpoint, to the same digits.
 */
export async function measureLearningRateLaw(
  problem: Problem,
  options: MeasureLawOptions = {},
): Promise<LearningRateLaw> {
  const { seed = 0, signal, onStep, ...operator } = options
  const where = 'measureLearningRateLaw'
  requireData(problem)
  const all = problem.inputs.shape[0]!
  const batch = options.batch ?? Math.min(256, Math.max(1, Math.floor(all / 64)))
  const samples = requireBatches(problem, batch, where)
  const stages = await stagesFor(where, problem, { batch, seed }, options)
  const hessian = await lossHessian(shuffled(problem, seed), {
    ...operator,
    batch,
    ...(signal && { signal }),
    onStep: ({ done, total }) => onStep?.({ stage: 'linearising', fraction: done / total }),
  })
  try {
    const top = await stages.run<{ sharpness: Estimate; vector: Float64Array }, EigenpairsCheckpoint>(
      'sharpness',
      {},
      async (run) => {
        const tolerance = hessian.dtype === 'float64' ? 1e-6 : 1e-4
        const found = await topEigenpairs(hessian, { count: 1, findRepeated: false, tolerance, seed, ...run })
        const { value, residual } = found.eigenvalues[0]!
        return {
          sharpness: { estimate: value, standardError: residual },
          vector: found.eigenvectors.data as Float64Array,
        }
      },
    )
    const directions = new Tensor(top.vector, [1, hessian.rows])
    const noise = await stages.run<Estimate, BatchesCheckpoint>('noise of the Hessian', {}, (run) =>
      hessianNoise(hessian, { directions, ...run }),
    )
    return learningRateLaw({ sharpness: top.sharpness, noise, samples }, options)
  } finally {
    await hessian.dispose()
  }
}
