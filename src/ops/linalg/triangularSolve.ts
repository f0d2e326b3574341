import { blockOf, transposedBlock } from '../../dense/block.js'
import { solveTriangular } from '../../dense/triangular.js'
import { type Primitive, type Series, Unknown } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { sameShape, sizeOf } from '../../tensor/shape.js'
import { add, neg, sub } from '../arithmetic.js'
import { apply } from '../define.js'
import { cauchy, series } from '../taylor.js'
import { foldColumns } from './columns.js'
import {
  eachMatrix,
  expectMatrix,
  expectSquare,
  leading,
  matmul,
  sidesOf,
  spreadBatch,
  transposed,
  triangle,
} from './matrix.js'

interface TriangularParams extends Record<string, unknown> {
  /** Which triangle of the matrix is read. */
  readonly lower: boolean
  /** Solves A^T X = B instead of A X = B. */
  readonly transpose: boolean
  /** Takes the diagonal to be 1 without reading it. */
  readonly unit: boolean
}

/** Overwrites b [n, m] with the solution. */
function solveSystem(
  a: Float64Array,
  b: Float64Array,
  n: number,
  { lower, transpose, unit }: TriangularParams,
): Float64Array {
  for (let i = 0; i < n && !unit; i++)
    if (a[i * (n + 1)] === 0)
      throw new Error(
        `triangularSolve: the matrix is singular: element (${i}, ${i}) of ${n} on its diagonal is 0`,
      )
  const matrix = blockOf(a, n, n)
  const right = blockOf(b, n, n === 0 ? 0 : b.length / n)
  solveTriangular(transpose ? transposedBlock(matrix) : matrix, right, { lower: lower !== transpose, unit })
  return b
}

const triangularSolveOp: Primitive<TriangularParams> = {
  name: 'triangularSolve',
  infer([a, b]) {
    checkSystem('triangularSolve', a as Type, b as Type)
    return [b as Type]
  },
  evaluate(inputs, params, outputs) {
    const a = inputs[0] as Type
    return eachMatrix(sizeOf(leading(a)), inputs, outputs, (a, b) => [
      solveSystem(a, b, sidesOf(inputs[0] as Type)[0], params),
    ])
  },
  /** A dX = dB - dA X, where only the triangle of dA counts. */
  derivative({ tangents: [ta, tb], inputs: [a], outputs: [x], params }) {
    const { lower, transpose, unit } = params
    if (!ta) return [tb ? apply(triangularSolveOp, [a as Value, tb], params) : null]
    const moved = triangle(ta, lower, unit)
    const product = matmul(transpose ? transposed(moved) : moved, x as Value)
    const right = tb ? sub(tb, product) : neg(product)
    return [apply(triangularSolveOp, [a as Value, right], params)]
  },
  taylor({ series: [a, b], outputs: [x], params }) {
    const { lower, transpose, unit } = params
    const read = (a: Value) => (transpose ? transposed(triangle(a, lower, unit)) : triangle(a, lower, unit))
    const again = (b: Value) => apply(triangularSolveOp, [(a as Series).value, b], params)
    return [solutionOfSystem(a as Series, b as Series, x as Value, read, again)]
  },
  transpose({ cotangents: [ct], inputs: [a, b], params }) {
    if (!ct || !(b instanceof Unknown)) return [null, null]
    return [null, apply(triangularSolveOp, [a as Value, ct], { ...params, transpose: !params.transpose })]
  },
  batch({ inputs, batched, size, params }) {
    const [a, b] = inputs as [Value, Value]
    if (!batched[0]) return [foldColumns(b, (b) => apply(triangularSolveOp, [a, b], params))]
    return [apply(triangularSolveOp, spreadBatch(inputs, batched, size), params)]
  },
  flops: ({ inputs: [a], outputs: [x] }) => sizeOf((x as Type).shape) * sidesOf(a as Type)[0],
}

/** X of A X = B along a curve: A_0 X_k = B_k - sum_{1 <= j <= k} A_j X_{k-j}. `read` makes the matrix of a coefficient. */
export function solutionOfSystem(
  a: Series,
  b: Series,
  out: Value,
  read: (a: Value) => Value,
  solve: (b: Value) => Value,
): Series {
  return series(out, (k, x) => {
    const lower = cauchy(k, (a, x) => matmul(read(a), x), a, x, add, [1, k])
    const right = b.coefficient(k)
    if (!lower) return right && solve(right)
    return solve(right ? sub(right, lower) : neg(lower))
  })
}

/** @throws unless a [..., n, n] and b [..., n, m] share dtype and leading axes. */
export function checkSystem(name: string, a: Type, b: Type): void {
  expectSquare(name, a)
  expectMatrix(name, b)
  if (a.dtype !== b.dtype || !sameShape(leading(a), leading(b)) || sidesOf(a)[0] !== sidesOf(b)[0])
    throw new Error(
      `${name}: ${showType(a)} and ${showType(b)} do not fit, expected [..., n, n] and [..., n, m]`,
    )
}

/**
 * X with A X = B (or A^T X = B), for triangular A [..., n, n] and B [..., n, m]. Only the triangle is read.
 * @throws when the diagonal holds a 0.
 */
export function triangularSolve(a: Value, b: Value, params: Partial<TriangularParams> = {}): Value {
  return apply(triangularSolveOp, [a, b], { lower: true, transpose: false, unit: false, ...params })
}

export const triangularSolveOps: readonly Primitive[] = [triangularSolveOp] as unknown as readonly Primitive[]
