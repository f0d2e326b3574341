import type { LocalModel } from '../descent.js'
import type { RobustLoss } from '../leastSquares/residuals/loss.js'
import { accumulator } from './accumulator.js'
import type { BlockDerivatives } from './blockDerivatives.js'
import type { Observations } from './blockProblem.js'

/**
 * J^T J and J^T r of a sum of squares by blocks: [[U, W], [W^T, V]], with U of one block for each camera, V of one for
 * each point, and W of one for each observation.
 */
export interface NormalEquations extends LocalModel {
  /** [cameras, a, a], of each the upper triangle. */
  readonly cameraBlocks: Float64Array
  /** [points, b, b], of each the upper triangle. */
  readonly pointBlocks: Float64Array
  /** W^T: [observations, b, a] */
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
 * from the minimum. `spare`: earlier ones that are needed no more, to be overwritten.
 */
export function normalEquations(
  { cameras, points, camera, point }: Observations,
  derivatives: Iterable<BlockDerivatives>,
  robust?: Robust,
  spare?: NormalEquations,
): NormalEquations {
  const [a, b] = [cameras.size, points.size]
  const width = a + b + 1
  const sums = {
    cameraBlocks: zeros(cameras.count * a * a, spare?.cameraBlocks),
    pointBlocks: zeros(points.count * b * b, spare?.pointBlocks),
    couplings: spare?.couplings ?? new Float64Array(camera.length * a * b),
    gradient: zeros(cameras.count * a + points.count * b, spare?.gradient),
  }
  let value = 0
  let squares = 0
  for (const batch of derivatives) {
    const { count, rows } = batch
    const size = rows.length / count
    for (let at = 0; at < rows.length; at += size) {
      let square = 0
      for (let i = at + width - 1; i < at + size; i += width) square += rows[i]! * rows[i]!
      if (!robust) {
        value += square / 2
        squares += square
        continue
      }
      const [counted, weight] = robustly(square, robust)
      value += counted / 2
      squares += weight * square
      scale(rows.subarray(at, at + size), Math.sqrt(weight))
    }
    accumulator(size / width, a, b)(batch, camera, point, sums)
  }
  return { value, ...sums, residualSize: Math.sqrt(squares) }
}

const zeros = (size: number, spare?: Float64Array) => spare?.fill(0) ?? new Float64Array(size)

function scale(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! *= factor
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
