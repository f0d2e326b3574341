import { compile } from '../../engines/index.js'
import { type DenseOptions, type LinearOperator, toDense } from '../../linalg/index.js'
import { once } from '../../linalg/once.js'
import { blockSize, requireSquare } from '../../linalg/operators/operator.js'
import { norm } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/index.js'
import { showShape } from '../../tensor/shape.js'
import { float64 } from './values.js'

/**
 * A symmetric matrix M [p q, p q] rearranged so that a Kronecker product L (x) R becomes the rank-one matrix
 * vec(L) vec(R)^T [p p, q q] (Van Loan and Pitsianis 1993): R -> sum_jl M_(ij)(kl) R_jl, and transposed
 * L -> sum_ik M_(ij)(kl) L_ik.
 */
export interface Rearrangement extends LinearOperator {
  readonly sides: readonly [p: number, q: number]
  applyTranspose(vectors: Tensor): Promise<Tensor>
  /** |M|. */
  frobeniusNorm(): Promise<number>
}

const gradientsToLeft = compile((g: Tensor, right: Tensor) => np.einsum('nij,vjl,nkl->vik', g, right, g))
const gradientsToRight = compile((g: Tensor, left: Tensor) => np.einsum('nij,vik,nkl->vjl', g, left, g))
const squaredGram = compile((g: Tensor) => np.sum(np.square(np.matmul(g, np.transpose(g)))))
const matrixToLeft = compile((m: Tensor, right: Tensor) => np.einsum('ijkl,vjl->vik', m, right))
const matrixToRight = compile((m: Tensor, left: Tensor) => np.einsum('ijkl,vik->vjl', m, left))

/** The second moment M = (1/N) sum_n vec(G_n) vec(G_n)^T of `gradients` [N, p, q], never formed. */
export function rearrangeGradients(gradients: Tensor): Rearrangement {
  const [samples, p, q] = gradients.shape
  if (gradients.shape.length !== 3 || !samples || !p || !q)
    throw new Error(
      `rearrangeGradients: gradients has shape ${showShape(gradients.shape)}, expected [N, p, q], one matrix a sample`,
    )
  const scaled = np.multiply(float64(gradients), 1 / Math.sqrt(samples))
  return rearranged(
    [p, q],
    (right) => gradientsToLeft(scaled, right),
    (left) => gradientsToRight(scaled, left),
    async () => Math.sqrt((await squaredGram(np.reshape(scaled, [samples, p * q]))).item()),
  )
}

/** A symmetric operator of p q rows, made dense by p q products. */
export async function rearrangeOperator(
  operator: LinearOperator,
  sides: readonly [p: number, q: number],
  options: DenseOptions = {},
): Promise<Rearrangement> {
  const n = requireSquare(operator, 'rearrangeOperator')
  const [p, q] = sides
  if (p * q !== n)
    throw new Error(
      `rearrangeOperator: sides are ${p} and ${q}, expected a product of ${n}, the operator's rows`,
    )
  const matrix = float64(await toDense(operator, options))
  const blocks = np.reshape(matrix, [p, q, p, q])
  return rearranged(
    sides,
    (right) => matrixToLeft(blocks, right),
    (left) => matrixToRight(blocks, left),
    async () => norm(matrix.data as Float64Array),
  )
}

function rearranged(
  sides: readonly [number, number],
  toLeft: (right: Tensor) => Promise<Tensor>,
  toRight: (left: Tensor) => Promise<Tensor>,
  frobeniusNorm: () => Promise<number>,
): Rearrangement {
  const [p, q] = sides
  const between =
    (product: (x: Tensor) => Promise<Tensor>, from: number, to: number) => async (x: Tensor) => {
      const k = blockSize(x, from * from, 'rearrangement')
      return np.reshape(await product(np.reshape(x, [k, from, from])), [k, to * to])
    }
  return {
    sides,
    rows: p * p,
    columns: q * q,
    apply: between(toLeft, q, p),
    applyTranspose: between(toRight, p, q),
    frobeniusNorm: once(frobeniusNorm),
  }
}

/** The identity [n, n], row by row. */
export const identityVector = (n: number): Float64Array => np.eye(n).data.slice() as Float64Array
