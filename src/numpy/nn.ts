import { add, cast, div, mul, neg, select, sub } from '../ops/arithmetic.js'
import { keepAxes, reduceSum, reshape } from '../ops/broadcast.js'
import { equal, less } from '../ops/compare.js'
import * as kinks from '../ops/kinks.js'
import * as smooth from '../ops/smooth.js'
import { erf, erfc } from '../ops/special.js'
import { showType, type Value } from '../program/value.js'
import { type DType, isFloat } from '../tensor/dtype.js'
import { normalizeAxis } from '../tensor/shape.js'
import { type Tensor, tensor } from '../tensor/tensor.js'
import {
  type ArrayLike,
  type Axis,
  promotedFloats,
  toAxes,
  toFloat,
  toIntegers,
  toTensor,
  toValue,
} from './convert.js'
import { takeAlongAxis } from './indexing.js'
import { mean, variance } from './reduction.js'
import { peak } from './safe.js'
import { expandDims } from './shape.js'

/** max(x, 0); its derivative at 0 is 0. */
export function relu(x: ArrayLike): Tensor {
  return toTensor(kinks.relu(toFloat(x)))
}

/** x where x > 0, else `slope` x; its derivative at 0 is `slope`. */
export function leakyRelu(x: ArrayLike, { slope = 0.01 }: { readonly slope?: number } = {}): Tensor {
  const value = toFloat(x)
  return toTensor(select(less(0, value), value, mul(value, slope)))
}

/** x where x > 0, else alpha (e^x - 1). */
export function elu(x: ArrayLike, { alpha = 1 }: { readonly alpha?: number } = {}): Tensor {
  const value = toFloat(x)
  const above = less(0, value)
  return toTensor(select(above, value, mul(smooth.expm1(select(above, 0, value)), alpha)))
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: ArrayLike): Tensor {
  return toTensor(smooth.logistic(toFloat(x)))
}

/** log(1 / (1 + e^-x)), without underflow. */
export function logSigmoid(x: ArrayLike): Tensor {
  return toTensor(neg(smooth.softplus(neg(toFloat(x)))))
}

/** log(1 + e^x). */
export function softplus(x: ArrayLike): Tensor {
  return toTensor(smooth.softplus(toFloat(x)))
}

/** x / (1 + e^-x), also called swish. */
export function silu(x: ArrayLike): Tensor {
  const value = toFloat(x)
  return toTensor(mul(value, smooth.logistic(value)))
}

/**
 * x Phi(x) with the normal distribution's Phi(x) = erfc(-x / sqrt 2) / 2; with `approximate`,
 * x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Source: Hendrycks and Gimpel, arXiv:1606.08415.
 */
export function gelu(x: ArrayLike, { approximate = false }: { readonly approximate?: boolean } = {}): Tensor {
  const value = toFloat(x)
  const half = mul(value, 0.5)
  if (!approximate) return toTensor(mul(half, twicePhi(value)))
  const cubic = add(value, mul(mul(value, mul(value, value)), 0.044715))
  return toTensor(mul(half, add(smooth.tanh(mul(cubic, Math.sqrt(2 / Math.PI))), 1)))
}

/**
 * 2 Phi(x). In float32 from erf, which ONNX Runtime has as one operation; that is off by 1e-7 where Phi is small, as it
 * is in PyTorch.
 */
function twicePhi(x: Value): Value {
  return x.dtype === 'float32' ? add(erf(mul(x, Math.SQRT1_2)), 1) : erfc(mul(x, -Math.SQRT1_2))
}

export interface AxesOption {
  /** Default -1, the last. */
  readonly axis?: Axis | undefined
}

/** e^(x_i) / sum_j e^(x_j) along `axis`, without overflow. A row of -infinity gives NaN, as in SciPy. */
export function softmax(x: ArrayLike, { axis = -1 }: AxesOption = {}): Tensor {
  const value = toFloat(x)
  const axes = toAxes('softmax', axis, value.shape.length)
  const kept = keepAxes(value.shape, axes)
  const weights = smooth.exp(sub(value, reshape(peak(value, axes), kept)))
  return toTensor(div(weights, reshape(reduceSum(weights, axes), kept)))
}

/** x_i - log sum_j e^(x_j) along `axis`, without overflow. A row of -infinity gives NaN, as in SciPy. */
export function logSoftmax(x: ArrayLike, { axis = -1 }: AxesOption = {}): Tensor {
  const value = toFloat(x)
  const axes = toAxes('logSoftmax', axis, value.shape.length)
  const kept = keepAxes(value.shape, axes)
  const shifted = sub(value, reshape(peak(value, axes), kept))
  const total = reduceSum(smooth.exp(shifted), axes)
  return toTensor(sub(shifted, reshape(smooth.log(total), kept)))
}

/**
 * 1 at the position `labels` [...] along a new last axis of length `classes`, else 0; a label outside
 * 0..classes-1 gives zeros.
 */
export function oneHot(
  labels: ArrayLike,
  classes: number,
  { dtype = 'float64' }: { readonly dtype?: DType } = {},
): Tensor {
  const value = toIntegers('oneHot', labels)
  const positions = tensor(Int32Array.from({ length: classes }, (_, i) => i))
  return toTensor(cast(equal(reshape(value, [...value.shape, 1]), positions), dtype))
}

/**
 * The mean over samples of -log softmax(logits)[label]. `labels` are class positions [...] for logits
 * [..., classes], or probabilities [..., classes].
 * @throws when the shapes do not fit, or a label is out of range.
 */
export function crossEntropy(logits: ArrayLike, labels: ArrayLike): Tensor {
  const [x, y] = [toFloat(logits), toValue(labels)]
  const logs = logSoftmax(toTensor(x))
  if (y.shape.length === x.shape.length - 1)
    return toTensor(neg(toValue(mean(takeAlongAxis(logs, expandDims(toTensor(y), -1), -1)))))
  if (y.shape.join() !== x.shape.join() || !isFloat(y.dtype))
    throw new Error(
      `crossEntropy: labels are ${showType(y)} for logits ${showType(x)}; give class positions without the last axis, or float probabilities of the same shape`,
    )
  const [p, q] = promotedFloats('crossEntropy', [toTensor(y), logs]) as [Value, Value]
  const perSample = reduceSum(mul(p, q), [x.shape.length - 1])
  return toTensor(neg(toValue(mean(toTensor(perSample)))))
}

/** The mean over all elements of (x - y)^2. @throws when the shapes do not broadcast. */
export function meanSquaredError(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promotedFloats('meanSquaredError', [x, y]) as [Value, Value]
  const difference = sub(a, b)
  return mean(toTensor(mul(difference, difference)))
}

export interface AffineOptions {
  /** Multiplies the normalized values. */
  readonly scale?: ArrayLike | undefined
  /** Is added to them. */
  readonly offset?: ArrayLike | undefined
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number | undefined
}

/**
 * (x - mean) / sqrt(variance + epsilon) scale + offset over `axis` (default -1); scale and offset broadcast
 * with x.
 */
export function layerNorm(
  x: ArrayLike,
  { axis = -1, epsilon = 1e-5, scale, offset }: AxesOption & AffineOptions = {},
): Tensor {
  const value = toTensor(toFloat(x))
  const over = { axis, keepdims: true }
  return normalize('layerNorm', value, mean(value, over), variance(value, over), { epsilon, scale, offset })
}

/**
 * (x - mean) / sqrt(variance + epsilon) scale + offset with given statistics [C] of the channels along
 * `axis` (default 1): batch normalization as it is at inference.
 */
export function batchNorm(
  x: ArrayLike,
  statistics: { readonly mean: ArrayLike; readonly variance: ArrayLike },
  { axis = 1, epsilon = 1e-5, scale, offset }: AffineOptions & { readonly axis?: number } = {},
): Tensor {
  const value = toFloat(x)
  const after = value.shape.length - 1 - normalizeAxis(axis, value.shape.length, 'batchNorm')
  const along = (vector: ArrayLike) => {
    const given = toValue(vector)
    return toTensor(reshape(given, [...given.shape, ...new Array<number>(after).fill(1)]))
  }
  return normalize('batchNorm', toTensor(value), along(statistics.mean), along(statistics.variance), {
    epsilon,
    scale: scale === undefined ? undefined : along(scale),
    offset: offset === undefined ? undefined : along(offset),
  })
}

function normalize(
  where: string,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  { epsilon = 1e-5, scale, offset }: AffineOptions,
): Tensor {
  const [value, centre, spread] = promotedFloats(where, [x, mean, variance]) as [Value, Value, Value]
  let result = div(sub(value, centre), smooth.sqrt(add(spread, epsilon)))
  if (scale !== undefined)
    result = mul(...(promotedFloats(where, [toTensor(result), scale]) as [Value, Value]))
  if (offset !== undefined)
    result = add(...(promotedFloats(where, [toTensor(result), offset]) as [Value, Value]))
  return toTensor(result)
}
