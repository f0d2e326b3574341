import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { localPolynomial } from 'evolute/transforms'

/** A field in space at points [n, 3], end to end. */
export type Values = (points: Float64Array) => ArrayLike<number>

/** What an operator says of a field at n points: gradients [n, 3] and Hessians [n, 3, 3], end to end. */
export interface Derivatives {
  readonly gradients: ArrayLike<number>
  readonly hessians: ArrayLike<number>
}

export type Operator = (values: Values, points: Float64Array) => Derivatives

/** Central differences with steps of `width` h, of second derivatives 2 h. */
export const differences =
  (width: number): Operator =>
  (values, points) => {
    const at = (...moves: readonly (readonly [axis: number, step: number])[]) => {
      const moved = points.slice()
      for (const [axis, step] of moves) for (let i = axis; i < moved.length; i += 3) moved[i]! += step
      return values(moved)
    }
    const n = points.length / 3
    const [gradients, hessians] = [new Float64Array(3 * n), new Float64Array(9 * n)]
    for (let j = 0; j < 3; j++) {
      const [up, down] = [at([j, width]), at([j, -width])]
      for (let i = 0; i < n; i++) gradients[3 * i + j] = (up[i]! - down[i]!) / (2 * width)
      for (let k = 0; k < 3; k++) {
        const [same, mixed] = [1, -1].map((sign) => [
          at([j, width], [k, sign * width]),
          at([j, -width], [k, -sign * width]),
        ]) as [ArrayLike<number>[], ArrayLike<number>[]]
        for (let i = 0; i < n; i++)
          hessians[9 * i + 3 * j + k] =
            (same[0]![i]! + same[1]![i]! - mixed[0]![i]! - mixed[1]![i]!) / (4 * width ** 2)
      }
    }
    return { gradients, hessians }
  }

/**
 * Gradients and Hessians of quadratic polynomials fitted to the field at 64 normal offsets of deviation `width` from
 * each point. With the same offsets everywhere, fitting is one linear map from 64 values, found from unit vectors.
 */
export function polynomialFits(random: Random, width: number): Operator {
  const count = 64
  const offsets = random.normals(3 * count).map((x) => width * x)
  const nearby = new Tensor(offsets, [count, 3])
  const columns = Array.from({ length: count }, (_, k) => {
    const unit = Float64Array.from({ length: count }, (_, i) => Number(i === k))
    return localPolynomial(nearby, unit, { degree: 2, neighbours: count, kernel: 'uniform' })([0, 0, 0])
  })
  const toGradient = np.stack(columns.map(({ gradient }) => gradient))
  const toHessian = np.stack(columns.map(({ hessian }) => np.ravel(hessian)))
  return (values, points) => {
    const n = points.length / 3
    const around = np.add(np.reshape(points, [n, 1, 3]), nearby)
    const y = np.reshape(Float64Array.from(values(around.data as Float64Array)), [n, count])
    return { gradients: np.matmul(y, toGradient).data, hessians: np.matmul(y, toHessian).data }
  }
}

/** The mean curvature of the level set, div(g / |g|) / 2 = (|g|^2 tr H - g^T H g) / (2 |g|^3). */
function meanCurvature({ gradients, hessians }: Derivatives, i: number): number {
  const g = [0, 1, 2].map((k) => gradients[3 * i + k]!)
  const h = (j: number, k: number) => hessians[9 * i + 3 * j + k]!
  const squared = g.reduce((sum, x) => sum + x * x, 0)
  let bent = 0
  for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) bent += g[j]! * g[k]! * h(j, k)
  return (squared * (h(0, 0) + h(1, 1) + h(2, 2)) - bent) / (2 * squared ** 1.5)
}

function degreesBetween(a: readonly number[], b: readonly number[]): number {
  const product = a.reduce((sum, x, k) => sum + x * b[k]!, 0) / (Math.hypot(...a) * Math.hypot(...b))
  return (Math.acos(Math.max(-1, Math.min(1, product))) * 180) / Math.PI
}

export const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length

export interface Errors {
  /** Mean angle to the true gradient, degrees. */
  readonly angle: number
  /** Median of the error of the mean curvature, over the mean magnitude of the true one. */
  readonly curvature: number
}

export function errorsOf(found: Derivatives, truth: Derivatives): Errors {
  const points = Array.from({ length: truth.gradients.length / 3 }, (_, i) => i)
  const gradientAt = ({ gradients }: Derivatives, i: number) => [0, 1, 2].map((k) => gradients[3 * i + k]!)
  const exact = points.map((i) => meanCurvature(truth, i))
  const gaps = points.map((i) => Math.abs(meanCurvature(found, i) - exact[i]!)).sort((a, b) => a - b)
  return {
    angle: mean(points.map((i) => degreesBetween(gradientAt(found, i), gradientAt(truth, i)))),
    curvature: gaps[gaps.length >> 1]! / mean(exact.map(Math.abs)),
  }
}
