import { mul } from '../ops/arithmetic.js'
import { reshape } from '../ops/broadcast.js'
import { moveAxis } from '../ops/gather.js'
import { fft as fftOp } from '../ops/linalg/fft.js'
import { concatenate, reverse, sliceAxis, zeros } from '../ops/slice.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, toFloat, toTensor } from './convert.js'

/** @throws unless x is [..., n, 2]. */
function toComplex(where: string, x: ArrayLike): Value {
  const value = toFloat(x)
  if (value.shape.length < 2 || value.shape.at(-1) !== 2)
    throw new Error(
      `${where}: got ${showType(value)}, expected complex numbers [..., n, 2]: real and imaginary part along the last axis`,
    )
  return value
}

export interface FftOptions {
  /** The axis of numbers that is transformed; the axis of their parts does not count. Default -1. */
  readonly axis?: number
}

/** Applies f to complex x with one of its axes of numbers last among them, and moves it back. */
function along(where: string, x: Value, axis: number, f: (x: Value) => Value): Value {
  const rank = x.shape.length - 1
  const from = normalizeAxis(axis, rank, where)
  return moveAxis(f(moveAxis(x, from, rank - 1)), rank - 1, from)
}

/**
 * The discrete Fourier transform y_k = sum_j x_j exp(-2 pi i j k / n). There is no complex dtype: complex numbers are
 * [..., n, 2], real and imaginary part along the last axis. Any n takes O(n log n).
 * @throws when the last axis is not of length 2.
 */
export function fft(x: ArrayLike, { axis = -1 }: FftOptions = {}): Tensor {
  return toTensor(along('fft', toComplex('fft', x), axis, (x) => fftOp(x)))
}

/** The inverse of {@link fft}: x_j = (1/n) sum_k y_k exp(2 pi i j k / n), of complex numbers [..., n, 2]. */
export function ifft(y: ArrayLike, { axis = -1 }: FftOptions = {}): Tensor {
  const average = (y: Value) => mul(fftOp(y, true), 1 / Math.max(1, y.shape.at(-2) as number))
  return toTensor(along('ifft', toComplex('ifft', y), axis, average))
}

/**
 * The first floor(n/2) + 1 numbers of the transform of real x [..., n], which determine the others: complex
 * [..., floor(n/2) + 1, 2].
 * @throws when x is a number or has no elements along its last axis.
 */
export function rfft(x: ArrayLike, { axis = -1 }: FftOptions = {}): Tensor {
  const value = toFloat(x)
  const rank = value.shape.length
  const moved = moveAxis(value, normalizeAxis(axis, rank, 'rfft'), rank - 1)
  const n = moved.shape[rank - 1]
  if (!n) throw new Error(`rfft: got ${showType(value)}, expected real numbers [..., n] with n > 0`)
  const real = reshape(moved, [...moved.shape, 1])
  const whole = fftOp(concatenate([real, zeros(real)], rank))
  const half = sliceAxis(whole, rank - 1, 0, Math.floor(n / 2) + 1)
  return toTensor(moveAxis(half, rank - 1, normalizeAxis(axis, rank, 'rfft')))
}

/**
 * The inverse of {@link rfft}: real numbers [..., n] from complex [..., floor(n/2) + 1, 2]. The imaginary parts of the
 * first number, and for even n of the last, do not count.
 * @param n defaults to the even one.
 * @throws when n does not fit.
 */
export function irfft(y: ArrayLike, { n, axis = -1 }: FftOptions & { readonly n?: number } = {}): Tensor {
  const value = toComplex('irfft', y)
  const rank = value.shape.length - 1
  const to = normalizeAxis(axis, rank, 'irfft')
  const half = moveAxis(value, to, rank - 1)
  const given = half.shape[rank - 1] as number
  const length = n ?? 2 * (given - 1)
  if (!(Number.isInteger(length) && length > 0) || Math.floor(length / 2) + 1 !== given)
    throw new Error(
      `irfft: got ${showType(value)} for n = ${length}, expected floor(n/2) + 1 complex numbers`,
    )
  // The others are the conjugates of these in reverse order.
  const mirrored = reverse(sliceAxis(half, rank - 1, 1, length - given + 1), [rank - 1])
  const [re, im] = [0, 1].map((part) => sliceAxis(mirrored, rank, part, part + 1)) as [Value, Value]
  const whole = concatenate([half, concatenate([re, mul(im, -1)], rank)], rank - 1)
  const x = sliceAxis(fftOp(whole, true), rank, 0, 1)
  return toTensor(moveAxis(mul(reshape(x, x.shape.slice(0, -1)), 1 / length), rank - 1, to))
}
