import { cast, select, stopGradient } from '../ops/arithmetic.js'
import { keepAxes, reduceSum, reshape } from '../ops/broadcast.js'
import * as ops from '../ops/compare.js'
import { abs } from '../ops/kinks.js'
import type { Value } from '../program/value.js'
import { broadcastShapes } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, promoted, toAxes, toBool, toFloat, toTensor, toValue } from './convert.js'
import type { ReduceOptions } from './reduction.js'
import { finite } from './safe.js'

type Binary = (x: Value, y: Value) => Value

function compare(where: string, op: Binary, x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promoted(where, [x, y]) as [Value, Value]
  return toTensor(op(a, b))
}

/** x = y for each element, broadcast. NaN equals nothing. */
export function equal(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('equal', ops.equal, x, y)
}

/** x != y for each element, broadcast. */
export function notEqual(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('notEqual', (a, b) => ops.not(ops.equal(a, b)), x, y)
}

/** x < y for each element, broadcast. */
export function less(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('less', ops.less, x, y)
}

/** x <= y for each element, broadcast. */
export function lessEqual(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('lessEqual', ops.lessEqual, x, y)
}

/** x > y for each element, broadcast. */
export function greater(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('greater', (a, b) => ops.less(b, a), x, y)
}

/** x >= y for each element, broadcast. */
export function greaterEqual(x: ArrayLike, y: ArrayLike): Tensor {
  return compare('greaterEqual', (a, b) => ops.lessEqual(b, a), x, y)
}

function logic(where: string, op: Binary, x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = [toBool(x), toBool(y)]
  broadcastShapes([a.shape, b.shape], where)
  return toTensor(op(a, b))
}

/** Whether both are not 0. */
export function logicalAnd(x: ArrayLike, y: ArrayLike): Tensor {
  return logic('logicalAnd', ops.and, x, y)
}

/** Whether at least one is not 0. */
export function logicalOr(x: ArrayLike, y: ArrayLike): Tensor {
  return logic('logicalOr', ops.or, x, y)
}

/** Whether exactly one is not 0. */
export function logicalXor(x: ArrayLike, y: ArrayLike): Tensor {
  return logic('logicalXor', (a, b) => ops.not(ops.equal(a, b)), x, y)
}

/** Whether x is 0. */
export function logicalNot(x: ArrayLike): Tensor {
  return toTensor(ops.not(toBool(x)))
}

/** Whether x is not a number. */
export function isnan(x: ArrayLike): Tensor {
  const value = toFloat(x)
  return toTensor(ops.not(ops.equal(value, value)))
}

/** Whether x is neither infinite nor NaN. */
export function isfinite(x: ArrayLike): Tensor {
  return toTensor(finite(toFloat(x)))
}

/** Whether x is infinity or -infinity. */
export function isinf(x: ArrayLike): Tensor {
  return toTensor(ops.equal(abs(stopGradient(toFloat(x))), Number.POSITIVE_INFINITY))
}

/**
 * x where the condition holds, else y, all three broadcast. A branch that is not taken adds a zero to the
 * derivative; but zero times an infinite derivative is NaN, so guard the argument too:
 * `where(greater(x, 0), log(where(greater(x, 0), x, 1)), 0)`.
 * @throws when the shapes do not broadcast.
 */
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promoted('where', [x, y]) as [Value, Value]
  const mask = toBool(condition)
  broadcastShapes([mask.shape, a.shape, b.shape], 'where')
  return toTensor(select(mask, a, b))
}

/** Whether all elements over `axis` (default: all axes) are not 0. */
export function all(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return none('all', ops.not(toBool(x)), options)
}

/** Whether any element over `axis` (default: all axes) is not 0. */
export function any(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return toTensor(ops.not(toValue(none('any', toBool(x), options))))
}

function none(where: string, mask: Value, { axis, keepdims }: ReduceOptions): Tensor {
  const axes = toAxes(where, axis, mask.shape.length)
  const found = ops.equal(reduceSum(cast(mask, 'int32'), axes), 0)
  return toTensor(keepdims ? reshape(found, keepAxes(mask.shape, axes)) : found)
}
