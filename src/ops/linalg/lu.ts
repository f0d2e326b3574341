import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import type { Type, Value } from '../../program/value.js'
import { range, sizeOf } from '../../tensor/shape.js'
import { add } from '../arithmetic.js'
import { gather } from '../gather.js'
import { eachMatrix, expectSquare, leading, matmul, sidesOf, transposed, triangle } from './matrix.js'
import { triangularSolve } from './triangularSolve.js'

/** The packed factors of P a = L U, over `a`, and the rows of `a` in the order of P a: partial pivoting. */
export function factorize(a: Float64Array, n: number): { packed: Float64Array; order: number[] } {
  const order = range(n)
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++)
      if (Math.abs(a[i * n + k] as number) > Math.abs(a[pivot * n + k] as number)) pivot = i
    if (pivot !== k) {
      const row = a.slice(k * n, (k + 1) * n)
      a.copyWithin(k * n, pivot * n, (pivot + 1) * n)
      a.set(row, pivot * n)
      ;[order[k], order[pivot]] = [order[pivot] as number, order[k] as number]
    }
    const top = a[k * n + k] as number
    if (top === 0) continue
    for (let i = k + 1; i < n; i++) {
      const factor = (a[i * n + k] as number) / top
      a[i * n + k] = factor
      if (factor === 0) continue
      for (let j = k + 1; j < n; j++)
        a[i * n + j] = (a[i * n + j] as number) - factor * (a[k * n + j] as number)
    }
  }
  return { packed: a, order }
}

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
