import { countProducts, requireCount } from '../../linalg/products.js'
import { type Estimate, meanAndError } from '../../linalg/stochastic/estimator.js'
import { axpy, dot } from '../../linalg/vector.js'
import { grad } from '../../transforms/index.js'
import { lossAndGradient, lossHessian } from '../operators/index.js'
import type { Problem } from '../problem.js'
import { type BatchMeasureOptions, measureBatches } from './batchMeasure.js'
import { batchPass, type PassOptions } from './batchPass.js'
import { effectiveBatch, requireBatches, shuffled } from './sampling.js'

export interface NoiseScaleOptions extends Partial<PassOptions>, BatchMeasureOptions {
  /** Random batches, without overlap; at least 2. Default 64, at most all. */
  readonly batches?: number
  /** Bytes that the Hessian's products may take. Default 2 GiB. */
  readonly memoryBytes?: number
  readonly seed?: number
}

/** How noisy gradients of batches are, and which batch that makes worthwhile. */
export interface NoiseScale {
  /** |g|^2, g the gradient over all samples. */
  readonly gradient: number
  /** tr(Sigma), Sigma the covariance of the gradients of single samples. */
  readonly covariance: Estimate
  /** tr(Sigma) / |g|^2: the batch whose noise is as large as the gradient. */
  readonly simple: Estimate
  /** g^T H g / |g|^2: the curvature of the loss along the gradient. */
  readonly curvature: number
  /**
   * tr(H Sigma) / g^T H g, the critical batch size: a step with as many samples gains half of what the whole gradient
   * would. Null where the loss does not curve upwards along the gradient or along the noise: a quadratic model then has
   * no best step.
   */
  readonly critical: Estimate | null
  /** |g|^2 / g^T H g, the best learning rate of the whole gradient; null where `critical` is. */
  readonly learningRate: number | null
  /**
   * g_B . g / |g|^2 over the batches drawn, whose mean over all is 1. Further from 1 than its error explains, few samples
   * make up most of the gradient: the batches missed or met them by chance, and no other error here counts that.
   */
  readonly drawn: Estimate
}

/**
 * The gradient noise scale of McCandlish, Kaplan, Amodei et al. 2018 (arXiv 1812.06162, section 2.2), simple and with the
 * Hessian. The data set is the population: g is exact, and the noise is estimated without bias from random batches, each
 * of which scatters about g by Sigma over {@link effectiveBatch}. Standard errors are those over the batches.
 * `batch` is 1 by default, the gradients of single samples; larger ones cost less for the same samples.
 * @throws when the gradient vanishes.
 */
export async function noiseScale(problem: Problem, options: NoiseScaleOptions = {}): Promise<NoiseScale> {
  const { batch = 1, batches = 64, seed = 0, memoryBytes, signal } = options
  const where = 'noiseScale'
  const samples = requireBatches(problem, batch, where)
  requireCount(batches, 'batches', where, 2)
  const common = {
    ...(options.parameters && { parameters: options.parameters }),
    ...(options.precision && { precision: options.precision }),
    ...(signal && { signal }),
  }
  const hessian = await lossHessian(problem, { ...common, ...(memoryBytes && { memoryBytes }) })
  const pass = await batchPass(shuffled(problem, seed), { ...options, batch }, (loss, theta) => [
    grad(loss)(theta),
  ])
  const products = countProducts(hessian, where, signal)
  /** v^T H v of each. */
  const curvatures = async (vectors: readonly Float64Array[]) => {
    const images = await products.apply(vectors)
    return vectors.map((v, i) => dot(v, images.subarray(i * v.length, (i + 1) * v.length)))
  }
  try {
    const { block } = hessian.plan
    const total = Math.min(batches, pass.batches)
    const scale = effectiveBatch(batch, samples)
    const { whole: gradient, rows } = await measureBatches(
      { method: where, samples, batch, batches: total, parameters: hessian.rows, seed, block },
      total,
      {
        async whole() {
          const { gradient } = await lossAndGradient(problem, common)
          if (dot(gradient, gradient) === 0)
            throw new Error(`${where}: the gradient is zero, so that no batch is large enough`)
          return gradient
        },
        async rows(from, gradient) {
          const deviations: Float64Array[] = []
          for (let i = from; i < Math.min(total, from + block); i++) {
            signal?.throwIfAborted()
            const [deviation] = (await pass.run(i)) as [Float64Array]
            axpy(-1, gradient, deviation)
            deviations.push(deviation)
          }
          const curved = await curvatures(deviations)
          return deviations.map((deviation, i) => [
            scale * dot(deviation, deviation),
            scale * curved[i]!,
            dot(deviation, gradient),
          ])
        },
      },
      options,
    )
    const squared = dot(gradient, gradient)
    const [along] = (await curvatures([gradient])) as [number]
    const covariance = meanAndError(rows.map(([trace]) => trace!))
    const curved = meanAndError(rows.map(([, product]) => product!))
    const upwards = along > 0 && curved.estimate > 0
    return {
      gradient: squared,
      covariance,
      simple: over(covariance, squared),
      curvature: along / squared,
      critical: upwards ? over(curved, along) : null,
      learningRate: upwards ? squared / along : null,
      drawn: meanAndError(rows.map(([, , beside]) => 1 + beside! / squared)),
    }
  } finally {
    await pass.dispose()
    await hessian.dispose()
  }
}

const over = ({ estimate, standardError }: Estimate, divisor: number): Estimate => ({
  estimate: estimate / divisor,
  standardError: standardError / divisor,
})

/** Squared lengths of the gradients of a small and of a large batch, or means of such. */
export interface TwoBatches {
  readonly small: { readonly batch: number; readonly squared: number }
  readonly large: { readonly batch: number; readonly squared: number }
}

/**
 * |g|^2 and tr(Sigma) without bias from gradients of two batch sizes, as they come for free where gradients of several
 * workers are averaged (McCandlish et al. 2018, appendix A.1). Average each over steps before dividing them.
 */
export function noiseFromTwoBatches({ small, large }: TwoBatches): { gradient: number; covariance: number } {
  requireCount(small.batch, 'small.batch', 'noiseFromTwoBatches')
  requireCount(large.batch, 'large.batch', 'noiseFromTwoBatches', small.batch + 1)
  return {
    gradient: (large.batch * large.squared - small.batch * small.squared) / (large.batch - small.batch),
    covariance: (small.squared - large.squared) / (1 / small.batch - 1 / large.batch),
  }
}
