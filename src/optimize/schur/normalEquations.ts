import { dot } from '../../linalg/vector.js'
import type { LocalModel } from '../descent.js'
import type { RobustLoss } from '../leastSquares/loss.js'
import type { BlockDerivatives } from './blockDerivatives.js'
import type { Observations } from './blockProblem.js'
import { blockProduct } from './blockProduct.js'

/**
 * J^T J and J^T r of a sum of squares by blocks: [[U, W], [W^T, V]], with U of one block for each camera, V of one for
 * each point, and W of one for each observation.
 */
export interface NormalEquations extends LocalModel {
  /** [cameras, a, a] */
  readonly cameraBlocks: Float64Array
  /** [points, b, b] */
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
  let add: ReturnType<typeof products> | undefined
  for (const { first, count, residual, jacobian } of derivatives) {
    const rows = residual.length / count
    add ??= products(rows, a, b)
    for (let k = 0; k < count; k++) {
      const [from, row] = [k * rows, k * rows * (a + b)]
      const r = residual.subarray(from, from + rows)
      const square = dot(r, r)
      const [counted, weight] = robust ? robustly(square, robust) : [square, 1]
      value += counted / 2
      squares += weight * square
      if (weight !== 1) {
        scale(Math.sqrt(weight), r)
        scale(Math.sqrt(weight), jacobian.subarray(row, row + rows * (a + b)))
      }
      const [c, p] = [camera[first + k]!, point[first + k]!]
      addTransposed(gradient, c * a, jacobian, row, r, a, a + b)
      addTransposed(gradient, offset + p * b, jacobian, row + a, r, b, a + b)
      add.cameras(cameraBlocks, c * a * a, jacobian, row, row)
      add.couplings(couplings, (first + k) * a * b, jacobian, row + a, row)
      add.points(pointBlocks, p * b * b, jacobian, row + a, row + a)
    }
  }
  return { value, gradient, cameraBlocks, pointBlocks, couplings, residualSize: Math.sqrt(squares) }
}

/** Adds what one observation of `depth` residuals contributes to each kind of block. */
function products(depth: number, a: number, b: number) {
  const of = (rows: number, columns: number) => blockProduct('+', { depth, stride: a + b, rows, columns })
  return { cameras: of(a, a), couplings: of(b, a), points: of(b, b) }
}

/** y += J^T r, for the `columns` columns of J from `first` on, whose rows lie `stride` apart. */
function addTransposed(
  y: Float64Array,
  at: number,
  jacobian: Float64Array,
  first: number,
  r: Float64Array,
  columns: number,
  stride: number,
): void {
  for (let q = 0; q < r.length; q++)
    for (let j = 0; j < columns; j++) y[at + j]! += jacobian[first + q * stride + j]! * r[q]!
}

function scale(factor: number, x: Float64Array): void {
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
