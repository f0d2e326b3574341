import * as ops from '../ops/broadcast.js'
import { reverse } from '../ops/slice.js'
import { showType, type Value } from '../program/value.js'
import {
  broadcastShapes,
  normalizeAxis,
  range,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
} from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, type Axis, toAxes, toTensor, toValue } from './convert.js'

/**
 * The same elements in row-major order under another shape; one length may be -1 and is worked out.
 * @throws when the number of elements differs.
 */
export function reshape(x: ArrayLike, shape: number | Shape): Tensor {
  const value = toValue(x)
  const wanted = typeof shape === 'number' ? [shape] : shape
  const known = sizeOf(wanted.filter((n) => n !== -1))
  const size = sizeOf(value.shape)
  const missing = wanted.filter((n) => n === -1).length
  const fits = missing === 0 ? known === size : missing === 1 && known > 0 && size % known === 0
  if (!fits || wanted.some((n) => n !== -1 && !(n >= 0)))
    throw new Error(
      `reshape: ${showType(value)} has ${size} elements, which do not fit shape ${showShape(wanted)}`,
    )
  return toTensor(
    ops.reshape(
      value,
      wanted.map((n) => (n === -1 ? size / known : n)),
    ),
  )
}

/** All elements in row-major order along one axis. */
export function ravel(x: ArrayLike): Tensor {
  const value = toValue(x)
  return toTensor(ops.reshape(value, [sizeOf(value.shape)]))
}

/** Axis i of the result is axis `axes[i]` of x; without `axes`, all in opposite order. @throws when `axes` is no permutation. */
export function transpose(x: ArrayLike, axes?: readonly number[]): Tensor {
  const value = toValue(x)
  const rank = value.shape.length
  const order = axes ? axes.map((axis) => normalizeAxis(axis, rank, 'transpose')) : range(rank).reverse()
  if (order.length !== rank || new Set(order).size !== rank)
    throw new Error(`transpose: [${axes}] is not a permutation of the ${rank} axes of ${showType(value)}`)
  return toTensor(ops.transpose(value, order))
}

/** x with two axes exchanged. */
export function swapaxes(x: ArrayLike, first: number, second: number): Tensor {
  const value = toValue(x)
  const rank = value.shape.length
  const [a, b] = [normalizeAxis(first, rank, 'swapaxes'), normalizeAxis(second, rank, 'swapaxes')]
  const order = range(rank).map((axis) => (axis === a ? b : axis === b ? a : axis))
  return toTensor(ops.transpose(value, order))
}

/** x with axes moved from `source` to `destination`; the others keep their order. */
export function moveaxis(x: ArrayLike, source: Axis, destination: Axis): Tensor {
  const value = toValue(x)
  const rank = value.shape.length
  const normalize = (axis: Axis) => {
    toAxes('moveaxis', axis, rank)
    return (typeof axis === 'number' ? [axis] : axis).map((a) => normalizeAxis(a, rank, 'moveaxis'))
  }
  const [from, to] = [normalize(source), normalize(destination)]
  if (from.length !== to.length)
    throw new Error(`moveaxis: got ${from.length} source and ${to.length} destination axes, expected as many`)
  const rest = range(rank).filter((axis) => !from.includes(axis))
  const order = range(rank).map((axis) =>
    to.includes(axis) ? (from[to.indexOf(axis)] as number) : rest.shift(),
  )
  return toTensor(ops.transpose(value, order as number[]))
}

/** x with axes of length one inserted, at the places `axis` of the result. */
export function expandDims(x: ArrayLike, axis: Axis): Tensor {
  const value = toValue(x)
  const rank = value.shape.length + (typeof axis === 'number' ? 1 : axis.length)
  const inserted = toAxes('expandDims', axis, rank)
  const rest = [...value.shape]
  const shape = range(rank).map((i) => (inserted.includes(i) ? 1 : (rest.shift() as number)))
  return toTensor(ops.reshape(value, shape))
}

/** x without the given axes of length one (default: without all of them). @throws when one is longer. */
export function squeeze(x: ArrayLike, { axis }: { readonly axis?: Axis | undefined } = {}): Tensor {
  const value = toValue(x)
  const { shape } = value
  if (axis === undefined)
    return toTensor(
      ops.reshape(
        value,
        shape.filter((n) => n !== 1),
      ),
    )
  const axes = toAxes('squeeze', axis, shape.length)
  const long = axes.find((a) => shape[a] !== 1)
  if (long !== undefined)
    throw new Error(`squeeze: axis ${long} of ${showType(value)} has length ${shape[long]}, expected 1`)
  return toTensor(ops.reshape(value, ops.withoutAxes(shape, axes)))
}

/** x repeated along new leading axes and axes of length one. @throws when it does not broadcast to `shape`. */
export function broadcastTo(x: ArrayLike, shape: Shape): Tensor {
  const value = toValue(x)
  const fits =
    value.shape.length <= shape.length &&
    sameShape(broadcastShapes([value.shape, shape], 'broadcastTo'), shape)
  if (!fits)
    throw new Error(`broadcastTo: ${showType(value)} does not broadcast to shape ${showShape(shape)}`)
  return toTensor(ops.broadcastTo(value, shape))
}

/** Elements in opposite order along `axis` (default: all axes). */
export function flip(x: ArrayLike, { axis }: { readonly axis?: Axis | undefined } = {}): Tensor {
  const value = toValue(x)
  return toTensor(reverse(value, toAxes('flip', axis, value.shape.length)))
}

/** x put side by side `times` along each axis, the last axes where there are fewer numbers. */
export function tile(x: ArrayLike, times: number | readonly number[]): Tensor {
  const value = toValue(x)
  const counts = typeof times === 'number' ? [times] : times
  const rank = Math.max(counts.length, value.shape.length)
  const shape = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape]
  const repeats = [...new Array<number>(rank - counts.length).fill(1), ...counts]
  if (repeats.some((n) => !Number.isInteger(n) || n < 0))
    throw new Error(`tile: times is [${counts}], expected whole numbers of at least 0`)
  return toTensor(interleave(value, shape, repeats, 'before'))
}

/** Each element `times` in a row along `axis`, or of the raveled array without one. */
export function repeat(
  x: ArrayLike,
  times: number,
  { axis }: { readonly axis?: number | undefined } = {},
): Tensor {
  if (!Number.isInteger(times) || times < 0)
    throw new Error(`repeat: times is ${times}, expected a whole number of at least 0`)
  const value = axis === undefined ? toValue(ravel(x)) : toValue(x)
  const along = normalizeAxis(axis ?? 0, value.shape.length, 'repeat')
  const repeats = value.shape.map((_, i) => (i === along ? times : 1))
  return toTensor(interleave(value, value.shape, repeats, 'after'))
}

/** Every axis n becomes [times, n] or [n, times] by broadcasting, which is then merged. */
function interleave(x: Value, shape: Shape, repeats: readonly number[], place: 'before' | 'after'): Value {
  const pair = (n: number, axis: number, times: number) =>
    repeats[axis] === 1 ? [n] : place === 'before' ? [times, n] : [n, times]
  const split = ops.reshape(
    x,
    shape.flatMap((n, axis) => pair(n, axis, 1)),
  )
  const spread = ops.broadcastTo(
    split,
    shape.flatMap((n, axis) => pair(n, axis, repeats[axis] as number)),
  )
  return ops.reshape(
    spread,
    shape.map((n, axis) => n * (repeats[axis] as number)),
  )
}
