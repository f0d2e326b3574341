import { mul } from '../ops/arithmetic.js'
import { reshape } from '../ops/broadcast.js'
import { fft as fftOp } from '../ops/linalg/fft.js'
import { concatenate, reverse, sliceAxis, zeros } from '../ops/slice.js'
import { showType, type Value } from '../program/value.js'
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

/**
 * The discrete Fourier transform y_k = sum_j x_j exp(-2 pi i j k / n). There is no complex dtype: complex numbers are
 * [..., n, 2], real and imaginary part along the last axis. Any n takes O(n log n).
 * @throws when the last axis is not of length 2.
 */
export function fft(x: ArrayLike): Tensor {
  return toTensor(fftOp(toComplex('fft', x)))
}

/** The inverse of {@link fft}: x_j = (1/n) sum_k y_k exp(2 pi i j k / n), of complex numbers [..., n, 2]. */
export function ifft(y: ArrayLike): Tensor {
  const value = toComplex('ifft', y)
  return toTensor(mul(fftOp(value, true), 1 / Math.max(1, value.shape.at(-2) as number)))
}

/**
 * The first floor(n/2) + 1 numbers of the transform of real x [..., n], which determine the others: complex
 * [..., floor(n/2) + 1, 2].
 * @throws when x is a number or has no elements along its last axis.
 */
export function rfft(x: ArrayLike): Tensor {
  const value = toFloat(x)
  const n = value.shape.at(-1)
  if (!n) throw new Error(`rfft: got ${showType(value)}, expected real numbers [..., n] with n > 0`)
  const real = reshape(value, [...value.shape, 1])
  const last = real.shape.length - 1
  const whole = fftOp(concatenate([real, zeros(real)], last))
  return toTensor(sliceAxis(whole, last - 1, 0, Math.floor(n / 2) + 1))
}

/**
 * The inverse of {@link rfft}: real numbers [..., n] from complex [..., floor(n/2) + 1, 2]. The imaginary parts of the
 * first number, and for even n of the last, do not count.
 * @param n defaults to the even one.
 * @throws when n does not fit.
 */
export function irfft(y: ArrayLike, { n }: { readonly n?: number } = {}): Tensor {
  const half = toComplex('irfft', y)
  const axis = half.shape.length - 2
  const given = half.shape[axis] as number
  const length = n ?? 2 * (given - 1)
  if (!(Number.isInteger(length) && length > 0) || Math.floor(length / 2) + 1 !== given)
    throw new Error(`irfft: got ${showType(half)} for n = ${length}, expected floor(n/2) + 1 complex numbers`)
  // The others are the conjugates of these in reverse order.
  const mirrored = reverse(sliceAxis(half, axis, 1, length - given + 1), [axis])
  const [re, im] = [0, 1].map((part) => sliceAxis(mirrored, axis + 1, part, part + 1)) as [Value, Value]
  const whole = concatenate([half, concatenate([re, mul(im, -1)], axis + 1)], axis)
  const x = sliceAxis(fftOp(whole, true), axis + 1, 0, 1)
  return toTensor(mul(reshape(x, x.shape.slice(0, -1)), 1 / length))
}
