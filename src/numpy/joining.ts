import { cast } from '../ops/arithmetic.js'
import { broadcastTo, reshape } from '../ops/broadcast.js'
import { gather } from '../ops/gather.js'
import * as ops from '../ops/slice.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis, range } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toTensor, toValue } from './convert.js'

export interface AxisOption {
  /** Negative ones count from the end. Default 0. */
  readonly axis?: number | undefined
}

function operands(where: string, xs: readonly ArrayLike[]): Value[] {
  if (xs.length === 0) throw new Error(`${where}: got no arrays, expected at least one`)
  return sameDtype(xs)
}

/** Arrays end to end along `axis`. @throws when they differ in length along another axis. */
export function concatenate(xs: readonly ArrayLike[], { axis = 0 }: AxisOption = {}): Tensor {
  const values = operands('concatenate', xs)
  return toTensor(
    ops.concatenate(values, normalizeAxis(axis, (values[0] as Value).shape.length, 'concatenate')),
  )
}

/** Arrays of one shape side by side along a new axis. @throws when shapes differ. */
export function stack(xs: readonly ArrayLike[], { axis = 0 }: AxisOption = {}): Tensor {
  const values = operands('stack', xs)
  const shape = (values[0] as Value).shape
  const other = values.find((x) => x.shape.join() !== shape.join())
  if (other)
    throw new Error(`stack: got ${showType(values[0] as Value)} and ${showType(other)}, expected one shape`)
  const along = normalizeAxis(axis, shape.length + 1, 'stack')
  const rows = values.map((x) => reshape(x, [...shape.slice(0, along), 1, ...shape.slice(along)]))
  return toTensor(ops.concatenate(rows, along))
}

/**
 * Pieces along `axis`: so many equal ones, or cut before each of the given positions.
 * @throws when the length is not a multiple of the number of pieces.
 */
export function split(
  x: ArrayLike,
  pieces: number | readonly number[],
  { axis = 0 }: AxisOption = {},
): Tensor[] {
  const value = toValue(x)
  const along = normalizeAxis(axis, value.shape.length, 'split')
  const n = value.shape[along] as number
  if (typeof pieces === 'number' && !(pieces >= 1 && n % pieces === 0))
    throw new Error(
      `split: length ${n} of axis ${axis} is not divided by ${pieces}; give the positions to cut at`,
    )
  const within = (at: number) => Math.max(0, Math.min(n, at < 0 ? at + n : at))
  const cuts =
    typeof pieces === 'number' ? range(pieces - 1).map((i) => ((i + 1) * n) / pieces) : pieces.map(within)
  return [...cuts, n].map((end, i) => {
    const start = i === 0 ? 0 : (cuts[i - 1] as number)
    return toTensor(ops.sliceAxis(value, along, start, Math.max(start, end)))
  })
}

/** The elements along `axis`, which disappears, as an array of tensors. */
export function unstack(x: ArrayLike, { axis = 0 }: AxisOption = {}): Tensor[] {
  const value = toValue(x)
  const along = normalizeAxis(axis, value.shape.length, 'unstack')
  const shape = value.shape.filter((_, i) => i !== along)
  return range(value.shape[along] as number).map((i) =>
    toTensor(reshape(ops.sliceAxis(value, along, i, i + 1), shape)),
  )
}

/** Elements moved `shift` places along `axis` (of the raveled array without one), around the end. */
export function roll(x: ArrayLike, shift: number, { axis }: AxisOption = {}): Tensor {
  const value = toValue(x)
  if (axis === undefined) {
    const flat = reshape(value, [value.shape.reduce((a, b) => a * b, 1)])
    return toTensor(reshape(toValue(roll(toTensor(flat), shift, { axis: 0 })), value.shape))
  }
  const along = normalizeAxis(axis, value.shape.length, 'roll')
  const n = value.shape[along] as number
  const cut = n === 0 ? 0 : ((-shift % n) + n) % n
  if (cut === 0) return toTensor(value)
  return toTensor(
    ops.concatenate([ops.sliceAxis(value, along, cut, n), ops.sliceAxis(value, along, 0, cut)], along),
  )
}

export type PadWidths = number | readonly [number, number] | readonly (readonly [number, number])[]

export interface PadOptions {
  /**
   * constant (default); edge: the last element again; reflect: mirrored without the last element;
   * symmetric: mirrored with it; wrap: around the end.
   */
  readonly mode?: 'constant' | 'edge' | 'reflect' | 'symmetric' | 'wrap' | undefined
  /** Of the mode constant. Default 0. */
  readonly value?: number | undefined
}

/**
 * Elements added at both ends of each axis: one number for all, [before, after] for all, or a pair for each.
 * @throws when widths are negative or not as many as axes, or nothing is there to mirror.
 */
export function pad(
  x: ArrayLike,
  widths: PadWidths,
  { mode = 'constant', value = 0 }: PadOptions = {},
): Tensor {
  const array = toValue(x)
  const pairs = padPairs(widths, array.shape.length)
  if (pairs.length !== array.shape.length || pairs.flat().some((n) => !Number.isInteger(n) || n < 0))
    throw new Error(
      `pad: widths ${JSON.stringify(widths)} do not fit ${showType(array)}; give [before, after] for each axis`,
    )
  if (mode === 'constant' && value === 0) {
    const [low, high] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])]
    return toTensor(ops.pad(array, low, high))
  }
  return toTensor(
    pairs.reduce((padded, [before, after], axis) => {
      if (before + after === 0) return padded
      if (mode === 'constant') return padConstant(padded, axis, before, after, value)
      return gather(padded, mirrored(mode, padded.shape[axis] as number, before, after), axis)
    }, array),
  )
}

function padPairs(widths: PadWidths, rank: number): readonly (readonly [number, number])[] {
  if (typeof widths === 'number') return range(rank).map(() => [widths, widths])
  return typeof widths[0] === 'number'
    ? range(rank).map(() => widths as readonly [number, number])
    : (widths as readonly (readonly [number, number])[])
}

function padConstant(x: Value, axis: number, before: number, after: number, value: number): Value {
  const block = (n: number) =>
    broadcastTo(
      cast(new Tensor(Float64Array.of(value), []), x.dtype),
      x.shape.map((length, i) => (i === axis ? n : length)),
    )
  return ops.concatenate([block(before), x, block(after)], axis)
}

/** Where each element of a padded axis of length n comes from. */
function mirrored(mode: string, n: number, before: number, after: number): Tensor {
  if (n === 0) throw new Error(`pad: mode ${mode} has nothing to repeat along an axis of length 0`)
  const source = Int32Array.from({ length: before + n + after }, (_, k) => {
    const i = k - before
    if (mode === 'edge') return Math.max(0, Math.min(n - 1, i))
    if (mode === 'wrap' || n === 1) return ((i % n) + n) % n
    const period = mode === 'reflect' ? 2 * n - 2 : 2 * n
    const within = ((i % period) + period) % period
    return within < n ? within : period - (mode === 'reflect' ? 0 : 1) - within
  })
  return new Tensor(source)
}
