import { add, cast, mul, select, sub } from '../../../ops/arithmetic.js'
import { broadcastTo, reshape } from '../../../ops/broadcast.js'
import { equal, less, lessEqual } from '../../../ops/compare.js'
import { gather, scatterAdd } from '../../../ops/gather.js'
import { maximum, minimum } from '../../../ops/kinks.js'
import { pad, slice } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import { normalizeAxis, range, type Shape, sizeOf, stridesOf } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import {
  expectRank,
  int32,
  known,
  knownNumber,
  knownNumbers,
  type Operations,
  operation,
} from '../operation.js'
import { normalizeAxes } from './shape.js'

/** Indices counted from the end made to count from the start. */
function fromStart(indices: Value, n: number): Value {
  const whole = cast(indices, 'int32')
  if (whole instanceof Tensor && whole.data.every((i) => i >= 0)) return whole
  return select(less(whole, 0), add(whole, n), whole)
}

const iota = (n: number, axis: number, rank: number): Tensor =>
  new Tensor(
    Int32Array.from(range(n)),
    range(rank).map((i) => (i === axis ? n : 1)),
  )

/** Flat positions in an array of `shape` of an index for each axis; the indices broadcast to one shape. */
function flatPositions(indices: readonly Value[], shape: Shape): Value {
  const strides = stridesOf(shape)
  return indices.map((index, axis) => mul(index, strides[axis] as number)).reduce((a, b) => add(a, b))
}

/** Positions of elements (.., indices[..], ..) where `indices`, along `axis`, replaces one of their own coordinates. */
function elementPositions(indices: Value, axis: number, shape: Shape): Value {
  if (indices.shape.length !== shape.length)
    throw new Error(
      `indices are ${showType(indices)}, expected ${shape.length} dimensions, as many as the data`,
    )
  const own = indices.shape.map((n, i) =>
    i === axis ? fromStart(indices, shape[axis] as number) : iota(n, i, shape.length),
  )
  return broadcastTo(flatPositions(own, shape), indices.shape)
}

/** Elements at flat positions. */
function take(x: Value, positions: Value): Value {
  return reshape(gather(reshape(x, [x.size]), reshape(positions, [positions.size]), 0), positions.shape)
}

const gatherElements = operation<[Value, Value]>(2, 2, ([x, indices], attributes) => {
  const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
  return take(x, elementPositions(indices, axis, x.shape))
})

/** Flat positions of the blocks that index tuples, in the last axis of `indices`, point at. */
function blockPositions(indices: Value, shape: Shape): { positions: Value; block: number[] } {
  const depth = indices.shape.at(-1) as number
  if (depth > shape.length)
    throw new Error(`index tuples of ${depth}, but the data has ${shape.length} dimensions`)
  const lead = indices.shape.slice(0, -1)
  const parts = range(depth).map((axis) => {
    const start = indices.shape.map((_, i) => (i < lead.length ? 0 : axis))
    const part = slice(indices, start, [...lead, axis + 1])
    return fromStart(reshape(part, lead), shape[axis] as number)
  })
  const none = fullTensor(lead, 0, 'int32')
  return {
    positions: parts.length ? flatPositions(parts, shape.slice(0, depth)) : none,
    block: shape.slice(depth),
  }
}

const gatherND = operation<[Value, Value]>(2, 2, ([x, indices], attributes, context) => {
  const batchDims = attributes.int('batch_dims', 0)
  expectRank('input indices', indices, batchDims + 1)
  const batch = x.shape.slice(0, batchDims)
  const rows = sizeOf(batch)
  const flat = reshape(indices, [rows, ...indices.shape.slice(batchDims)])
  const { positions, block } = blockPositions(flat, x.shape.slice(batchDims))
  const data = reshape(x, [rows, x.size / Math.max(1, rows * sizeOf(block)), sizeOf(block)])
  context.reserve([...indices.shape.slice(0, -1), ...block])
  const found = gather(data, positions, 1, 1)
  return reshape(found, [...indices.shape.slice(0, -1), ...block])
})

/**
 * The data with updates at flat positions of blocks: put there (the last wins), added, multiplied, or compared.
 */
function scatter(data: Value, positions: Value, updates: Value, block: number, reduction: string): Value {
  const rows = data.size / Math.max(1, block)
  const flat = reshape(data, [rows, block])
  const at = reshape(positions, [positions.size])
  const values = reshape(updates, [positions.size, block])
  if (reduction === 'add') return reshape(add(flat, scatterAdd(values, at, flat.shape, 0)), data.shape)
  if (reduction === 'none' && !(at instanceof Tensor)) {
    // Without knowing them we take the indices to be distinct, as the standard demands.
    const ones = fullTensor([positions.size, 1], 1, 'int32')
    const hit = less(0, scatterAdd(ones, at, [rows, 1], 0))
    const placed = scatterAdd(numeric(values), at, flat.shape, 0)
    return reshape(select(hit, placed, numeric(flat)), data.shape)
  }
  return reshape(
    scatterInTurns(flat, known(at, `indices of a scatter with reduction ${reduction}`), values, reduction),
    data.shape,
  )
}

/** Booleans cannot be added. */
const numeric = (x: Value) => (x.dtype === 'bool' ? cast(x, 'int32') : x)

const combine: Readonly<Record<string, (old: Value, update: Value) => Value>> = {
  none: (_, update) => update,
  mul,
  max: maximum,
  min: minimum,
}

/** Known indices are applied in turns in which each appears once, so that those that repeat act one after the other. */
function scatterInTurns(flat: Value, at: Tensor, values: Value, reduction: string): Value {
  const f = combine[reduction]
  if (!f) throw new Error(`unknown reduction "${reduction}"`)
  const rows = flat.shape[0] as number
  const seen = new Map<number, number>()
  const turns: Int32Array[] = []
  const last = reduction === 'none' ? new Map(Array.from(at.data, (row, i) => [row, i])) : undefined
  at.data.forEach((row, i) => {
    if (row < 0 || row >= rows) throw new Error(`index ${row} is outside 0..${rows - 1}`)
    if (last && last.get(row) !== i) return
    const turn = seen.get(row) ?? 0
    seen.set(row, turn + 1)
    turns[turn] ??= new Int32Array(rows).fill(-1)
    turns[turn][row] = i
  })
  return turns.reduce((result, source) => {
    const update = gather(values, new Tensor(source.map((i) => Math.max(i, 0))), 0)
    const hit = new Tensor(
      Uint8Array.from(source, (i) => (i < 0 ? 0 : 1)),
      [rows, 1],
    )
    return select(hit, f(result, update), result)
  }, flat)
}

const scatterElements = operation<[Value, Value, Value]>(3, 3, ([x, indices, updates], attributes) => {
  const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
  const positions = elementPositions(indices, axis, x.shape)
  return scatter(x, positions, updates, 1, attributes.string('reduction', 'none'))
})

const scatterND = operation<[Value, Value, Value]>(3, 3, ([x, indices, updates], attributes) => {
  expectRank('input indices', indices, 1)
  const { positions, block } = blockPositions(indices, x.shape)
  return scatter(x, positions, updates, sizeOf(block), attributes.string('reduction', 'none'))
})

/** Updates written into a cache from an index on, per batch; `circular` wraps around. */
const tensorScatter = operation<[Value, Value, Value?]>(2, 3, ([past, update, writes], attributes) => {
  const axis = normalizeAxis(attributes.int('axis', -2), past.shape.length, 'attribute axis')
  const starts = writes
    ? knownNumbers(writes, 'input write_indices')
    : new Array<number>(past.shape[0] as number).fill(0)
  const [n, m] = [past.shape[axis] as number, update.shape[axis] as number]
  const circular = attributes.string('mode', 'linear') === 'circular'
  const rank = past.shape.length
  const along = starts.flatMap((start) => range(m).map((i) => (circular ? (start + i) % n : start + i)))
  if (along.some((i) => i < 0 || i >= n))
    throw new Error(`write_indices [${starts}] reach beyond axis ${axis} of length ${n}`)
  const shape = range(rank).map((i) => (i === 0 ? starts.length : i === axis ? m : 1))
  const indices = broadcastTo(new Tensor(Int32Array.from(along), shape), update.shape)
  return scatter(past, elementPositions(indices, axis, past.shape), update, 1, 'none')
})

const oneHot = operation<[Value, Value, Value]>(
  3,
  3,
  ([indices, depthInput, values], attributes, context) => {
    const depth = knownNumber(depthInput, 'input depth')
    const rank = indices.shape.length + 1
    const axis = normalizeAxis(attributes.int('axis', -1), rank, 'attribute axis')
    const shape = [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)]
    context.reserve(shape.map((n, i) => (i === axis ? depth : n)))
    const hot = equal(reshape(fromStart(indices, depth), shape), iota(depth, axis, rank))
    const at = (i: number) => reshape(slice(values, [i], [i + 1]), [])
    return select(hot, at(1), at(0))
  },
)

const trilu = operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
  expectRank('the input', x, 2)
  const k = input ? knownNumber(input, 'input k') : 0
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  const [i, j] = [iota(rows, 0, 2), iota(columns, 1, 2)]
  const diagonal = add(i, k)
  const keep = attributes.flag('upper', true) ? lessEqual(diagonal, j) : lessEqual(j, diagonal)
  return select(keep, x, fullTensor([], 0, x.dtype))
})

/** Which input element each element along a padded axis is. */
function paddedIndices(n: number, before: number, after: number, mode: string): number[] {
  if (n === 0) throw new Error(`an axis without elements cannot be padded by mode ${mode}`)
  const wrap = (i: number, period: number) => ((i % period) + period) % period
  return range(n + before + after).map((to) => {
    const i = to - before
    if (mode === 'edge') return Math.min(Math.max(i, 0), n - 1)
    if (mode === 'wrap') return wrap(i, n)
    const folded = wrap(i, Math.max(1, 2 * (n - 1)))
    return folded < n ? folded : 2 * (n - 1) - folded
  })
}

const padding = operation<[Value, Value?, Value?, Value?]>(
  1,
  4,
  ([x, padsInput, fill, axesInput], attributes, context) => {
    const rank = x.shape.length
    const pads = padsInput ? knownNumbers(padsInput, 'input pads') : attributes.ints('pads')
    const axes = axesInput ? normalizeAxes(knownNumbers(axesInput, 'input axes'), rank) : range(rank)
    if (pads.length !== 2 * axes.length)
      throw new Error(
        `pads has ${pads.length} numbers, expected ${2 * axes.length}, two for each of the ${axes.length} axes`,
      )
    const low = range(rank).map((axis) => pads[axes.indexOf(axis)] ?? 0)
    const high = range(rank).map((axis) =>
      axes.includes(axis) ? (pads[axes.indexOf(axis) + axes.length] as number) : 0,
    )
    context.reserve(x.shape.map((n, axis) => n + (low[axis] as number) + (high[axis] as number)))
    const mode = attributes.string('mode', 'constant')
    if (mode !== 'constant') {
      if (!['reflect', 'edge', 'wrap'].includes(mode)) throw new Error(`unknown mode "${mode}"`)
      return range(rank).reduce((padded, axis) => {
        const [before, after] = [low[axis] as number, high[axis] as number]
        if (before === 0 && after === 0) return padded
        return gather(padded, int32(paddedIndices(x.shape[axis] as number, before, after, mode)), axis)
      }, x)
    }
    return padConstant(x, low, high, fill ?? attributes.float('value', 0))
  },
)

/** Negative numbers cut elements off. */
export function padConstant(
  x: Value,
  low: readonly number[],
  high: readonly number[],
  fill: Value | number,
): Value {
  const kept = slice(
    x,
    low.map((n) => Math.max(0, -n)),
    x.shape.map((n, axis) => n + Math.min(0, high[axis] as number)),
  )
  const positive = (list: readonly number[]) => list.map((n) => Math.max(0, n))
  const spread = (v: Value) => pad(v, positive(low), positive(high))
  const padded = kept.dtype === 'bool' ? cast(spread(cast(kept, 'int32')), 'bool') : spread(kept)
  const value = typeof fill === 'number' ? fullTensor([], fill, x.dtype) : reshape(fill, [])
  if (value instanceof Tensor && value.data[0] === 0) return padded
  const inside = spread(fullTensor(kept.shape, 1, 'int32'))
  return select(equal(inside, 1), padded, value)
}

/** Centred windows of the given lengths, padded with zeros where the input is shorter. */
const centerCropPad = operation<[Value, Value]>(2, 2, ([x, input], attributes, context) => {
  const axes = normalizeAxes(attributes.ints('axes', range(x.shape.length)), x.shape.length)
  const asked = knownNumbers(input, 'input shape')
  const extra = range(x.shape.length).map((axis) => {
    const i = axes.indexOf(axis)
    return i < 0 ? 0 : (asked[i] as number) - (x.shape[axis] as number)
  })
  context.reserve(x.shape.map((n, axis) => n + (extra[axis] as number)))
  const low = extra.map((n) => (n < 0 ? -Math.floor(-n / 2) : Math.floor(n / 2)))
  return padConstant(
    x,
    low,
    extra.map((n, axis) => n - (low[axis] as number)),
    0,
  )
})

/** The first `lengths[b]` elements of each sequence in opposite order. */
const reverseSequence = operation<[Value, Value]>(2, 2, ([x, lengths], attributes) => {
  const time = attributes.int('time_axis', 0)
  const batch = attributes.int('batch_axis', 1)
  expectRank('the input', x, 2)
  const length = reshape(
    cast(lengths, 'int32'),
    x.shape.map((_, axis) => (axis === batch ? lengths.size : 1)),
  )
  const t = iota(x.shape[time] as number, time, x.shape.length)
  const reversed = select(less(t, length), sub(sub(length, 1), t), t)
  return take(x, elementPositions(broadcastTo(reversed, x.shape), time, x.shape))
})

const compress = operation<[Value, Value]>(2, 2, ([x, condition], attributes) => {
  const flags = knownNumbers(condition, 'input condition')
  const source = attributes.has('axis') ? x : reshape(x, [x.size])
  const axis = normalizeAxis(attributes.int('axis', 0), source.shape.length, 'attribute axis')
  return gather(source, int32(flags.flatMap((flag, i) => (flag ? [i] : []))), axis)
})

function nonZero(x: Tensor): Tensor {
  const found = range(x.size).filter((i) => x.data[i] !== 0)
  const strides = stridesOf(x.shape)
  const rows = x.shape.map((n, axis) => found.map((i) => Math.floor(i / (strides[axis] as number)) % n))
  return new Tensor(Int32Array.from(rows.flat()), [x.shape.length, found.length])
}

function gatherAlong(x: Value, indices: Value, attributes: Attributes): Value {
  const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
  return gather(x, fromStart(indices, x.shape[axis] as number), axis)
}

export const indexingOperations: Operations = {
  CenterCropPad: centerCropPad,
  Compress: compress,
  Gather: operation<[Value, Value]>(2, 2, ([x, indices], attributes, context) => {
    const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
    context.reserve([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)])
    return gatherAlong(x, indices, attributes)
  }),
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonZero: operation<[Value]>(1, 1, ([x]) => nonZero(known(x, 'the input'))),
  OneHot: oneHot,
  Pad: padding,
  ReverseSequence: reverseSequence,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TensorScatter: tensorScatter,
  Trilu: trilu,
}
