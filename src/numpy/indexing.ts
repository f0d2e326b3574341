import { add, mul, select } from '../ops/arithmetic.js'
import { broadcastTo, reshape } from '../ops/broadcast.js'
import { less } from '../ops/compare.js'
import { gather, moveAxis, scatterAdd as scatterAddOp } from '../ops/gather.js'
import { reverse, sliceAxis, slice as sliceOp } from '../ops/slice.js'
import { showType, type Value, Var } from '../program/value.js'
import { broadcastShapes, normalizeAxis, range, type Shape, sizeOf, stridesOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toIntegers, toTensor, toValue } from './convert.js'

/** An index, which drops the axis; null for all of it; or Python's start:stop:step, null where left out. */
export type Range =
  | number
  | null
  | readonly [start: number | null]
  | readonly [start: number | null, stop: number | null, step?: number]

interface Extent {
  start: number
  count: number
  step: number
}

/** Python's slice.indices: negative positions count from the end, all are cut to the axis. */
function extentOf(range: Exclude<Range, number>, n: number): Extent {
  const [start, stop, step = 1] = (range ?? []) as readonly [number?, (number | null)?, number?]
  if (!Number.isInteger(step) || step === 0)
    throw new Error(`slice: step is ${step}, expected a whole number other than 0`)
  const [least, most] = step > 0 ? [0, n] : [-1, n - 1]
  const within = (at: number | null | undefined, missing: number) => {
    if (at === null || at === undefined) return missing
    return Math.max(least, Math.min(most, at < 0 ? at + n : at))
  }
  const from = within(start, step > 0 ? least : most)
  const to = within(stop, step > 0 ? most : least)
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)), step }
}

/**
 * x[ranges...] as in Python: `slice(x, [1, -1], null, 0, [null, null, -1])` is x[1:-1, :, 0, ::-1]. Axes
 * without a range are kept whole.
 * @throws when an index is out of range, or there are more ranges than axes.
 */
export function slice(x: ArrayLike, ...ranges: readonly Range[]): Tensor {
  const value = toValue(x)
  if (ranges.length > value.shape.length)
    throw new Error(`slice: got ${ranges.length} ranges for ${showType(value)}`)
  const extents = value.shape.map((n, axis): Extent => {
    const given = ranges[axis] ?? null
    return typeof given === 'number'
      ? { start: position('slice', given, n), count: 1, step: 1 }
      : extentOf(given, n)
  })
  // A falling range is a rising one read backwards.
  const rising = extents.map(({ start, count, step }) =>
    step > 0 || count === 0
      ? { start, count, step: Math.abs(step) }
      : { start: start + (count - 1) * step, count, step: -step },
  )
  const starts = rising.map(({ start, count }, axis) =>
    count === 0 ? 0 : Math.min(start, value.shape[axis] as number),
  )
  const limits = rising.map(({ count, step }, axis) =>
    count === 0 ? 0 : (starts[axis] as number) + (count - 1) * step + 1,
  )
  const part = sliceOp(
    value,
    starts,
    limits,
    rising.map(({ step }) => step),
  )
  const turned = reverse(
    part,
    range(part.shape.length).filter((axis) => (extents[axis] as Extent).step < 0),
  )
  return toTensor(
    reshape(
      turned,
      turned.shape.filter((_, axis) => typeof ranges[axis] !== 'number'),
    ),
  )
}

function position(where: string, index: number, n: number): number {
  if (!Number.isInteger(index) || index < -n || index >= n)
    throw new Error(`${where}: index ${index} is out of range for an axis of length ${n}`)
  return index < 0 ? index + n : index
}

/** Indices as int32 in 0..n-1; those known now are checked, those traced are the caller's promise. */
function positions(where: string, indices: ArrayLike, n: number): Value {
  const value = toIntegers(where, indices)
  if (value instanceof Var) return select(less(value, 0), add(value, n), value)
  return new Tensor(
    (value.data as Int32Array).map((index) => position(where, index, n)),
    value.shape,
  )
}

/**
 * Elements at `indices` along `axis`, in whose place the axes of the indices come; of the raveled array
 * without an axis. Negative indices count from the end.
 * @throws when an index is out of range: at once where it is known, else where the program is run.
 */
export function take(
  x: ArrayLike,
  indices: ArrayLike,
  { axis }: { readonly axis?: number | undefined } = {},
): Tensor {
  const value = toValue(x)
  const source = axis === undefined ? reshape(value, [sizeOf(value.shape)]) : value
  const along = normalizeAxis(axis ?? 0, source.shape.length, 'take')
  return toTensor(gather(source, positions('take', indices, source.shape[along] as number), along))
}

/**
 * For every row along `axis` its own elements: result[i, j, k] = x[i, indices[i, j, k], k] for axis 1. The
 * other axes of both broadcast.
 * @throws when the ranks differ or an index is out of range.
 */
export function takeAlongAxis(x: ArrayLike, indices: ArrayLike, axis: number): Tensor {
  const value = toValue(x)
  const rank = value.shape.length
  const along = normalizeAxis(axis, rank, 'takeAlongAxis')
  const where = positions('takeAlongAxis', indices, value.shape[along] as number)
  if (where.shape.length !== rank)
    throw new Error(
      `takeAlongAxis: indices are ${showType(where)} beside ${showType(value)}, expected ${rank} axes`,
    )
  const last = rank - 1
  const [rows, picks] = [moveAxis(value, along, last), moveAxis(where, along, last)]
  const lead = broadcastShapes([rows.shape.slice(0, last), picks.shape.slice(0, last)], 'takeAlongAxis')
  const picked = gather(
    broadcastTo(rows, [...lead, rows.shape[last] as number]),
    broadcastTo(picks, [...lead, picks.shape[last] as number]),
    last,
    last,
  )
  return toTensor(moveAxis(picked, last, along))
}

/**
 * Elements or slices at points: the last axis of `indices` [..., k] holds positions along the first k axes
 * of x; the result has shape indices[...] + x[k...].
 * @throws when k is more than the axes of x, or an index is out of range.
 */
export function gatherNd(x: ArrayLike, indices: ArrayLike): Tensor {
  const value = toValue(x)
  const points = toIntegers('gatherNd', indices)
  const k = points.shape.at(-1)
  if (k === undefined || k > value.shape.length)
    throw new Error(
      `gatherNd: indices are ${showType(points)}, expected a last axis of at most ${value.shape.length}`,
    )
  const lead = value.shape.slice(0, k)
  const last = points.shape.length - 1
  let flat: Value = new Tensor(new Int32Array(1), [])
  stridesOf(lead).forEach((stride, axis) => {
    const column = reshape(sliceAxis(points, last, axis, axis + 1), points.shape.slice(0, -1))
    const along = positions('gatherNd', toTensor(column), lead[axis] as number)
    flat = add(flat, mul(along, stride))
  })
  const whole = broadcastTo(flat, points.shape.slice(0, -1))
  return toTensor(gather(reshape(value, [sizeOf(lead), ...value.shape.slice(k)]), whole, 0))
}

/**
 * x with `updates` added at `indices` along `axis`; indices that occur twice add twice. A plain array of
 * lengths in place of x stands for zeros of that shape. Updates broadcast to x[..axis] + indices.shape +
 * x[axis+1..].
 * @throws when shapes do not fit or an index is out of range.
 */
export function scatterAdd(x: ArrayLike | Shape, indices: ArrayLike, updates: ArrayLike, axis = 0): Tensor {
  const given = Array.isArray(x) ? null : (x as ArrayLike)
  const [values, base] = sameDtype(given === null ? [updates] : [updates, given], 'int32') as [Value, Value?]
  const shape = base ? base.shape : (x as Shape)
  const along = normalizeAxis(axis, shape.length, 'scatterAdd')
  const where = positions('scatterAdd', indices, shape[along] as number)
  const expected = [...shape.slice(0, along), ...where.shape, ...shape.slice(along + 1)]
  const sums = scatterAddOp(broadcastTo(values, expected), where, shape, along)
  return toTensor(base ? add(base, sums) : sums)
}
