import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { add, sub } from '../arithmetic.js'
import { eachMatrix, expectMatrix, leading, matmul, sidesOf, transposed, triangle } from './matrix.js'
import { triangularSolve } from './triangularSolve.js'

/**
 * Q [rows, columns] over a copy of `a`, and R with a diagonal >= 0, by Householder's reflections of the columns, which
 * are kept as rows so that inner loops run along them.
 */
function factor(a: Float64Array, rows: number, columns: number): [q: Float64Array, r: Float64Array] {
  const r = new Float64Array(columns * columns)
  const x = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) x[j * rows + i] = a[i * columns + j] as number
  const column = (j: number) => x.subarray(j * rows, (j + 1) * rows)
  const factors = new Float64Array(columns)
  for (let j = 0; j < columns; j++) {
    const v = column(j)
    for (let i = 0; i < j; i++) r[i * columns + j] = v[i] as number
    let squares = 0
    for (let i = j; i < rows; i++) squares += (v[i] as number) ** 2
    const first = v[j] as number
    const norm = first > 0 ? -Math.sqrt(squares) : Math.sqrt(squares)
    r[j * (columns + 1)] = norm
    v[j] = first - norm
    // v^T v = 2 norm (norm - first)
    factors[j] = squares === 0 ? 0 : 1 / (norm * (norm - first))
    for (let k = j + 1; k < columns; k++) reflect(column(k), v, factors[j] as number, j)
  }
  const q = new Float64Array(rows * columns)
  for (let j = 0; j < columns; j++) {
    const unit = new Float64Array(rows)
    unit[j] = (r[j * (columns + 1)] as number) < 0 ? -1 : 1
    for (let k = Math.min(j, columns - 1); k >= 0; k--) reflect(unit, column(k), factors[k] as number, k)
    for (let i = 0; i < rows; i++) q[i * columns + j] = unit[i] as number
  }
  for (let i = 0; i < columns; i++)
    if ((r[i * (columns + 1)] as number) < 0)
      for (let j = i; j < columns; j++) r[i * columns + j] = -(r[i * columns + j] as number)
  return [q, r]
}

/** x -= factor (v^T x) v, from component `from` on. */
function reflect(x: Float64Array, v: Float64Array, factor: number, from: number): void {
  let product = 0
  for (let i = from; i < x.length; i++) product += (x[i] as number) * (v[i] as number)
  product *= factor
  for (let i = from; i < x.length; i++) x[i] = (x[i] as number) - product * (v[i] as number)
}

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
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => factor(a, ...sidesOf(type)))
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
