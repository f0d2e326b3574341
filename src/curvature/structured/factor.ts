import { firstNotFinite, norm, type Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireSymmetric } from './symmetric.js'
import { float64, sum } from './values.js'

/**
 * Factors of Kronecker products, and their eigenvectors: a matrix [n, n], or [n], the diagonal of one that has nothing else.
 */
export type Factor = Tensor

const isDiagonal = ({ shape }: Factor) => shape.length === 1

/** @throws unless the factor is a diagonal of finite numbers or a symmetric matrix. */
export function requireFactor(factor: Factor, where: string): Factor {
  if (!isDiagonal(factor) || factor.size === 0) return requireSymmetric(factor, where)
  const bad = firstNotFinite(factor.data)
  if (bad >= 0) throw new Error(`${where} holds ${factor.data[bad]}, expected finite numbers`)
  return factor
}

/** The number of rows, and of columns. */
export const sideOf = (factor: Factor): number => factor.shape[0]!

/** F X for matrices X in the last two axes. */
export const timesLeft = (factor: Factor, x: Tensor): Tensor =>
  isDiagonal(factor) ? np.multiply(np.expandDims(factor, 1), x) : np.matmul(factor, x)

/** X F. */
export const timesRight = (x: Tensor, factor: Factor): Tensor =>
  isDiagonal(factor) ? np.multiply(x, factor) : np.matmul(x, factor)

export const transposed = (factor: Factor): Factor => (isDiagonal(factor) ? factor : np.transpose(factor))

export const diagonalOf = (factor: Factor): Float64Array =>
  float64(isDiagonal(factor) ? factor : np.diagonal(factor)).data as Float64Array

export const traceOf = (factor: Factor): number => sum(diagonalOf(factor))

export const normOf = (factor: Factor): number => norm(factor.data as Vector)

/** Eigenvalues and eigenvectors in float64; the eigenvectors of a diagonal are those of the identity. */
export function eigenOf(factor: Factor): { readonly eigenvalues: Tensor; readonly eigenvectors: Factor } {
  const exact = float64(factor)
  return isDiagonal(factor) ? { eigenvalues: exact, eigenvectors: np.onesLike(exact) } : np.eigh(exact)
}

/** Q diag(values) Q^T. */
export const fromEigen = (vectors: Factor, values: Float64Array): Factor =>
  isDiagonal(vectors)
    ? np.multiply(np.square(vectors), values)
    : np.matmul(np.multiply(vectors, values), np.transpose(vectors))
