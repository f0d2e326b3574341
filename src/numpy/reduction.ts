import { cast, div, mul, neg, sub } from '../ops/arithmetic.js'
import { broadcastTo, keepAxes, reduceSum, reshape, transpose } from '../ops/broadcast.js'
import { abs } from '../ops/kinks.js'
import * as ops from '../ops/reduce.js'
import { concatenate, sliceAxis } from '../ops/slice.js'
import { pow } from '../ops/smooth.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis, range, sizeOf } from '../tensor/shape.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import {
  type ArrayLike,
  type Axis,
  promotedFloats,
  toAxes,
  toFloat,
  toNumeric,
  toTensor,
  toValue,
} from './convert.js'
import { continuedByZero, safeSqrt } from './safe.js'

export interface ReduceOptions {
  /** The axis or axes that disappear; default: all. Negative ones count from the end. */
  readonly axis?: Axis | undefined
  /** Keeps the reduced axes with length one, so that the result broadcasts with the argument. */
  readonly keepdims?: boolean | undefined
}

type Reduction = (x: Value, axes: readonly number[]) => Value

function reduce(where: string, x: Value, { axis, keepdims }: ReduceOptions, op: Reduction): Tensor {
  const axes = toAxes(where, axis, x.shape.length)
  const reduced = op(x, axes)
  return toTensor(keepdims ? reshape(reduced, keepAxes(x.shape, axes)) : reduced)
}

const count = (x: Value, axes: readonly number[]) => sizeOf(axes.map((axis) => x.shape[axis] as number))

/** sum_i x_i over `axis`; booleans are counted as int32. @throws when an axis is out of range. */
export function sum(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return reduce('sum', toNumeric(x), options, reduceSum)
}

const meanOver: Reduction = (x, axes) => div(reduceSum(x, axes), count(x, axes))

/** 1/n sum_i x_i over `axis`; NaN when n = 0. @throws when an axis is out of range. */
export function mean(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return reduce('mean', toFloat(x), options, meanOver)
}

/**
 * prod_i x_i over `axis`, multiplied in pairs: there is no division by x_i, so derivatives are right where
 * elements are 0. @throws when an axis is out of range.
 */
export function prod(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return reduce('prod', toNumeric(x), options, (value, axes) => {
    const kept = range(value.shape.length).filter((axis) => !axes.includes(axis))
    const shape = kept.map((axis) => value.shape[axis] as number)
    let factors = reshape(transpose(value, [...axes, ...kept]), [count(value, axes), ...shape])
    while ((factors.shape[0] as number) > 1) {
      const n = factors.shape[0] as number
      const half = n >> 1
      const pairs = mul(sliceAxis(factors, 0, 0, half), sliceAxis(factors, 0, half, 2 * half))
      factors = n % 2 ? concatenate([pairs, sliceAxis(factors, 0, n - 1, n)], 0) : pairs
    }
    return factors.shape[0] === 0 ? fullTensor(shape, 1, value.dtype) : reshape(factors, shape)
  })
}

const extreme =
  (where: string, op: Reduction): Reduction =>
  (x, axes) => {
    if (count(x, axes) === 0) throw new Error(`${where}: ${showType(x)} has no elements along axes [${axes}]`)
    return op(x, axes)
  }

/** The largest element over `axis`; those that tie share the derivative equally. @throws when there is none. */
export function max(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return reduce('max', toNumeric(x), options, extreme('max', ops.reduceMax))
}

/** The smallest element over `axis`; those that tie share the derivative equally. @throws when there is none. */
export function min(x: ArrayLike, options: ReduceOptions = {}): Tensor {
  return reduce('min', toNumeric(x), options, extreme('min', ops.reduceMin))
}

/** Position, int32, of the first largest element along `axis`, or in the raveled array. @throws when there is none. */
export function argmax(x: ArrayLike, options: PositionOptions = {}): Tensor {
  return position('argmax', toNumeric(x), options)
}

/** Position, int32, of the first smallest element along `axis`, or in the raveled array. @throws when there is none. */
export function argmin(x: ArrayLike, options: PositionOptions = {}): Tensor {
  const value = toNumeric(x)
  // The least int32 has no opposite among int32.
  return position('argmin', neg(value.dtype === 'int32' ? cast(value, 'float64') : value), options)
}

export interface PositionOptions {
  readonly axis?: number | undefined
  readonly keepdims?: boolean | undefined
}

function position(where: string, x: Value, { axis, keepdims }: PositionOptions): Tensor {
  if (axis !== undefined) return reduce(where, x, { axis, keepdims }, (x, [k]) => ops.argMax(x, k as number))
  const first = ops.argMax(reshape(x, [sizeOf(x.shape)]), 0)
  return toTensor(keepdims ? reshape(first, keepAxes(x.shape, range(x.shape.length))) : first)
}

export interface VarianceOptions extends ReduceOptions {
  /** The divisor is n - ddof. Default 0. */
  readonly ddof?: number | undefined
}

const varianceOver =
  (ddof: number): Reduction =>
  (x, axes) => {
    const centred = sub(x, reshape(meanOver(x, axes), keepAxes(x.shape, axes)))
    return div(reduceSum(mul(centred, centred), axes), count(x, axes) - ddof)
  }

/** 1/(n - ddof) sum_i (x_i - mean)^2 over `axis`: NumPy's var. @throws when an axis is out of range. */
export function variance(x: ArrayLike, { ddof = 0, ...options }: VarianceOptions = {}): Tensor {
  return reduce('variance', toFloat(x), options, varianceOver(ddof))
}

/** The root of {@link variance}; its derivative is 0 where the variance is 0. */
export function std(x: ArrayLike, { ddof = 0, ...options }: VarianceOptions = {}): Tensor {
  return reduce('std', toFloat(x), options, (value, axes) => safeSqrt(varianceOver(ddof)(value, axes)))
}

export interface NormOptions extends ReduceOptions {
  /** 2 (default; of a matrix, the Frobenius norm), 1, Infinity, -Infinity, 0 (count of nonzeros), or any p > 1. */
  readonly ord?: number | undefined
}

/**
 * (sum_i |x_i|^p)^(1/p) over `axis` (default: all axes), with p = `ord`. Its derivative at 0 is 0.
 * @throws when 0 < ord < 1 or ord is negative and finite, which are no norms.
 */
export function norm(x: ArrayLike, { ord = 2, ...options }: NormOptions = {}): Tensor {
  return reduce('norm', toFloat(x), options, (value, axes) => {
    if (ord === 2) return safeSqrt(reduceSum(mul(value, value), axes))
    const size = abs(value)
    if (ord === 1) return reduceSum(size, axes)
    if (ord === Number.POSITIVE_INFINITY) return ops.reduceMax(size, axes)
    if (ord === Number.NEGATIVE_INFINITY) return ops.reduceMin(size, axes)
    if (ord === 0) return reduceSum(cast(cast(value, 'bool'), value.dtype), axes)
    if (!(ord > 1)) throw new Error(`norm: ord is ${ord}, expected 0, 1 or more, or an infinity`)
    return continuedByZero(reduceSum(pow(size, ord), axes), (total) => pow(total, 1 / ord))
  })
}

export interface AverageOptions extends ReduceOptions {
  /** Broadcasts with x, or runs along the one `axis`. Default: all equal. */
  readonly weights?: ArrayLike | undefined
}

/** sum_i w_i x_i / sum_i w_i over `axis`. @throws when the weights do not broadcast with x. */
export function average(x: ArrayLike, { weights, ...options }: AverageOptions = {}): Tensor {
  if (weights === undefined) return mean(x, options)
  const rank = toValue(x).shape.length
  let w = toValue(weights)
  if (typeof options.axis === 'number' && w.shape.length === 1) {
    const along = normalizeAxis(options.axis, rank, 'average')
    w = reshape(w, [...w.shape, ...new Array<number>(rank - 1 - along).fill(1)])
  }
  const [value, factor] = promotedFloats('average', [x, toTensor(w)]) as [Value, Value]
  return reduce('average', value, options, (y, axes) => {
    const spread = broadcastTo(factor, y.shape)
    return div(reduceSum(mul(y, spread), axes), reduceSum(spread, axes))
  })
}
