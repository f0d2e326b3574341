import { broadcastTo, reshape, transpose } from '../../../ops/broadcast.js'
import { isTraced } from '../../../ops/define.js'
import { gather } from '../../../ops/gather.js'
import { concatenate, reverse, slice } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import { allocate } from '../../../tensor/dtype.js'
import { broadcastShapes, normalizeAxis, range, sizeOf } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { expectRank, int32, knownNumber, knownNumbers, type Operations, operation } from '../operation.js'
import { movingSlice } from './movingSlice.js'

/** Axes as an input, or as an attribute in older operator sets. */
export function axesOf(x: Value, input: Value | undefined, attributes: Attributes): number[] | undefined {
  const axes = input
    ? knownNumbers(input, 'input axes')
    : attributes.has('axes')
      ? attributes.ints('axes')
      : undefined
  return axes && normalizeAxes(axes, x.shape.length)
}

export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const result = axes.map((axis) => normalizeAxis(axis, rank, 'axes'))
  if (new Set(result).size !== result.length) throw new Error(`axes [${axes}] name an axis twice`)
  return result
}

const reshapeTo = operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
  const asked = input ? knownNumbers(input, 'input shape') : attributes.ints('shape')
  const keepsZero = attributes.flag('allowzero')
  const shape = asked.map((n, axis) => (n === 0 && !keepsZero ? x.shape[axis] : n))
  const missing = () => new Error(`${showType(x)} cannot take the shape [${asked}]`)
  if (shape.includes(undefined) || shape.filter((n) => n === -1).length > 1) throw missing()
  const rest = sizeOf((shape as number[]).filter((n) => n !== -1))
  const free = rest === 0 ? 0 : x.size / rest
  const full = (shape as number[]).map((n) => (n === -1 ? free : n))
  if (full.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(full) !== x.size) throw missing()
  return reshape(x, full)
})

const squeeze = operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
  const axes = axesOf(x, input, attributes) ?? range(x.shape.length).filter((axis) => x.shape[axis] === 1)
  for (const axis of axes)
    if (x.shape[axis] !== 1) throw new Error(`axis ${axis} of ${showType(x)} has not length 1`)
  return reshape(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  )
})

const unsqueeze = operation<[Value, Value?]>(1, 2, ([x, input], attributes) => {
  const asked = input ? knownNumbers(input, 'input axes') : attributes.ints('axes')
  const axes = normalizeAxes(asked, x.shape.length + asked.length)
  const rest = [...x.shape]
  return reshape(
    x,
    range(x.shape.length + axes.length).map((axis) => (axes.includes(axis) ? 1 : (rest.shift() as number))),
  )
})

/** The indices that NumPy's start:end:step visits along an axis of length n: the first, the number and the step. */
function visited(n: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (i: number, low: number, high: number) => Math.min(Math.max(i < 0 ? i + n : i, low), high)
  const first = step > 0 ? clamp(start, 0, n) : clamp(start, 0, n - 1)
  const last = step > 0 ? clamp(end, 0, n) : clamp(end, -1, n - 1)
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) }
}

const sliceOf = operation<[Value, Value?, Value?, Value?, Value?]>(1, 5, ([x, ...inputs], attributes) => {
  const names = ['starts', 'ends', 'axes', 'steps']
  const [start, end, axis, step] = inputs
  if (start && end && axis && isTraced(start) && (!step || knownNumber(step, 'input steps') === 1))
    return movingSlice(x, start, end, knownNumber(axis, 'input axes'))
  const [starts, ends, axes, steps] = names.map((name, i) => {
    const input = inputs[i]
    if (input) return knownNumbers(input, `input ${name}`)
    return attributes.has(name) ? attributes.ints(name) : undefined
  })
  if (!starts || !ends) throw new Error('starts and ends are missing')
  const along = normalizeAxes(axes ?? range(starts.length), x.shape.length)
  for (const list of [ends, along, steps ?? starts])
    if (list.length !== starts.length)
      throw new Error(
        `starts [${starts}], ends [${ends}], axes [${along}] and steps [${steps}] differ in length`,
      )
  const from = x.shape.map(() => 0)
  const to = [...x.shape]
  const stride = x.shape.map(() => 1)
  const reversed: number[] = []
  along.forEach((axis, i) => {
    const [n, step] = [x.shape[axis] as number, steps?.[i] ?? 1]
    if (step === 0) throw new Error('steps contains 0')
    const { first, count } = visited(n, starts[i] as number, ends[i] as number, step)
    const last = first + (count - 1) * step
    if (step < 0) reversed.push(axis)
    from[axis] = count === 0 ? 0 : Math.min(first, last)
    to[axis] = count === 0 ? 0 : Math.max(first, last) + 1
    stride[axis] = Math.min(Math.abs(step), Math.max(1, n))
  })
  return reverse(slice(x, from, to, stride), reversed)
})

const split = operation<[Value, Value?]>(1, 2, ([x, input], attributes, { outputs }) => {
  const axis = normalizeAxis(attributes.int('axis', 0), x.shape.length, 'attribute axis')
  const n = x.shape[axis] as number
  const parts = attributes.int('num_outputs', outputs)
  if (parts !== outputs) throw new Error(`num_outputs is ${parts}, but the node has ${outputs} outputs`)
  const even = Math.ceil(n / parts)
  const sizes = input
    ? knownNumbers(input, 'input split')
    : attributes.ints(
        'split',
        range(parts).map((i) => Math.max(0, Math.min(even, n - i * even))),
      )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total !== n || sizes.some((size) => size < 0))
    throw new Error(`sizes [${sizes}] do not sum to ${n}, the length of axis ${axis} of ${showType(x)}`)
  let start = 0
  return sizes.map((size) => {
    const from = x.shape.map((_, i) => (i === axis ? start : 0))
    start += size
    return slice(
      x,
      from,
      x.shape.map((length, i) => (i === axis ? start : length)),
    )
  })
})

const concat = operation<Value[]>(1, Number.POSITIVE_INFINITY, (values, attributes, context) => {
  const first = values[0] as Value
  const axis = normalizeAxis(attributes.int('axis', 1), first.shape.length, 'attribute axis')
  const total = values.reduce((sum, x) => sum + (x.shape[axis] ?? 0), 0)
  context.reserve(first.shape.map((n, i) => (i === axis ? total : n)))
  return concatenate(values, axis)
})

/** Repeats by one gather per axis that is repeated. */
export function tile(x: Value, repeats: readonly number[]): Value {
  return repeats.reduce((tiled, count, axis) => {
    if (count === 1) return tiled
    const n = x.shape[axis] as number
    return gather(tiled, int32(range(n * count).map((i) => i % n)), axis)
  }, x)
}

const tileOf = operation<[Value, Value]>(2, 2, ([x, input], _, context) => {
  const repeats = knownNumbers(input, 'input repeats')
  if (repeats.length !== x.shape.length)
    throw new Error(`repeats has ${repeats.length} numbers, expected ${x.shape.length}, one for each axis`)
  context.reserve(x.shape.map((n, axis) => n * (repeats[axis] as number)))
  return tile(x, repeats)
})

const expand = operation<[Value, Value]>(2, 2, ([x, input], _, context) => {
  const asked = knownNumbers(input, 'input shape')
  if (asked.some((n) => n < 0)) throw new Error(`shape [${asked}] has a negative number`)
  const shape = broadcastShapes([x.shape, asked])
  context.reserve(shape)
  return broadcastTo(x, shape)
})

const rangeOf = operation<[Value, Value, Value]>(3, 3, (inputs, _, context) => {
  const [start, limit, delta] = inputs.map((input, i) =>
    knownNumber(input, ['start', 'limit', 'delta'][i] as string),
  ) as [number, number, number]
  if (delta === 0) throw new Error('delta is 0, so the range never ends')
  const count = Math.max(0, Math.ceil((limit - start) / delta))
  context.reserve([count])
  const data = allocate(inputs[0].dtype, count)
  for (let i = 0; i < count; i++) data[i] = start + i * delta
  return new Tensor(data)
})

const eyeLike = operation<[Value]>(1, 1, ([x], attributes, { dtype }) => {
  expectRank('the input', x, 2, 2)
  const [rows, columns] = x.shape as [number, number]
  const type = attributes.has('dtype') ? dtype(attributes.int('dtype')) : x.dtype
  const data = allocate(type, rows * columns)
  const k = attributes.int('k', 0)
  for (let i = 0; i < rows; i++) if (i + k >= 0 && i + k < columns) data[i * columns + i + k] = 1
  return new Tensor(data, x.shape)
})

/** Moves blocks of b x b pixels between the image and its channels. */
function depthToSpace(x: Value, attributes: Attributes): Value {
  expectRank('the input', x, 4, 4)
  const b = attributes.int('blocksize')
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const depth = c / (b * b)
  const columnsFirst = attributes.string('mode', 'DCR') === 'CRD'
  const split = columnsFirst ? [n, depth, b, b, h, w] : [n, b, b, depth, h, w]
  const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
  return reshape(transpose(reshape(x, split), order), [n, depth, h * b, w * b])
}

function spaceToDepth(x: Value, attributes: Attributes): Value {
  expectRank('the input', x, 4, 4)
  const b = attributes.int('blocksize')
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const split = reshape(x, [n, c, h / b, b, w / b, b])
  return reshape(transpose(split, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b])
}

export const shapeOperations: Operations = {
  Concat: concat,
  ConstantOfShape: operation<[Value]>(1, 1, ([input], attributes, context) => {
    const shape = knownNumbers(input, 'the shape')
    context.reserve(shape)
    const value = attributes.has('value') ? context.tensor(attributes.tensor('value')) : undefined
    return fullTensor(shape, (value?.data[0] as number | undefined) ?? 0, value?.dtype ?? context.dtype(1))
  }),
  DepthToSpace: operation<[Value]>(1, 1, ([x], attributes) => depthToSpace(x, attributes)),
  Expand: expand,
  EyeLike: eyeLike,
  Flatten: operation<[Value]>(1, 1, ([x], attributes) => {
    const asked = attributes.int('axis', 1)
    const axis = asked < 0 ? asked + x.shape.length : asked
    if (axis < 0 || axis > x.shape.length) throw new Error(`axis ${asked} is out of range for ${showType(x)}`)
    return reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])
  }),
  Range: rangeOf,
  Reshape: reshapeTo,
  Shape: operation<[Value]>(1, 1, ([x], attributes) => {
    const rank = x.shape.length
    const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + rank : i, 0), rank)
    return int32(x.shape.slice(clamp(attributes.int('start', 0)), clamp(attributes.int('end', rank))))
  }),
  Size: operation<[Value]>(1, 1, ([x]) => new Tensor(Int32Array.of(x.size), [])),
  Slice: sliceOf,
  SpaceToDepth: operation<[Value]>(1, 1, ([x], attributes) => spaceToDepth(x, attributes)),
  Split: split,
  Squeeze: squeeze,
  Tile: tileOf,
  Transpose: operation<[Value]>(1, 1, ([x], attributes) =>
    transpose(x, normalizeAxes(attributes.ints('perm', range(x.shape.length).reverse()), x.shape.length)),
  ),
  Unsqueeze: unsqueeze,
}
