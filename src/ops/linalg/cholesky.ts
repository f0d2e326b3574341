import { cholesky as factorize } from '../../dense/cholesky.js'
import type { Primitive, Series } from '../../program/primitive.js'
import type { Type, Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { add, mul, neg, sub } from '../arithmetic.js'
import { apply } from '../define.js'
import { cauchy, series } from '../taylor.js'
import {
  eachMatrix,
  expectSquare,
  identity,
  leading,
  matmul,
  sidesOf,
  symmetricPart,
  transposed,
  triangle,
} from './matrix.js'
import { triangularSolve } from './triangularSolve.js'

const choleskyOp: Primitive = {
  name: 'cholesky',
  infer([a]) {
    expectSquare('cholesky', a as Type)
    return [a as Type]
  },
  evaluate(inputs, _, outputs) {
    const [type] = outputs as [Type]
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => [factorize(a, sidesOf(type)[0])])
  },
  derivative: ({ tangents: [t], outputs: [l] }) => [t ? moved(l as Value, symmetricPart(t)) : null],
  /** L_k = L F of A_k - sum_{0 < j < k} L_j L_{k-j}^T. */
  taylor: ({ series: [a], outputs: [out] }) => [
    series(out as Value, (k, l) => {
      const lower = cauchy(k, (x, y) => matmul(x, transposed(y)), l, l, add, [1, k - 1])
      const t = (a as Series).coefficient(k)
      const change = t && symmetricPart(t)
      if (!lower) return change && moved(l.value, change)
      return moved(l.value, change ? sub(change, lower) : neg(lower))
    }),
  ],
  batch: ({ inputs: [a] }) => [cholesky(a as Value)],
  flops: ({ outputs: [type] }) => (sizeOf((type as Type).shape) * sidesOf(type as Type)[0]) / 3,
}

/** L F, with F the lower triangle of L^-1 dA L^-T with half its diagonal: the change of L (Murray 2016, equation 8). */
function moved(l: Value, change: Value): Value {
  const left = triangularSolve(l, change, { lower: true })
  return matmul(l, lowerHalf(triangularSolve(l, transposed(left), { lower: true })))
}

/** The lower triangle with half of the diagonal. */
function lowerHalf(x: Value): Value {
  const [n] = sidesOf(x)
  return sub(triangle(x, true), mul(x, mul(identity(n, x.dtype), 0.5)))
}

/**
 * The lower triangular L with positive diagonal and L L^T = A, for each matrix A [..., n, n]; of a matrix that is
 * not symmetric, that of its symmetric part (A + A^T) / 2.
 * @throws when A is not positive definite.
 */
export const cholesky = (a: Value): Value => apply(choleskyOp, [a], {})

export const choleskyOps: readonly Primitive[] = [choleskyOp]
