import { qr as factorize } from '../../dense/qr.js'
import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { add, sub } from '../arithmetic.js'
import { eachMatrix, expectMatrix, leading, matmul, sidesOf, transposed, triangle } from './matrix.js'
import { triangularSolve } from './triangularSolve.js'

const qrOp: Primitive = {
  name: 'qr',
  infer([a]) {
    const type = a as Type
    expectMatrix('qr', type)
    const [rows, columns] = sidesOf(type)
    if (rows < columns)
      throw new Error(`qr: got ${showType(type)}, expected at least as many rows as columns`)
    return [type, { dtype: type.dtype, shape: [...leading(type), columns, columns] }]
  },
  evaluate(inputs, _, outputs) {
    const [type] = outputs as [Type]
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => factorize(a, ...sidesOf(type)))
  },
  /**
   * With M = dA R^-1 and the antisymmetric W whose strict lower triangle is that of Q^T M:
   * dR = (Q^T M - W) R and dQ = M - Q (Q^T M - W) (Walter and Lehmann 2018).
   */
  derivative({ tangents: [t], outputs }) {
    if (!t) return [null, null]
    const [q, r] = outputs as [Value, Value]
    const m = transposed(triangularSolve(r, transposed(t), { lower: false, transpose: true }))
    const inner = matmul(transposed(q), m)
    const strict = triangle(inner, true, true)
    const upper = add(sub(inner, strict), transposed(strict))
    return [sub(m, matmul(q, upper)), matmul(upper, r)]
  },
  batch: ({ inputs: [a] }) => qr(a as Value),
  flops: ({ outputs: [q] }) => 4 * sizeOf((q as Type).shape) * sidesOf(q as Type)[1],
}

/**
 * The reduced factors A = Q R of each matrix [..., n, m] with n >= m: Q [..., n, m] with Q^T Q = I, and R upper
 * triangular with diagonal >= 0, which makes them unique. There is no derivative where the columns are linearly
 * dependent: what is computed is huge, or throws.
 */
export const qr = (a: Value): [q: Value, r: Value] => bind(qrOp, [a], {}) as [Value, Value]

export const qrOps: readonly Primitive[] = [qrOp]
