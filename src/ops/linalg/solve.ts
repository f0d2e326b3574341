import { factorize, solveFactored } from '../../dense/lu.js'
import { bind } from '../../program/builder.js'
import { type Primitive, type Series, Unknown } from '../../program/primitive.js'
import type { Type, Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { mul, neg, stopGradient, sub } from '../arithmetic.js'
import { reduceSum } from '../broadcast.js'
import { apply } from '../define.js'
import { foldColumns } from './columns.js'
import { lu } from './lu.js'
import {
  eachMatrix,
  expectSquare,
  identityLike,
  leading,
  matmul,
  sidesOf,
  spreadBatch,
  transposed,
} from './matrix.js'
import { checkSystem, solutionOfSystem } from './triangularSolve.js'

/** Inputs: A, the factors and the order of `lu(A)`, which are constants to derivatives, and B. */
const solveOp: Primitive<{ transpose: boolean }> = {
  name: 'solve',
  infer([a, packed, order, b]) {
    checkSystem('solve', a as Type, b as Type)
    checkSystem('solve', packed as Type, b as Type)
    if ((order as Type).dtype !== 'int32') throw new Error('solve: the order of rows must be int32')
    return [b as Type]
  },
  evaluate(inputs, { transpose }, outputs) {
    const [type] = outputs as [Type]
    const n = sidesOf(type)[0]
    return eachMatrix(sizeOf(leading(type)), inputs.slice(1), outputs, (packed, order, b) => [
      solveFactored(packed, order, b, n, transpose),
    ])
  },
  /** A dX = dB - dA X, with the factors at hand. */
  derivative({ tangents: [ta, , , tb], inputs: [a, packed, order], outputs: [x], params }) {
    const again = (b: Value) => apply(solveOp, [a, packed, order, b] as Value[], params)
    if (!ta) return [tb ? again(tb) : null]
    const product = matmul(params.transpose ? transposed(ta) : ta, x as Value)
    return [again(tb ? sub(tb, product) : neg(product))]
  },
  taylor({ series: inputs, outputs: [x], params }) {
    const [a, packed, order, b] = inputs as [Series, Series, Series, Series]
    const read = params.transpose ? transposed : (a: Value) => a
    const again = (b: Value) => apply(solveOp, [a.value, packed.value, order.value, b], params)
    return [solutionOfSystem(a, b, x as Value, read, again)]
  },
  transpose({ cotangents: [ct], inputs: [a, packed, order, b], params: { transpose } }) {
    if (!ct || !(b instanceof Unknown)) return [null, null, null, null]
    const back = apply(solveOp, [a, packed, order, ct] as Value[], { transpose: !transpose })
    return [null, null, null, back]
  },
  batch({ inputs, batched, size, params }) {
    const [a, packed, order, b] = inputs as [Value, Value, Value, Value]
    if (!batched[0] && !batched[1] && !batched[2])
      return [foldColumns(b, (b) => apply(solveOp, [a, packed, order, b], params))]
    return [apply(solveOp, spreadBatch(inputs, batched, size), params)]
  },
  flops: ({ inputs: [a], outputs: [x] }) => 2 * sizeOf((x as Type).shape) * sidesOf(a as Type)[0],
}

/**
 * X with A X = B for each A [..., n, n] and B [..., n, m], by LU with partial pivoting. A is factored once, whatever
 * the derivatives taken.
 * @throws when a pivot is 0.
 */
export function solve(a: Value, b: Value, transpose = false): Value {
  const [packed, order] = lu(stopGradient(a))
  return apply(solveOp, [a, packed, order, b], { transpose })
}

/** A^-1. @throws when a pivot is 0. */
export const inverse = (a: Value): Value => solve(a, identityLike(a))

/** sign(det A) and log |det A| from the factors; of a singular matrix 0 and -infinity. */
function signAndLog(a: Float64Array, n: number): [number[], number[]] {
  const { packed, order } = factorize(a, n)
  let [sign, log] = [permutationSign(order), 0]
  for (let i = 0; i < n; i++) {
    const pivot = packed[i * (n + 1)] as number
    sign *= Math.sign(pivot)
    log += Math.log(Math.abs(pivot))
  }
  return [[sign], [log]]
}

/** 1 for an even permutation, -1 for an odd one: a cycle of length k is k - 1 swaps. */
function permutationSign(order: readonly number[]): number {
  const seen = new Set<number>()
  let sign = 1
  for (const start of order)
    for (let i = start; !seen.has(i); i = order[i] as number) {
      seen.add(i)
      if (order[i] !== start) sign = -sign
    }
  return sign
}

const slogdetOp: Primitive = {
  name: 'slogdet',
  infer([a]) {
    expectSquare('slogdet', a as Type)
    const type = { dtype: (a as Type).dtype, shape: leading(a as Type) }
    return [type, type]
  },
  evaluate: (inputs, _, outputs) =>
    eachMatrix(sizeOf((outputs[0] as Type).shape), inputs, outputs, (a) =>
      signAndLog(a, sidesOf(inputs[0] as Type)[0]),
    ),
  /** d log |det A| = tr(A^-1 dA). */
  derivative({ tangents: [t], inputs: [a] }) {
    if (!t) return [null, null]
    const rank = t.shape.length
    return [null, reduceSum(mul(t, transposed(inverse(a as Value))), [rank - 2, rank - 1])]
  },
  batch: ({ inputs: [a] }) => slogdet(a as Value),
  flops: ({ inputs: [a] }) => (2 * sizeOf((a as Type).shape) * sidesOf(a as Type)[0]) / 3,
}

/**
 * sign(det A) and log |det A| for each A [..., n, n]; 0 and -infinity when A is singular, where derivatives throw.
 */
export const slogdet = (a: Value): [sign: Value, log: Value] => bind(slogdetOp, [a], {}) as [Value, Value]

export const solveOps: readonly Primitive[] = [solveOp as unknown as Primitive, slogdetOp]
