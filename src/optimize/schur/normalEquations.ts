import type { LocalModel } from '../descent.js'
import type { RobustLoss } from '../leastSquares/loss.js'
import type { BlockDerivatives } from './blockDerivatives.js'
import type { Observations } from './blockProblem.js'

/**
 * J^T J and J^T r of a sum of squares by blocks: [[U, W], [W^T, V]], with U of one block for each camera, V of one for
 * each point, and W of one for each observation.
 */
export interface NormalEquations extends LocalModel {
  /** Upper triangles of [cameras, a, a]. */
  readonly cameraBlocks: Float64Array
  /** Upper triangles of [points, b, b]. */
  readonly pointBlocks: Float64Array
  /** [observations, a, b] */
  readonly couplings: Float64Array
  /** |r|, with the weights of a robust loss. */
  readonly residualSize: number
}

/** Counts observations less whose residuals together are larger than `scale`. */
export interface Robust {
  readonly loss: RobustLoss
  readonly scale: number
}

/**
 * The normal equations of sum_i rho(|r_i|^2) / 2 over observations i. With a robust loss residuals and derivatives are
 * weighted by sqrt(rho'), which leaves out the curvature of rho: it is never positive, and correcting for it hurts far
 * from the minimum.
 */
export function normalEquations(
  { cameras, points, camera, point }: Observations,
  derivatives: Iterable<BlockDerivatives>,
  robust?: Robust,
): NormalEquations {
  const [a, b] = [cameras.size, points.size]
  const cameraBlocks = new Float64Array(cameras.count * a * a)
  const pointBlocks = new Float64Array(points.count * b * b)
  const couplings = new Float64Array(camera.length * a * b)
  const offset = cameras.count * a
  const gradient = new Float64Array(offset + points.count * b)
  let value = 0
  let squares = 0
  for (const { first, count, residual, jacobian } of derivatives) {
    const rows = residual.length / count
    for (let k = 0; k < count; k++) {
      let square = 0
      for (let q = k * rows; q < (k + 1) * rows; q++) square += residual[q]! * residual[q]!
      const [counted, weight] = robust ? robustly(square, robust) : [square, 1]
      value += counted / 2
      squares += weight * square
      const [c, p] = [camera[first + k]!, point[first + k]!]
      for (let q = k * rows; q < (k + 1) * rows; q++) {
        const row = q * (a + b)
        const r = weight * residual[q]!
        for (let i = 0; i < a; i++) {
          const derivative = jacobian[row + i]!
          gradient[c * a + i]! += derivative * r
          const weighted = weight * derivative
          for (let j = i; j < a; j++) cameraBlocks[(c * a + i) * a + j]! += weighted * jacobian[row + j]!
          const coupling = ((first + k) * a + i) * b
          for (let j = 0; j < b; j++) couplings[coupling + j]! += weighted * jacobian[row + a + j]!
        }
        for (let i = 0; i < b; i++) {
          const derivative = jacobian[row + a + i]!
          gradient[offset + p * b + i]! += derivative * r
          const weighted = weight * derivative
          for (let j = i; j < b; j++) pointBlocks[(p * b + i) * b + j]! += weighted * jacobian[row + a + j]!
        }
      }
    }
  }
  return { value, gradient, cameraBlocks, pointBlocks, couplings, residualSize: Math.sqrt(squares) }
}

/** scale^2 rho(z) and rho'(z) of z = square / scale^2. */
function robustly(square: number, { loss, scale }: Robust): readonly [value: number, weight: number] {
  const [value, first] = loss.at(square / scale ** 2)
  return [scale ** 2 * value, first]
}

/** The diagonal of J^T J, in the order of the parameters; 1 where it is 0. */
export function diagonalOf({ cameras, points }: Observations, equations: NormalEquations): Float64Array {
  const diagonal = new Float64Array(equations.gradient.length)
  let next = 0
  for (const [{ count, size }, blocks] of [
    [cameras, equations.cameraBlocks],
    [points, equations.pointBlocks],
  ] as const)
    for (let k = 0; k < count; k++)
      for (let i = 0; i < size; i++) diagonal[next++] = blocks[(k * size + i) * size + i]! || 1
  return diagonal
}
