import { symmetricEigen } from '../../dense/symmetricEigen.js'
import { bind } from '../../program/builder.js'
import type { Primitive } from '../../program/primitive.js'
import type { Type, Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { div, mul, select, stopGradient, sub } from '../arithmetic.js'
import { reshape } from '../broadcast.js'
import { lessEqual } from '../compare.js'
import { abs } from '../kinks.js'
import { reduceMax } from '../reduce.js'
import {
  asColumn,
  asRow,
  diagonalOf,
  eachMatrix,
  expectSquare,
  leading,
  matmul,
  sidesOf,
  symmetricPart,
  transposed,
} from './matrix.js'

/** How far mirrored elements may be apart, over the largest of all: more than products rounded to float32 are. */
const asymmetry = 1e-4

/** The eigenvalues and eigenvectors, as columns, of a matrix that is symmetric up to rounding. */
function decompose(a: Float64Array, n: number): [values: Float64Array, vectors: Float64Array] {
  const most = asymmetry * a.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [below, above] = [a[i * n + j] as number, a[j * n + i] as number]
      if (Math.abs(below - above) > most)
        throw new Error(
          `eigh: the matrix is not symmetric: element (${i}, ${j}) is ${below}, element (${j}, ${i}) is ${above}; for its symmetric part (x + x^T) / 2 pass { symmetrize: true }`,
        )
      a[i * n + j] = (below + above) / 2
    }
  const { values, vectors } = symmetricEigen(a, n)
  const columns = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) columns[i * n + j] = vectors[j * n + i] as number
  return [values, columns]
}

const eighOp: Primitive = {
  name: 'eigh',
  infer([a]) {
    expectSquare('eigh', a as Type)
    const { dtype, shape } = a as Type
    return [{ dtype, shape: shape.slice(0, -1) }, a as Type]
  },
  evaluate(inputs, _, outputs) {
    const type = outputs[1] as Type
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (a) => decompose(a, sidesOf(type)[0]))
  },
  /** dw = diag(V^T dA V) and dV = V (F * (V^T dA V)) with F_ij = 1 / (w_j - w_i), 0 for equal eigenvalues. */
  derivative({ tangents: [t], outputs }) {
    if (!t) return [null, null]
    const [w, v] = outputs as [Value, Value]
    const turned = matmul(transposed(v), matmul(symmetricPart(t), v))
    const gaps = sub(asRow(w), asColumn(w))
    return [diagonalOf(turned), matmul(v, divideApart(turned, gaps, w))]
  },
  batch: ({ inputs: [a] }) => eigh(a as Value),
  flops: ({ inputs: [a] }) => 9 * sizeOf((a as Type).shape) * sidesOf(a as Type)[0],
}

/**
 * x / gaps, and 0 where a gap is as small as rounding makes those of equal numbers: n epsilon times the largest of
 * `scale` [..., n].
 */
export function divideApart(x: Value, gaps: Value, scale: Value): Value {
  const last = scale.shape.length - 1
  const n = scale.shape[last] as number
  if (n === 0) return x
  const epsilon = scale.dtype === 'float32' ? 2 ** -23 : Number.EPSILON
  const largest = reduceMax(abs(stopGradient(scale)), [last])
  const least = reshape(mul(largest, 4 * n * epsilon), [...leading(scale, 1), 1, 1])
  const isEqual = lessEqual(abs(stopGradient(gaps)), least)
  return select(isEqual, 0, div(x, select(isEqual, 1, gaps)))
}

/**
 * Eigenvalues w [..., n], ascending, and orthonormal eigenvectors V [..., n, n], as columns, of each symmetric matrix A:
 * A V = V diag(w). The largest component of an eigenvector is positive. Elements that mirror each other may differ by
 * 1e-4 of the largest of all, and are averaged. Throws, when it runs, where they differ by more.
 *
 * Eigenvectors of equal eigenvalues (up to rounding) are not unique, so their derivative is not defined: it is taken as
 * if they did not turn into each other. What depends only on sums over all of a group of equal eigenvalues has right
 * first derivatives; others, and second derivatives, lack what the group contributes, but are finite.
 */
export const eigh = (a: Value): [values: Value, vectors: Value] => bind(eighOp, [a], {}) as [Value, Value]

export const eighOps: readonly Primitive[] = [eighOp]
