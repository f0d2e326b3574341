import { peak, safeSqrt } from '../../../numpy/safe.js'
import { add, cast, div, mul, neg, sub } from '../../../ops/arithmetic.js'
import { keepAxes, reduceSum, reshape, withoutAxes } from '../../../ops/broadcast.js'
import { equal } from '../../../ops/compare.js'
import { moveAxis } from '../../../ops/gather.js'
import { abs } from '../../../ops/kinks.js'
import { argMax, argTopK, cumulativeSum, reduceMax, reduceMin, takeLast } from '../../../ops/reduce.js'
import { concatenate, reverse, sliceAxis } from '../../../ops/slice.js'
import { exp, log } from '../../../ops/smooth.js'
import type { Value } from '../../../program/value.js'
import { isFloat } from '../../../tensor/dtype.js'
import { normalizeAxis, range, sizeOf } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import { knownNumber, type Operation, type Operations, operation } from '../operation.js'
import { axesOf } from './shape.js'

/** A reduction over `axes` (an input or an attribute; all of them when absent), which stay as axes of length one or go. */
const reduction = (f: (x: Value, axes: readonly number[]) => Value): Operation =>
  operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
    const stated = axesOf(x, input, attributes)
    if (!stated?.length && attributes.flag('noop_with_empty_axes')) return f(x, [])
    const axes = stated?.length ? stated : range(x.shape.length)
    const reduced = f(x, axes)
    return attributes.flag('keepdims', true) ? reshape(reduced, keepAxes(x.shape, axes)) : reduced
  })

export function mean(x: Value, axes: readonly number[]): Value {
  return div(reduceSum(x, axes), sizeOf(axes.map((axis) => x.shape[axis] as number)))
}

/** Largest or smallest element; that of nothing is -inf or inf, or the least or greatest int32. */
function extreme(f: (x: Value, axes: readonly number[]) => Value, ofNothing: number) {
  return (x: Value, axes: readonly number[]): Value => {
    if (x.dtype === 'bool') return cast(extreme(f, ofNothing)(cast(x, 'int32'), axes), 'bool')
    if (!axes.some((axis) => x.shape[axis] === 0)) return f(x, axes)
    const value = isFloat(x.dtype) ? ofNothing : ofNothing < 0 ? -(2 ** 31) : 2 ** 31 - 1
    return fullTensor(withoutAxes(x.shape, axes), value, x.dtype)
  }
}

/** The product over axes, by halving: its derivative is right where elements are zero. */
export function product(x: Value, axes: readonly number[]): Value {
  return [...axes].sort((a, b) => b - a).reduce(productAlong, x)
}

function productAlong(x: Value, axis: number): Value {
  let rest = x
  for (let n = x.shape[axis] as number; n > 1; n = rest.shape[axis] as number) {
    const half = n >> 1
    const pairs = mul(sliceAxis(rest, axis, 0, half), sliceAxis(rest, axis, half, 2 * half))
    rest = n % 2 ? concatenate([pairs, sliceAxis(rest, axis, n - 1, n)], axis) : pairs
  }
  const shape = withoutAxes(x.shape, [axis])
  return x.shape[axis] === 0 ? fullTensor(shape, 1, x.dtype) : reshape(rest, shape)
}

/** log of the sum of exponentials, shifted by the largest element so that it does not overflow. */
export function logSumExp(x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x
  if (axes.some((axis) => x.shape[axis] === 0)) return log(reduceSum(x, axes))
  const largest = peak(x, axes)
  const shifted = sub(x, reshape(largest, keepAxes(x.shape, axes)))
  return add(log(reduceSum(exp(shifted), axes)), largest)
}

/** exp(x - logsumexp(x)) along axes, with the largest element subtracted first. */
export function softmax(x: Value, axis: number): Value {
  const keep = keepAxes(x.shape, [axis])
  const shifted = exp(sub(x, reshape(peak(x, [axis]), keep)))
  return div(shifted, reshape(reduceSum(shifted, [axis]), keep))
}

export function logSoftmax(x: Value, axis: number): Value {
  const keep = keepAxes(x.shape, [axis])
  const shifted = sub(x, reshape(peak(x, [axis]), keep))
  return sub(shifted, reshape(log(reduceSum(exp(shifted), [axis])), keep))
}

function hardmax(x: Value, axis: number): Value {
  const n = x.shape[axis] as number
  const best = reshape(argMax(x, axis), keepAxes(x.shape, [axis]))
  const along = x.shape.map((_, i) => (i === axis ? n : 1))
  return cast(equal(best, new Tensor(Int32Array.from(range(n)), along)), x.dtype)
}

/** Along one axis; before opset 13 over all axes from that one on, as if they were one. */
const normalizing = (f: (x: Value, axis: number) => Value): Operation =>
  operation<[Value]>(1, 1, ([x], attributes, { opset }) => {
    const rank = x.shape.length
    const axis = normalizeAxis(
      attributes.int('axis', opset < 13 ? 1 : -1),
      Math.max(1, rank),
      'attribute axis',
    )
    if (x.size === 0) return x
    if (opset >= 13) return f(x, axis)
    const rows = sizeOf(x.shape.slice(0, axis))
    return reshape(f(reshape(x, [rows, x.size / rows]), 1), x.shape)
  })

const positionOfExtreme = (smallest: boolean): Operation =>
  operation<[Value]>(1, 1, ([x], attributes) => {
    const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
    const signed = smallest ? neg(x) : x
    const last = attributes.flag('select_last_index')
    const found = argMax(last ? reverse(signed, [axis]) : signed, axis)
    const position = last ? sub((x.shape[axis] as number) - 1, found) : found
    return attributes.flag('keepdims', true) ? reshape(position, keepAxes(x.shape, [axis])) : position
  })

const cumulate = operation<[Value, Value]>(2, 2, ([x, input], attributes) => {
  const axis = normalizeAxis(knownNumber(input, 'input axis'), x.shape.length, 'axis')
  const backwards = attributes.flag('reverse')
  const n = x.shape[axis] as number
  const sums = cumulativeSum(x, axis, backwards)
  if (!attributes.flag('exclusive') || n === 0) return sums
  const shape = x.shape.map((length, i) => (i === axis ? 1 : length))
  const zero = fullTensor(shape, 0, x.dtype)
  return backwards
    ? concatenate([sliceAxis(sums, axis, 1, n), zero], axis)
    : concatenate([zero, sliceAxis(sums, axis, 0, n - 1)], axis)
})

const topK = operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
  const axis = normalizeAxis(attributes.int('axis', -1), x.shape.length, 'attribute axis')
  const k = input ? knownNumber(input, 'input k') : attributes.int('k')
  const last = x.shape.length - 1
  const moved = moveAxis(x, axis, last)
  const indices = argTopK(moved, k, attributes.flag('largest', true))
  return [takeLast(moved, indices), indices].map((values) => moveAxis(values, last, axis))
})

export const reduceOperations: Operations = {
  ArgMax: positionOfExtreme(false),
  ArgMin: positionOfExtreme(true),
  CumSum: cumulate,
  Hardmax: normalizing(hardmax),
  LogSoftmax: normalizing(logSoftmax),
  ReduceL1: reduction((x, axes) => reduceSum(abs(x), axes)),
  ReduceL2: reduction((x, axes) => safeSqrt(reduceSum(mul(x, x), axes))),
  ReduceLogSum: reduction((x, axes) => log(reduceSum(x, axes))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction(extreme(reduceMax, Number.NEGATIVE_INFINITY)),
  ReduceMean: reduction(mean),
  ReduceMin: reduction(extreme(reduceMin, Number.POSITIVE_INFINITY)),
  ReduceProd: reduction(product),
  ReduceSum: reduction(reduceSum),
  ReduceSumSquare: reduction((x, axes) => reduceSum(mul(x, x), axes)),
  Softmax: normalizing(softmax),
  TopK: topK,
}
