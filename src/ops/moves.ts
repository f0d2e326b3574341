import type { Made, Rule } from '../program/passes/rewrite.js'
import type { Equation } from '../program/program.js'
import { type Type, type Value, Var } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { range, type Shape, sameShape, sizeOf } from '../tensor/shape.js'
import { mul } from './arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from './broadcast.js'
import { dot } from './dot.js'
import { concatenate, pad, slice } from './slice.js'

type Axes = readonly number[]

/** Rules for operations that move elements, and for sums and products that can do the moving themselves. */
export const moves: Readonly<Record<string, readonly Rule[]>> = {
  reshape: [reshapeTwice],
  transpose: [transposeTwice, transposeNothing],
  broadcast: [broadcastTwice, broadcastNothing],
  slice: [sliceNothing, sliceTwice, sliceOnePart],
  concatenate: [concatenateTwice],
  reduceSum: [sumNothing, sumRepeated],
  dot: [dotTransposed],
}

/** `x` as the whole result. A constant is not spread, since its copies would have to be stored. */
export function asResult(x: Value, { shape }: Type): Value | undefined {
  return x instanceof Var || sameShape(x.shape, shape) ? broadcastTo(x, shape) : undefined
}

const shapeParam = ({ params }: Equation) => params.shape as Shape

function reshapeTwice(equation: Equation, made: Made): Value | undefined {
  const x = equation.inputs[0] as Value
  const source = made(x, 'reshape')?.inputs[0] ?? x
  const shape = shapeParam(equation)
  return source !== x || sameShape(x.shape, shape) ? reshape(source, shape) : undefined
}

function transposeTwice({ inputs: [x], params }: Equation, made: Made): Value | undefined {
  const inner = made(x as Value, 'transpose')
  if (!inner) return undefined
  const first = inner.params.permutation as Axes
  return transpose(
    inner.inputs[0] as Value,
    (params.permutation as Axes).map((axis) => first[axis] as number),
  )
}

/** Moving only axes of length one leaves the elements in order. */
function transposeNothing({ inputs: [x], outputs: [result], params }: Equation): Value | undefined {
  const { shape } = x as Value
  const long = (params.permutation as Axes).filter((axis) => shape[axis] !== 1)
  return isIncreasing(long) ? reshape(x as Value, (result as Type).shape) : undefined
}

function broadcastTwice(equation: Equation, made: Made): Value | undefined {
  const inner = made(equation.inputs[0] as Value, 'broadcast')
  return inner && asResult(inner.inputs[0] as Value, equation.outputs[0] as Type)
}

function broadcastNothing(equation: Equation): Value | undefined {
  const x = equation.inputs[0] as Value
  const shape = shapeParam(equation)
  return sizeOf(x.shape) === sizeOf(shape) ? reshape(x, shape) : undefined
}

interface Part {
  start: Shape
  limit: Shape
  stride: Shape
}

const partOf = ({ params }: Equation) => params as unknown as Part

function sliceNothing(equation: Equation): Value | undefined {
  const x = equation.inputs[0] as Value
  const { start, limit, stride } = partOf(equation)
  const whole = x.shape.every((n, axis) => start[axis] === 0 && limit[axis] === n && stride[axis] === 1)
  return whole ? x : undefined
}

function sliceTwice(equation: Equation, made: Made): Value | undefined {
  const inner = made(equation.inputs[0] as Value, 'slice')
  if (!inner) return undefined
  const [first, second] = [partOf(inner), partOf(equation)]
  if ([...first.stride, ...second.stride].some((step) => step !== 1)) return undefined
  const shift = (at: Shape) => at.map((i, axis) => i + (first.start[axis] as number))
  return slice(inner.inputs[0] as Value, shift(second.start), shift(second.limit))
}

/** A slice of a concatenation that touches only one of its parts is a slice of that part. */
function sliceOnePart(equation: Equation, made: Made): Value | undefined {
  const whole = made(equation.inputs[0] as Value, 'concatenate')
  if (!whole) return undefined
  const axis = whole.params.axis as number
  const { start, limit, stride } = partOf(equation)
  let offset = 0
  for (const part of whole.inputs) {
    const end = offset + (part.shape[axis] as number)
    const shift = (at: Shape) => at.map((i, k) => (k === axis ? i - offset : i))
    // A constant part would be cut, and stored, at once.
    if (offset <= (start[axis] as number) && (limit[axis] as number) <= end)
      return part instanceof Var ? slice(part, shift(start), shift(limit), stride) : undefined
    offset = end
  }
  return undefined
}

function concatenateTwice({ inputs, params }: Equation, made: Made): Value | undefined {
  const axis = params.axis as number
  const parts = inputs.flatMap((x) => {
    const inner = made(x, 'concatenate')
    return inner?.params.axis === axis ? inner.inputs : [x]
  })
  return parts.length > inputs.length ? concatenate(parts, axis) : undefined
}

/**
 * The sum of `x` and `y`, padded so that they lie end to end along one axis, is their concatenation padded:
 * so the gradient in a vector that was sliced into parameters is put together once.
 */
export function addNeighbours(x: Value, y: Value, _: Type, made: Made): Value | undefined {
  const [left, right] = [made(x, 'pad'), made(y, 'pad')]
  const [head, tail] = [left?.inputs[0], right?.inputs[0]]
  if (!left || !right || !head || !tail || head.shape.length !== tail.shape.length) return undefined
  const [low, high] = [left.params.low as Shape, right.params.high as Shape]
  const [lowTail, highHead] = [right.params.low as Shape, left.params.high as Shape]
  if (![left, right].every(({ params }) => (params.interior as Shape).every((n) => n === 0))) return undefined
  const differing = range(low.length).filter((i) => low[i] !== lowTail[i] || high[i] !== highHead[i])
  const [axis] = differing
  if (axis === undefined || differing.length > 1) return undefined
  const adjacent =
    (low[axis] as number) + (head.shape[axis] as number) === lowTail[axis] &&
    (high[axis] as number) + (tail.shape[axis] as number) === highHead[axis]
  return adjacent ? pad(concatenate([head, tail], axis), low, high) : undefined
}

/** A sum over axes of length one. */
function sumNothing({ inputs: [x], outputs: [result], params }: Equation): Value | undefined {
  const { shape } = x as Value
  return (params.axes as Axes).every((axis) => shape[axis] === 1)
    ? reshape(x as Value, (result as Type).shape)
    : undefined
}

/** The sum of a broadcast value: n times the sum of the value, where the sum runs over n copies. */
function sumRepeated({ inputs: [x], outputs: [result], params }: Equation, made: Made): Value | undefined {
  const small = made(x as Value, 'broadcast')?.inputs[0]
  if (!small) return undefined
  const { shape } = x as Value
  const axes = params.axes as Axes
  const aligned = reshape(small, [...shape.slice(small.shape.length).fill(1), ...small.shape])
  const repeated = axes.filter((axis) => aligned.shape[axis] !== shape[axis])
  const copies = sizeOf(repeated.map((axis) => shape[axis] as number))
  // No copies at all sum to 0, whatever the value; integers wrap around, which n times the value need not.
  if (copies === 0 || (copies > 1 && !isFloat(small.dtype))) return undefined
  const sum = reduceSum(aligned, axes)
  return asResult(copies === 1 ? sum : mul(sum, copies), result as Type)
}

/** A transposed operand of a dot is read in place, if its free axes stay in order. */
function dotTransposed({ inputs, params }: Equation, made: Made): Value | undefined {
  const operands = [...inputs] as [Value, Value]
  const contract = [...(params.contract as [Axes, Axes])] as [Axes, Axes]
  const batch = [...(params.batch as [Axes, Axes])] as [Axes, Axes]
  for (const side of [0, 1] as const) {
    const inner = made(operands[side], 'transpose')
    if (!inner) continue
    const order = inner.params.permutation as Axes
    const before = (axes: Axes) => axes.map((axis) => order[axis] as number)
    const bound = [...contract[side], ...batch[side]]
    if (!isIncreasing(before(range(order.length).filter((axis) => !bound.includes(axis))))) continue
    operands[side] = inner.inputs[0] as Value
    contract[side] = before(contract[side])
    batch[side] = before(batch[side])
  }
  const changed = operands.some((x, side) => x !== inputs[side]) && operands.some((x) => x instanceof Var)
  return changed ? dot(...operands, contract, batch) : undefined
}

const isIncreasing = (axes: Axes) => axes.every((axis, i) => i === 0 || axis > (axes[i - 1] as number))
