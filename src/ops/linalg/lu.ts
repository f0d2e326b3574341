import { factorize } from '../../dense/lu.js'
import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import type { Type, Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { add } from '../arithmetic.js'
import { gather } from '../gather.js'
import { eachMatrix, expectSquare, leading, matmul, sidesOf, transposed, triangle } from './matrix.js'
import { triangularSolve } from './triangularSolve.js'

const luOp: Primitive = {
  name: 'lu',
  infer([a]) {
    expectSquare('lu', a as Type)
    return [a as Type, { dtype: 'int32', shape: (a as Type).shape.slice(0, -1) }]
  },
  evaluate(inputs, _, outputs) {
    const [type] = outputs as [Type]
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => {
      const { packed, order } = factorize(a, sidesOf(type)[0])
      return [packed, order]
    })
  },
  /** dL = L tril(F, -1) and dU = triu(F) U with F = L^-1 P dA U^-1. */
  derivative({ tangents: [t], outputs }) {
    if (!t) return [null, null]
    const [packed, order] = outputs as [Value, Value]
    const left = triangularSolve(packed, permuteRows(t, order), { unit: true })
    const f = transposed(triangularSolve(packed, transposed(left), { lower: false, transpose: true }))
    const lower = triangle(packed, true, true)
    const strict = triangle(f, true, true)
    const dLower = add(strict, matmul(lower, strict))
    return [add(dLower, matmul(triangle(f, false), triangle(packed, false))), null]
  },
  batch: ({ inputs: [a] }) => lu(a as Value),
  flops: ({ outputs: [type] }) => (2 * sizeOf((type as Type).shape) * sidesOf(type as Type)[0]) / 3,
}

/** Rows of [..., n, m] in the given order [..., n]. */
export function permuteRows(x: Value, order: Value): Value {
  const axis = x.shape.length - 2
  return gather(x, order, axis, axis)
}

/**
 * The factors of P A = L U of each matrix [..., n, n] with partial pivoting: L (unit diagonal, below it) and U
 * (on and above the diagonal) packed in one matrix, and the order [..., n] in which P takes the rows of A. Of a
 * singular matrix U has a 0 on its diagonal.
 */
export const lu = (a: Value): [packed: Value, order: Value] => bind(luOp, [a], {}) as [Value, Value]

export const luOps: readonly Primitive[] = [luOp]
