import { add, cast, mul } from '../ops/arithmetic.js'
import { broadcastTo, reshape } from '../ops/broadcast.js'
import { cholesky as choleskyOp } from '../ops/linalg/cholesky.js'
import { eigh as eighOp } from '../ops/linalg/eigh.js'
import { lu as luOp } from '../ops/linalg/lu.js'
import {
  expectMatrix,
  expectSquare,
  identityLike,
  leading,
  matmul,
  sidesOf,
  symmetricPart,
  transposed,
  triangle,
} from '../ops/linalg/matrix.js'
import { expm as expmOp, sqrtm as sqrtmOp } from '../ops/linalg/matrixFunction.js'
import { qr as qrOp } from '../ops/linalg/qr.js'
import { inverse, slogdet as slogdetOp, solve as solveOp } from '../ops/linalg/solve.js'
import { svd as svdOp } from '../ops/linalg/svd.js'
import { triangularSolve } from '../ops/linalg/triangularSolve.js'
import { concatenate, sliceAxis } from '../ops/slice.js'
import { exp } from '../ops/smooth.js'
import { showType, type Value } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { broadcastShapes } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toFloat, toTensor } from './convert.js'

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
  const [x, y] = sameDtype([a, b]).map((v) => (isFloat(v.dtype) ? v : cast(v, 'float64'))) as [Value, Value]
  if (x.shape.length < 2 || y.shape.length === 0)
    throw new Error(
      `${where}: got ${showType(x)} and ${showType(y)}, expected matrices [..., n, n] and a vector [n] or [..., n, m]`,
    )
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

/**
 * The factors of each matrix [..., n, n] with partial pivoting: the rows of x in the `order` [..., n] (int32) are
 * lower upper, with 1 on the diagonal of `lower`. Of a singular matrix `upper` has a 0 on its diagonal, and derivatives
 * throw.
 */
export function lu(x: ArrayLike): { order: Tensor; lower: Tensor; upper: Tensor } {
  const [packed, order] = luOp(toFloat(x))
  const lower = add(triangle(packed, true, true), identityLike(packed))
  return { order: toTensor(order), lower: toTensor(lower), upper: toTensor(triangle(packed, false)) }
}

/**
 * The reduced factors x = q r of each matrix [..., n, m]: q has min(n, m) orthonormal columns, r is upper triangular
 * with diagonal >= 0, which makes them unique. Where the first min(n, m) columns are dependent there is no derivative:
 * what is computed is huge, or throws.
 */
export function qr(x: ArrayLike): { q: Tensor; r: Tensor } {
  const a = toFloat(x)
  expectMatrix('qr', a)
  const [n, m] = sidesOf(a)
  if (n >= m) {
    const [q, r] = qrOp(a)
    return { q: toTensor(q), r: toTensor(r) }
  }
  const last = a.shape.length - 1
  const [q, r] = qrOp(sliceAxis(a, last, 0, n))
  const rest = matmul(transposed(q), sliceAxis(a, last, n, m))
  return { q: toTensor(q), r: toTensor(concatenate([r, rest], last)) }
}

export interface EighOptions {
  /** Takes the symmetric part (x + x^T) / 2 of any matrix. Default false: a matrix that is not symmetric is refused. */
  readonly symmetrize?: boolean
}

/**
 * Eigenvalues [..., n], ascending, and orthonormal eigenvectors [..., n, n], as columns, of each symmetric matrix. The
 * largest component of an eigenvector is positive. Elements that mirror each other are averaged: rounding may set them
 * apart, by up to 1e-4 of the largest element. Derivatives are those of the symmetric part, so that gradients are
 * symmetric; to check them by finite differences in single elements, pass `symmetrize`.
 *
 * Eigenvectors of equal eigenvalues (up to rounding) have no derivative; it is taken as if they did not turn into each
 * other. First derivatives of what depends on sums over whole groups of equal eigenvalues are right; derivatives of
 * V f(w) V^T and second derivatives are finite, but lack what such a group contributes: use {@link expm},
 * {@link sqrtm}, {@link inv} or {@link slogdet} for those.
 * @throws when an element is not finite or a matrix not symmetric; of traced values, when the program runs.
 */
export function eigh(
  x: ArrayLike,
  { symmetrize = false }: EighOptions = {},
): { eigenvalues: Tensor; eigenvectors: Tensor } {
  const a = toFloat(x)
  expectSquare('eigh', a)
  const [w, v] = eighOp(symmetrize ? symmetricPart(a) : a)
  return { eigenvalues: toTensor(w), eigenvectors: toTensor(v) }
}

/** The eigenvalues of {@link eigh}. */
export function eigvalsh(x: ArrayLike, options: EighOptions = {}): Tensor {
  return eigh(x, options).eigenvalues
}

/**
 * The reduced factors x = u diag(s) vh of each matrix [..., n, m], k = min(n, m): u [..., n, k] with orthonormal
 * columns, singular values s [..., k], descending, 0 if they are of the size of rounding, and vh [..., k, m] with
 * orthonormal rows. Derivatives at equal
 * singular values are as at equal eigenvalues in {@link eigh}; at those that are 0 singular vectors have none outside of
 * the span of the others, and that part is left out.
 * @throws when an element is not finite.
 */
export function svd(x: ArrayLike): { u: Tensor; s: Tensor; vh: Tensor } {
  const a = toFloat(x)
  expectMatrix('svd', a)
  const [n, m] = sidesOf(a)
  const [u, s, v] = n >= m ? svdOp(a) : svdOp(transposed(a))
  const [left, right] = n >= m ? [u, v] : [v, u]
  return { u: toTensor(left), s: toTensor(s), vh: toTensor(transposed(right)) }
}

/**
 * x^n of each matrix by repeated squaring; of negative n that of the inverse.
 * @throws when n is not an integer, or is negative and x singular.
 */
export function matrixPower(x: ArrayLike, n: number): Tensor {
  if (!Number.isInteger(n))
    throw new Error(`matrixPower: the power is ${n}, expected an integer; for 1/2 use sqrtm`)
  const a = toFloat(x)
  expectSquare('matrixPower', a)
  let square = n < 0 ? inverse(a) : a
  let result: Value | undefined
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? matmul(result, square) : square
    if (rest > 1) square = matmul(square, square)
  }
  return toTensor(result ?? identityLike(a))
}

/** The exponential sum_k x^k / k! of each matrix [..., n, n]. @throws when an element is not finite. */
export function expm(x: ArrayLike): Tensor {
  return toTensor(expmOp(toFloat(x)))
}

/**
 * The principal square root of each matrix [..., n, n], whose eigenvalues are in the right half plane. It loses about
 * half as many digits as a linear system with x does.
 * @throws when x has an eigenvalue that is zero or negative.
 */
export function sqrtm(x: ArrayLike): Tensor {
  return toTensor(sqrtmOp(toFloat(x)))
}
