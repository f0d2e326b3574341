import { jacobiSvd } from '../../dense/jacobiSvd.js'
import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { add, div, mul, select, sub } from '../arithmetic.js'
import { equal } from '../compare.js'
import { divideApart } from './eigh.js'
import {
  asColumn,
  asRow,
  diagonalOf,
  eachMatrix,
  expectMatrix,
  leading,
  matmul,
  sidesOf,
  transposed,
} from './matrix.js'

const svdOp: Primitive = {
  name: 'svd',
  infer([a]) {
    const type = a as Type
    expectMatrix('svd', type)
    const [rows, columns] = sidesOf(type)
    if (rows < columns)
      throw new Error(`svd: got ${showType(type)}, expected at least as many rows as columns`)
    const lead = leading(type)
    return [
      type,
      { dtype: type.dtype, shape: [...lead, columns] },
      { dtype: type.dtype, shape: [...lead, columns, columns] },
    ]
  },
  evaluate(inputs, _, outputs) {
    const [type] = outputs as [Type]
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => jacobiSvd(a, ...sidesOf(type)))
  },
  /**
   * With P = U^T dA V and F_ij = 1 / (s_j^2 - s_i^2), 0 for equal singular values: ds = diag(P),
   * dU = U (F * (P S + S P^T)) + (I - U U^T) dA V S^-1, dV = V (F * (S P + P^T S)) (Townsend 2016).
   */
  derivative({ tangents: [t], outputs }) {
    if (!t) return [null, null, null]
    const [u, s, v] = outputs as [Value, Value, Value]
    const image = matmul(t, v)
    const p = matmul(transposed(u), image)
    const [row, column] = [asRow(s), asColumn(s)]
    const gaps = mul(sub(row, column), add(row, column))
    const apart = (x: Value) => divideApart(x, gaps, mul(s, s))
    const left = apart(add(mul(p, row), mul(column, transposed(p))))
    const right = apart(add(mul(column, p), mul(transposed(p), row)))
    const [rows, columns] = sidesOf(u)
    const inside = matmul(u, left)
    const du = rows === columns ? inside : add(inside, outside(sub(image, matmul(u, p)), row))
    return [du, diagonalOf(p), matmul(v, right)]
  },
  batch: ({ inputs: [a] }) => svd(a as Value),
  flops: ({ outputs: [u] }) => 30 * sizeOf((u as Type).shape) * sidesOf(u as Type)[1],
}

/** x / s, and 0 where s is. */
function outside(x: Value, s: Value): Value {
  const isZero = equal(s, 0)
  return select(isZero, 0, div(x, select(isZero, 1, s)))
}

/**
 * The reduced factors A = U diag(s) V^T of each matrix [..., n, m] with n >= m: U [..., n, m] and V [..., m, m] with
 * orthonormal columns, s [..., m] descending. The largest component of a column of V is positive.
 * Singular values of less than n epsilon times the largest are 0. Of equal singular
 * values derivatives are taken as those of equal eigenvalues in `eigh`; of those that are 0 the part of dU outside of
 * U's columns is left out.
 */
export const svd = (a: Value): [u: Value, s: Value, v: Value] => bind(svdOp, [a], {}) as [Value, Value, Value]

export const svdOps: readonly Primitive[] = [svdOp]
