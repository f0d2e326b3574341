import { cast } from '../ops/arithmetic.js'
import { broadcastTo } from '../ops/broadcast.js'
import { allocate, type DType } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import { fullTensor, Tensor } from '../tensor/tensor.js'
import { type ArrayLike, toTensor, toValue } from './convert.js'

export interface DTypeOptions {
  readonly dtype?: DType | undefined
}

const toShape = (shape: number | Shape): Shape => (typeof shape === 'number' ? [shape] : shape)

/** A tensor of numbers, nested arrays, a typed array or a tensor (kept as it is), in `dtype` where given. */
export function asarray(x: ArrayLike, { dtype }: DTypeOptions = {}): Tensor {
  const value = toValue(x)
  return toTensor(dtype ? cast(value, dtype) : value)
}

/** The same as {@link asarray}: tensors are immutable, so there is nothing to copy. */
export function array(x: ArrayLike, options: DTypeOptions = {}): Tensor {
  return asarray(x, options)
}

/** x converted to `dtype`: floats are truncated towards zero, bool is x != 0. */
export function astype(x: ArrayLike, dtype: DType): Tensor {
  return asarray(x, { dtype })
}

/** Zeros, float64 unless `dtype` says otherwise. */
export function zeros(shape: number | Shape, { dtype = 'float64' }: DTypeOptions = {}): Tensor {
  return fullTensor(toShape(shape), 0, dtype)
}

/** Ones, float64 unless `dtype` says otherwise. */
export function ones(shape: number | Shape, { dtype = 'float64' }: DTypeOptions = {}): Tensor {
  return fullTensor(toShape(shape), 1, dtype)
}

/** `value` (which may be differentiated) broadcast to `shape`. @throws when it does not broadcast. */
export function full(shape: number | Shape, value: ArrayLike, { dtype }: DTypeOptions = {}): Tensor {
  return toTensor(broadcastTo(toValue(asarray(value, { dtype })), toShape(shape)))
}

/** Zeros of the shape and dtype of x. */
export function zerosLike(x: ArrayLike, options: DTypeOptions = {}): Tensor {
  return fullLike(x, 0, options)
}

/** Ones of the shape and dtype of x. */
export function onesLike(x: ArrayLike, options: DTypeOptions = {}): Tensor {
  return fullLike(x, 1, options)
}

/** `value` in the shape and dtype of x. */
export function fullLike(x: ArrayLike, value: ArrayLike, { dtype }: DTypeOptions = {}): Tensor {
  const like = toValue(x)
  return full(like.shape, value, { dtype: dtype ?? like.dtype })
}

/** start, start + step, ... below stop: arange(stop), arange(start, stop, step). @throws when step is 0. */
export function arange(
  start: number,
  stop?: number,
  step = 1,
  { dtype = 'float64' }: DTypeOptions = {},
): Tensor {
  if (step === 0 || !Number.isFinite(step))
    throw new Error(`arange: step is ${step}, expected a number other than 0`)
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const data = allocate(dtype, Math.max(0, Math.ceil((to - from) / step)))
  for (let i = 0; i < data.length; i++) data[i] = from + i * step
  return new Tensor(data)
}

/** `count` numbers evenly spaced from start to stop, both included. */
export function linspace(
  start: number,
  stop: number,
  count = 50,
  { dtype = 'float64', endpoint = true }: DTypeOptions & { readonly endpoint?: boolean } = {},
): Tensor {
  const data = allocate(dtype, count)
  const step = (stop - start) / Math.max(1, endpoint ? count - 1 : count)
  for (let i = 0; i < count; i++) data[i] = endpoint && i > 0 && i === count - 1 ? stop : start + i * step
  return new Tensor(data)
}

/** An n x m matrix (square by default) with ones on the diagonal `k` above the main one. */
export function eye(
  n: number,
  { m = n, k = 0, dtype = 'float64' }: DTypeOptions & { readonly m?: number; readonly k?: number } = {},
): Tensor {
  const data = allocate(dtype, n * m)
  for (let row = Math.max(0, -k); row < Math.min(n, m - k); row++) data[row * m + row + k] = 1
  return new Tensor(data, [n, m])
}
