import { add, div, neg, select, sub } from '../ops/arithmetic.js'
import { keepAxes, reduceSum, reshape } from '../ops/broadcast.js'
import { equal, less } from '../ops/compare.js'
import * as ops from '../ops/smooth.js'
import type { Value } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, promotedFloats, toAxes, toFloat, toTensor } from './convert.js'
import type { ReduceOptions } from './reduction.js'
import { finite, peak } from './safe.js'

/** e^x. */
export function exp(x: ArrayLike): Tensor {
  return toTensor(ops.exp(toFloat(x)))
}

/** 2^x. */
export function exp2(x: ArrayLike): Tensor {
  const [two, value] = promotedFloats('exp2', [2, toTensor(toFloat(x))]) as [Value, Value]
  return toTensor(ops.pow(two, value))
}

/** e^x - 1, accurate near 0. */
export function expm1(x: ArrayLike): Tensor {
  return toTensor(ops.expm1(toFloat(x)))
}

/** The natural logarithm. */
export function log(x: ArrayLike): Tensor {
  return toTensor(ops.log(toFloat(x)))
}

/** log(1 + x), accurate near 0. */
export function log1p(x: ArrayLike): Tensor {
  return toTensor(ops.log1p(toFloat(x)))
}

/** The logarithm to base 2. */
export function log2(x: ArrayLike): Tensor {
  return toTensor(div(ops.log(toFloat(x)), Math.LN2))
}

/** The logarithm to base 10. */
export function log10(x: ArrayLike): Tensor {
  return toTensor(div(ops.log(toFloat(x)), Math.LN10))
}

/** The square root; its derivative at 0 is infinite. */
export function sqrt(x: ArrayLike): Tensor {
  return toTensor(ops.sqrt(toFloat(x)))
}

/** The real cube root, also of negative x; its derivative at 0 is infinite. */
export function cbrt(x: ArrayLike): Tensor {
  const value = toFloat(x)
  const below = less(value, 0)
  const root = ops.pow(select(below, neg(value), value), 1 / 3)
  return toTensor(select(below, neg(root), root))
}

/** log(e^x + e^y) without overflow, smooth where x = y. @throws when the shapes do not broadcast. */
export function logaddexp(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promotedFloats('logaddexp', [x, y]) as [Value, Value]
  // The sum is symmetric, so which of two equal operands is called larger changes no derivative.
  const order = less(b, a)
  const [high, low] = [select(order, a, b), select(order, b, a)]
  const gap = sub(low, select(finite(high), high, 0))
  return toTensor(add(high, select(equal(high, Number.POSITIVE_INFINITY), 0, ops.softplus(gap))))
}

/**
 * log sum_i e^(x_i) over `axis` without overflow. Where all x_i are -infinity it is -infinity, with
 * derivative 0. @throws when an axis is out of range or empty.
 */
export function logsumexp(x: ArrayLike, { axis, keepdims }: ReduceOptions = {}): Tensor {
  const value = toFloat(x)
  const axes = toAxes('logsumexp', axis, value.shape.length)
  const kept = keepAxes(value.shape, axes)
  const shift = peak(value, axes)
  const total = reduceSum(ops.exp(sub(value, reshape(shift, kept))), axes)
  const empty = equal(total, 0)
  const logarithm = select(empty, Number.NEGATIVE_INFINITY, ops.log(select(empty, 1, total)))
  const result = add(logarithm, shift)
  return toTensor(keepdims ? reshape(result, kept) : result)
}
