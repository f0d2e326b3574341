import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'

/** Rows a_1, ..., a_n of equal length: the gradients of a model's outputs where it fits all data, whose loss is (a_i . w)^2 / 2. */
export type Features = readonly Float64Array[]

/** tr(H), H the mean of a_i a_i^T. */
export const trace = (features: Features): number =>
  features.reduce((sum, a) => sum + a.reduce((squares, x) => squares + x * x, 0), 0) / features.length

/**
 * The factor by which the second moments M = E w w^T of stochastic gradient descent grow in a step, in the long run: the
 * dominant eigenvalue of M -> E (I - eta H_B) M (I - eta H_B), by power iteration. Batches are drawn with replacement, so
 * that E H_B M H_B = H M H + (E (a . M a) a a^T - H M H) / B. Above 1 the loss grows however near the minimum.
 */
export function momentGrowth(features: Features, rate: number, batch: number, iterations = 300): number {
  const [n, d] = [features.length, features[0]!.length]
  const hessian = outerSum(features, new Float64Array(n).fill(1 / n))
  let moments = new Float64Array(d * d)
  for (let i = 0; i < d; i++) moments[i * d + i] = 1
  let growth = 0
  for (let k = 0; k < iterations; k++) {
    const [left, right] = [product(hessian, moments, d), product(moments, hessian, d)]
    const both = product(left, hessian, d)
    const weights = features.map((a) => {
      let sum = 0
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sum += a[i]! * moments[i * d + j]! * a[j]!
      return sum / n
    })
    const own = outerSum(features, weights)
    const next = moments.map(
      (m, i) => m - rate * (left[i]! + right[i]!) + rate * rate * (both[i]! + (own[i]! - both[i]!) / batch),
    )
    growth = Math.hypot(...next)
    moments = next.map((m) => m / growth)
  }
  return growth
}

/** sum_i c_i a_i a_i^T. */
function outerSum(features: Features, weights: ArrayLike<number>): Float64Array {
  const d = features[0]!.length
  const sum = new Float64Array(d * d)
  features.forEach((a, n) => {
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sum[i * d + j]! += weights[n]! * a[i]! * a[j]!
  })
  return sum
}

function product(a: Float64Array, b: Float64Array, d: number): Float64Array {
  const result = new Float64Array(d * d)
  for (let i = 0; i < d; i++)
    for (let k = 0; k < d; k++)
      for (let j = 0; j < d; j++) result[i * d + j]! += a[i * d + k]! * b[k * d + j]!
  return result
}

/** The learning rate at which second moments neither grow nor shrink, by bisection. */
export function largestRate(features: Features, batch: number): number {
  let [low, high] = [0, (4 * batch) / trace(features)]
  while (momentGrowth(features, high, batch) <= 1) high *= 2
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (momentGrowth(features, middle, batch) > 1) high = middle
    else low = middle
  }
  return low
}

/** n random rows of d normals, scaled to length 1 or as they are. */
export function randomFeatures(random: Random, n: number, d: number, unit: boolean): Features {
  return Array.from({ length: n }, () => {
    const a = random.normals(d)
    const length = unit ? Math.hypot(...a) : 1
    return a.map((x) => x / length)
  })
}

/** The largest eigenvalue of H, and E |(a_i a_i^T - H) v|^2 along its eigenvector v. */
export function sharpestDirection(features: Features): { sharpness: number; noise: number } {
  const [n, d] = [features.length, features[0]!.length]
  const hessian = outerSum(features, new Float64Array(n).fill(1 / n))
  const { eigenvalues, eigenvectors } = np.eigh(new Tensor(hessian, [d, d]))
  const sharpness = eigenvalues.data.at(-1) as number
  const v = Float64Array.from({ length: d }, (_, i) => eigenvectors.data[i * d + d - 1]! as number)
  const squares = features.map((a) => {
    const along = a.reduce((sum, x, i) => sum + x * v[i]!, 0)
    return a.reduce((sum, x, i) => sum + (along * x - sharpness * v[i]!) ** 2, 0)
  })
  return { sharpness, noise: squares.reduce((sum, x) => sum + x / n, 0) }
}
