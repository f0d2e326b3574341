import { mul, sub } from '../ops/arithmetic.js'
import { reshape } from '../ops/broadcast.js'
import { cumulativeSum } from '../ops/reduce.js'
import { concatenate, sliceAxis } from '../ops/slice.js'
import type { Value } from '../program/value.js'
import { normalizeAxis, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, toNumeric, toTensor } from './convert.js'

export interface ScanOptions {
  /** Default: along the raveled array. */
  readonly axis?: number | undefined
}

/** The argument and the axis to run along. */
function prepare(where: string, x: ArrayLike, { axis }: ScanOptions): [Value, number] {
  const value = toNumeric(x)
  if (axis === undefined) return [reshape(value, [sizeOf(value.shape)]), 0]
  return [value, normalizeAxis(axis, value.shape.length, where)]
}

/** Sums x_0 + ... + x_i of the elements up to each along `axis`. @throws when the axis is out of range. */
export function cumsum(x: ArrayLike, options: ScanOptions = {}): Tensor {
  return toTensor(cumulativeSum(...prepare('cumsum', x, options)))
}

/**
 * Products x_0 ... x_i of the elements up to each along `axis`, in log2 n rounds without division, so that
 * derivatives are right where elements are 0. Source: Hillis and Steele, Data parallel algorithms, 1986.
 * @throws when the axis is out of range.
 */
export function cumprod(x: ArrayLike, options: ScanOptions = {}): Tensor {
  const [first, axis] = prepare('cumprod', x, options)
  let value = first
  const n = value.shape[axis] as number
  for (let reach = 1; reach < n; reach *= 2) {
    const rest = mul(sliceAxis(value, axis, reach, n), sliceAxis(value, axis, 0, n - reach))
    value = concatenate([sliceAxis(value, axis, 0, reach), rest], axis)
  }
  return toTensor(value)
}

/** Differences x_(i+1) - x_i along `axis` (default -1). @throws when the axis is out of range. */
export function diff(x: ArrayLike, { axis = -1 }: ScanOptions = {}): Tensor {
  const [value, along] = prepare('diff', x, { axis })
  const n = value.shape[along] as number
  return toTensor(
    sub(sliceAxis(value, along, Math.min(1, n), n), sliceAxis(value, along, 0, Math.max(0, n - 1))),
  )
}
