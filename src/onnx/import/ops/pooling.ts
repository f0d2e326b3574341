import { continuedByZero } from '../../../numpy/safe.js'
import { add, cast, div, mul, select } from '../../../ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../../ops/broadcast.js'
import { less } from '../../../ops/compare.js'
import { scatterAdd } from '../../../ops/gather.js'
import { abs } from '../../../ops/kinks.js'
import { patches, unpatches } from '../../../ops/patches.js'
import { maxPool as maxPoolOp, windowSum } from '../../../ops/pool.js'
import { argMax, reduceMax, takeLast } from '../../../ops/reduce.js'
import { pad, slice } from '../../../ops/slice.js'
import type { Value } from '../../../program/value.js'
import { isFloat } from '../../../tensor/dtype.js'
import { range, sizeOf, stridesOf } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import { expectRank, knownNumbers, type Operations, operation } from '../operation.js'
import { power } from './elementwise.js'
import { mean } from './reduce.js'
import { type PlacedWindow, placeWindow } from './window.js'

const spatialAxes = (x: Value) => range(x.shape.length).slice(2)

/** Sums under a sliding window, each channel for itself. */
function sumPool(x: Value, { stated: _, ...place }: PlacedWindow): Value {
  return windowSum(x, place)
}

const averagePool = operation<[Value]>(1, 1, ([x], attributes, context) => {
  expectRank('the input', x, 3)
  const spatial = x.shape.slice(2)
  const place = placeWindow(spatial, attributes.ints('kernel_shape'), attributes, context)
  const stated = place.stated.flat().some((n) => n > 0)
  const counted = attributes.flag('count_include_pad') && stated
  const inside = counted ? spatial.map((n, axis) => n + sum(place.stated[axis])) : spatial
  const beyond = place.padding.map(([before, after], axis): readonly [number, number] => {
    const [low, high] = place.stated[axis] as readonly [number, number]
    return counted ? [before - low, after - high] : [before, after]
  })
  const sums = sumPool(x, place)
  if (beyond.flat().every((n) => n === 0)) return div(sums, sizeOf(place.window))
  // The number of elements under each window is known here and now.
  const count = sumPool(fullTensor([1, 1, ...inside], 1, x.dtype), { ...place, padding: beyond })
  return div(sums, count)
})

const sum = (pair: readonly [number, number] | undefined) => (pair?.[0] ?? 0) + (pair?.[1] ?? 0)

const maxPool = operation<[Value]>(1, 1, ([x], attributes, context) => {
  expectRank('the input', x, 3)
  const place = placeWindow(x.shape.slice(2), attributes.ints('kernel_shape'), attributes, context)
  const { stated: _, ...params } = place
  const floating = isFloat(x.dtype) ? x : cast(x, 'float64')
  const pooled = cast(maxPoolOp(floating, params), x.dtype)
  if (!context.wants(1)) return pooled
  return [pooled, winners(floating, place, attributes.flag('storage_order'))]
})

/** For each window, the flat position in the whole tensor of its first largest element. */
function winners(x: Value, { stated: _, ...place }: PlacedWindow, columnMajor: boolean): Value {
  const spatial = x.shape.slice(2)
  const [rows, inside] = [sizeOf(x.shape.slice(0, 2)), sizeOf(spatial)]
  const windows = patches(x, place)
  const positions = windows.shape.slice(3)
  const last = (v: Value) => transpose(v, [0, ...range(positions.length).map((i) => i + 2), 1])
  const flat = (v: Value, n: number) => last(reshape(v, [n, windows.shape[2] as number, ...positions]))
  const valid = flat(patches(fullTensor([1, ...spatial], 1, x.dtype), place), 1)
  const masked = select(less(0, valid), flat(windows, rows), Number.NEGATIVE_INFINITY)
  const strides = columnMajor ? stridesOf([...spatial].reverse()).reverse() : stridesOf(spatial)
  const rowMajor = stridesOf(spatial)
  const at = new Tensor(
    Int32Array.from(range(inside), (i) =>
      spatial.reduce(
        (to, n, axis) => to + (Math.floor(i / (rowMajor[axis] as number)) % n) * (strides[axis] as number),
        0,
      ),
    ),
    [1, ...spatial],
  )
  const elements = broadcastTo(flat(patches(at, place), 1), masked.shape)
  const best = argMax(masked, masked.shape.length - 1)
  const found = reshape(takeLast(elements, reshape(best, [...best.shape, 1])), best.shape)
  const offset = new Tensor(
    Int32Array.from(range(rows), (row) => row * inside),
    [rows, ...positions.map(() => 1)],
  )
  return reshape(add(found, offset), [...x.shape.slice(0, 2), ...positions])
}

const lpPool = operation<[Value]>(1, 1, ([x], attributes, context) => {
  const place = placeWindow(x.shape.slice(2), attributes.ints('kernel_shape'), attributes, context)
  const p = attributes.int('p', 2)
  return lpRoot(sumPool(lpPower(x, p), place), p)
})

export const lpPower = (x: Value, p: number) => (p === 1 ? abs(x) : power(p % 2 ? abs(x) : x, constant(x, p)))
/** x^(1/p), with derivative 0 at 0. */
export const lpRoot = (x: Value, p: number) =>
  p === 1 ? x : continuedByZero(x, (v) => power(v, constant(x, 1 / p)))

function constant(like: Value, value: number): Tensor {
  return fullTensor([], value, like.dtype)
}

/** Global pooling keeps the spatial axes with length one. */
const global = (f: (x: Value, axes: readonly number[]) => Value) => (x: Value) => {
  expectRank('the input', x, 2)
  const axes = spatialAxes(x)
  return reshape(f(x, axes), [...x.shape.slice(0, 2), ...axes.map(() => 1)])
}

/** Puts each element where `indices`, flat positions in the unpooled tensor, say; zeros elsewhere. */
const maxUnpool = operation<[Value, Value, Value?]>(2, 3, ([x, indices, shapeInput], attributes, context) => {
  const window = attributes.ints('kernel_shape')
  const strides = attributes.ints(
    'strides',
    window.map(() => 1),
  )
  const pads = attributes.ints('pads', [...window, ...window].fill(0))
  const rank = window.length
  const natural = x.shape.map((n, axis) => {
    if (axis < 2) return n
    const a = axis - 2
    return (
      (n - 1) * (strides[a] as number) +
      (window[a] as number) -
      (pads[a] as number) -
      (pads[a + rank] as number)
    )
  })
  context.reserve(natural)
  const flat = scatterAdd(reshape(x, [x.size]), reshape(indices, [x.size]), [sizeOf(natural)], 0)
  const unpooled = reshape(flat, natural)
  if (!shapeInput) return unpooled
  const asked = knownNumbers(shapeInput, 'input output_shape')
  context.reserve(asked)
  return pad(
    unpooled,
    asked.map(() => 0),
    asked.map((n, axis) => n - (natural[axis] as number)),
  )
})

/** x / (bias + alpha/size * sum of squares over `size` neighbouring channels)^beta. */
const localResponse = operation<[Value]>(1, 1, ([x], attributes) => {
  expectRank('the input', x, 2)
  const size = attributes.int('size')
  const channels = x.shape[1] as number
  if (!(size >= 1 && size <= 2 * channels))
    throw new Error(`size is ${size}, expected 1 to twice the ${channels} channels`)
  const before = Math.floor((size - 1) / 2)
  const at = (before: number, after: number) => x.shape.map((_, axis) => (axis === 1 ? before : after))
  const squares = pad(mul(x, x), at(before, 0), at(size - 1 - before, 0))
  const shifted = range(size).map((k) =>
    slice(
      squares,
      at(k, 0),
      squares.shape.map((n, axis) => (axis === 1 ? k + channels : n)),
    ),
  )
  const total = shifted.reduce((a, b) => add(a, b))
  const scale = add(mul(total, attributes.float('alpha', 1e-4) / size), attributes.float('bias', 1))
  return div(x, power(scale, constant(x, attributes.float('beta', 0.75))))
})

/** Adds blocks [N, C prod(block), L] to an image where they were taken from. */
const columnsToImage = operation<[Value, Value, Value]>(3, 3, ([x, image, block], attributes, context) => {
  const spatial = knownNumbers(image, 'input image_shape')
  const window = knownNumbers(block, 'input block_shape')
  const { stated: _, ...place } = placeWindow(spatial, window, attributes, context)
  const [n, rows] = x.shape as [number, number]
  const positions = spatial.map((size, axis) => {
    const reach = ((window[axis] as number) - 1) * (place.dilation[axis] as number) + 1
    return Math.floor((size + sum(place.padding[axis]) - reach) / (place.strides[axis] as number)) + 1
  })
  const columns = reshape(x, [n, rows / sizeOf(window), sizeOf(window), ...positions])
  return unpatches(columns, { ...place, spatial })
})

export const poolingOperations: Operations = {
  AveragePool: averagePool,
  Col2Im: columnsToImage,
  GlobalAveragePool: operation<[Value]>(1, 1, ([x]) => global(mean)(x)),
  GlobalLpPool: operation<[Value]>(1, 1, ([x], attributes) => {
    const p = attributes.int('p', 2)
    return lpRoot(global(reduceSum)(lpPower(x, p)), p)
  }),
  GlobalMaxPool: operation<[Value]>(1, 1, ([x]) => global(reduceMax)(x)),
  LpPool: lpPool,
  LRN: localResponse,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
}
