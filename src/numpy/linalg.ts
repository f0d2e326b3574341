import { mul } from '../ops/arithmetic.js'
import { broadcastTo, reshape } from '../ops/broadcast.js'
import { cholesky as choleskyOp } from '../ops/linalg/cholesky.js'
import { identityLike, leading, matmul, transposed, triangle } from '../ops/linalg/matrix.js'
import { inverse, slogdet as slogdetOp, solve as solveOp } from '../ops/linalg/solve.js'
import { triangularSolve } from '../ops/linalg/triangularSolve.js'
import { exp } from '../ops/smooth.js'
import { showType, type Value } from '../program/value.js'
import { broadcastShapes } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, promoted, sameDtype, toFloat, toTensor } from './convert.js'

/**
 * The lower triangular L with positive diagonal and L L^T = x, of each matrix [..., n, n]. Of a matrix that is not
 * symmetric, that of its symmetric part (x + x^T) / 2, so that derivatives are symmetric.
 * @throws when a matrix is not positive definite.
 */
export function cholesky(x: ArrayLike): Tensor {
  return toTensor(choleskyOp(toFloat(x)))
}

/** Matrices and right-hand sides with the same leading axes; a vector is a matrix of one column. */
function system(where: string, a: ArrayLike, b: ArrayLike, solve: (a: Value, b: Value) => Value): Tensor {
  const [x, y] = sameDtype([a, b], 'float32') as [Value, Value]
  if (x.shape.length < 2 || y.shape.length === 0)
    throw new Error(`${where}: got ${showType(x)} and ${showType(y)}, expected matrices [..., n, n] and a vector [n] or [..., n, m]`)
  const isVector = y.shape.length === 1
  const columns = isVector ? reshape(y, [...y.shape, 1]) : y
  const lead = broadcastShapes([leading(x), leading(columns)], where)
  const spread = (v: Value) => broadcastTo(v, [...lead, ...v.shape.slice(-2)])
  const solution = solve(spread(x), spread(columns))
  return toTensor(isVector ? reshape(solution, solution.shape.slice(0, -1)) : solution)
}

/**
 * X with a X = b, for matrices a [..., n, n] and b [..., n, m], or a vector b [n]; leading axes broadcast. By LU with
 * partial pivoting; the factors are computed once for all derivatives.
 * @throws when a is singular: a pivot is exactly 0.
 */
export function solve(a: ArrayLike, b: ArrayLike): Tensor {
  return system('solve', a, b, solveOp)
}

export interface TriangularOptions {
  /** Reads the lower triangle, not the upper. Default false, as in SciPy. */
  readonly lower?: boolean
  /** Solves a^T X = b. Default false. */
  readonly transpose?: boolean
  /** Takes the diagonal to be 1 without reading it. Default false. */
  readonly unitDiagonal?: boolean
}

/**
 * X with a X = b for triangular a [..., n, n], of which only the triangle is read, and b as in {@link solve}.
 * @throws when the diagonal holds a 0.
 */
export function solveTriangular(a: ArrayLike, b: ArrayLike, options: TriangularOptions = {}): Tensor {
  const { lower = false, transpose = false, unitDiagonal: unit = false } = options
  return system('solveTriangular', a, b, (a, b) => triangularSolve(a, b, { lower, transpose, unit }))
}

/** x^-1 of each matrix [..., n, n]; a system is solved faster and more accurately by {@link solve}. @throws when x is singular. */
export function inv(x: ArrayLike): Tensor {
  return toTensor(inverse(toFloat(x)))
}

/**
 * The sign of det x and log |det x| of each matrix [..., n, n]: 0 and -infinity when x is singular. Derivatives of the
 * logarithm, tr(x^-1 dx), throw there.
 */
export function slogdet(x: ArrayLike): { sign: Tensor; logabsdet: Tensor } {
  const [sign, log] = slogdetOp(toFloat(x))
  return { sign: toTensor(sign), logabsdet: toTensor(log) }
}

/** det x of each matrix [..., n, n], as sign exp(log |det x|); {@link slogdet} does not overflow. Derivatives throw where x is singular. */
export function det(x: ArrayLike): Tensor {
  const [sign, log] = slogdetOp(toFloat(x))
  return toTensor(mul(sign, exp(log)))
}
