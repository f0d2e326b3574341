import { requireCount } from '../../linalg/products.js'
import { Random } from '../../linalg/random.js'
import { type Estimate, meanAndError } from '../../linalg/stochastic/estimator.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import type { SymmetricCurvature } from '../operators/index.js'
import { type BatchMeasureOptions, measureBatches } from './batchMeasure.js'
import { effectiveBatch } from './sampling.js'

export interface HessianNoiseOptions extends BatchMeasureOptions {
  /** Unit vectors [k, n] along which it is measured. Default 8 random ones: the mean over all directions. */
  readonly directions?: Tensor
  /** Batches of the operator to use, at least 2. Default 64, at most all whole ones. */
  readonly batches?: number
  readonly seed?: number
}

/**
 * E |(H_i - H) v|^2 over samples i and unit vectors v: how far the Hessian of one sample is from that of all. For a
 * batch B it is this over {@link effectiveBatch}, and so it is estimated without bias from the batches of `hessian`,
 * whose samples must lie in random order ({@link shuffled}). Over random v it is P sigma^2, with P parameters and
 * variance sigma^2 of the matrix's elements. The standard error adds those over batches and over directions.
 * @throws unless the operator has at least two whole batches.
 */
export async function hessianNoise(
  hessian: SymmetricCurvature,
  options: HessianNoiseOptions = {},
): Promise<Estimate> {
  const { seed = 0 } = options
  const { samples, plan, rows: n } = hessian
  const whole = Math.floor(samples / plan.batch)
  if (whole < 2)
    throw new Error(
      `hessianNoise: the operator has ${whole} whole batch of ${plan.batch} of its ${samples} samples, expected at least 2; make it with a smaller batch`,
    )
  const batches = Math.min(options.batches ?? 64, whole)
  requireCount(batches, 'batches', 'hessianNoise', 2)
  const directions = castTensor(options.directions ?? randomUnits(8, n, seed), hessian.dtype)
  const k = directions.shape[0]!
  const scale = effectiveBatch(plan.batch, samples)
  const { rows: table } = await measureBatches(
    { method: 'hessianNoise', samples, batch: plan.batch, batches, directions: k, parameters: n, seed },
    batches,
    {
      whole: async () => Float64Array.from((await hessian.apply(directions)).data),
      async rows(from, mean) {
        const own = await hessian.applyBatch(from, directions)
        return [squaredDistances(own.data, mean, k).map((x) => scale * x)]
      },
    },
    options,
  )
  const overBatches = meanAndError(table.map((row) => meanAndError(row).estimate))
  const columns = Array.from({ length: k }, (_, i) => meanAndError(table.map((row) => row[i]!)).estimate)
  return {
    estimate: overBatches.estimate,
    standardError: Math.hypot(overBatches.standardError, meanAndError(columns).standardError),
  }
}

/** Random sign vectors of length one. */
function randomUnits(k: number, n: number, seed: number): Tensor {
  const random = new Random(seed).split('hessianNoise')
  const signs = random.rademacher(k * n)
  return new Tensor(
    signs.map((sign) => sign / Math.sqrt(n)),
    [k, n],
  )
}

/** Of each of the `rows` vectors that lie one after another in `a` and `b`. */
function squaredDistances(a: ArrayLike<number>, b: Float64Array, rows: number): number[] {
  const n = b.length / rows
  return Array.from({ length: rows }, (_, i) => {
    let sum = 0
    for (let j = i * n; j < (i + 1) * n; j++) sum += (a[j]! - b[j]!) ** 2
    return sum
  })
}
