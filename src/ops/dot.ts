import { addProduct, blockOf } from '../dense/block.js'
import { type Primitive, Unknown } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { range, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { add, mul } from './arithmetic.js'
import { broadcastTo, inversePermutation, reduceSum, reshape, transpose } from './broadcast.js'
import { apply, expectDtype, numbers } from './define.js'
import { type DotParams, lowerDot } from './dotLowering.js'
import { moveAxis } from './gather.js'
import { bilinear } from './taylor.js'

type Axes = readonly number[]

/** Axes of one operand that appear in the result once. */
function freeAxes(type: Type, contract: Axes, batch: Axes): number[] {
  return range(type.shape.length).filter((axis) => !contract.includes(axis) && !batch.includes(axis))
}

const sizes = (type: Type, axes: Axes) => axes.map((axis) => type.shape[axis] as number)

/** A product of matrices: [batch, m, k] by [batch, k, n], with the permutations that lead there. */
export function dotMatrices([x, y]: readonly Type[], { contract, batch }: DotParams) {
  const [left, right] = [x as Type, y as Type]
  const leftFree = freeAxes(left, contract[0], batch[0])
  const rightFree = freeAxes(right, contract[1], batch[1])
  return {
    leftOrder: [...batch[0], ...leftFree, ...contract[0]],
    rightOrder: [...batch[1], ...contract[1], ...rightFree],
    batch: sizeOf(sizes(left, batch[0])),
    m: sizeOf(sizes(left, leftFree)),
    k: sizeOf(sizes(left, contract[0])),
    n: sizeOf(sizes(right, rightFree)),
    shape: [...sizes(left, batch[0]), ...sizes(left, leftFree), ...sizes(right, rightFree)],
  }
}

const inFloat64 = (x: ArrayLike<number>) => (x instanceof Float64Array ? x : Float64Array.from(x))

const dotOp: Primitive<DotParams> = {
  name: 'dot',
  pattern: dotPattern,
  infer([x, y], params) {
    const { contract, batch } = params
    const [left, right] = [x as Type, y as Type]
    expectDtype('dot', left, numbers)
    const paired = (axes: readonly [Axes, Axes]) =>
      axes[0].length === axes[1].length &&
      axes[0].every((a, i) => left.shape[a] === right.shape[axes[1][i] as number])
    if (left.dtype !== right.dtype || !paired(contract) || !paired(batch))
      throw new Error(
        `dot: ${showType(left)} and ${showType(right)} do not contract along axes [${contract[0]}] and [${contract[1]}]` +
          (batch[0].length ? ` with batch axes [${batch[0]}] and [${batch[1]}]` : ''),
      )
    return [{ dtype: left.dtype, shape: dotMatrices([left, right], params).shape }]
  },
  evaluate(inputs, params, [output]) {
    const { leftOrder, rightOrder, batch, m, k, n, shape } = dotMatrices(inputs, params)
    const [x, y] = inputs as readonly [Tensor, Tensor]
    const left = inFloat64((transpose(x, leftOrder) as Tensor).data)
    const right = inFloat64((transpose(y, rightOrder) as Tensor).data)
    const sums = new Float64Array(batch * m * n)
    for (let i = 0; i < batch; i++)
      addProduct(
        blockOf(sums, m, n, { at: i * m * n }),
        blockOf(left, m, k, { at: i * m * k }),
        blockOf(right, k, n, { at: i * k * n }),
      )
    const { dtype } = output as Type
    if (dtype === 'float64') return [new Tensor(sums, shape)]
    const data = allocate(dtype, sums.length)
    data.set(sums)
    return [new Tensor(data, shape)]
  },
  derivative({ tangents: [tx, ty], inputs: [x, y], params }) {
    const left = tx ? apply(dotOp, [tx, y as Value], params) : null
    const right = ty ? apply(dotOp, [x as Value, ty], params) : null
    return [left && right ? add(left, right) : (left ?? right)]
  },
  taylor: bilinear((x, y, params) => apply(dotOp, [x, y], params), add),
  transpose({ cotangents: [ct], inputs, params }) {
    if (!ct) return [null, null]
    return inputs.map((input, side) =>
      input instanceof Unknown ? dotTranspose(ct, inputs, params, side) : null,
    )
  },
  batch({ inputs, batched, params: { contract, batch } }) {
    const [x, y] = inputs as [Value, Value]
    const shift = (axes: Axes, by: boolean | undefined) => (by ? axes.map((axis) => axis + 1) : axes)
    const contracted = [shift(contract[0], batched[0]), shift(contract[1], batched[1])] as const
    const shared = [shift(batch[0], batched[0]), shift(batch[1], batched[1])] as const
    if (batched[0] && batched[1])
      return [
        dot(x, y, contracted, [
          [0, ...shared[0]],
          [0, ...shared[1]],
        ]),
      ]
    const out = dot(x, y, contracted, shared)
    const leftFree = x.shape.length - contracted[0].length - shared[0].length
    return [moveAxis(out, shared[0].length + (batched[0] ? 0 : leftFree), 0)]
  },
  lower: (onnx, inputs, call) => [lowerDot(onnx, inputs, call)],
  flops({ inputs, params }) {
    const { batch, m, k, n } = dotMatrices(inputs, params)
    return 2 * batch * m * k * n
  },
}

/** Constants with zeros are worth looking into up to this many products. */
const mostProducts = 1e7

/** One side of a dot summed over what is contracted, each product by itself where the other side is sparse. */
function dotPattern(
  x: Value,
  side: number,
  { inputs, params }: { inputs: readonly Value[]; params: DotParams },
) {
  const { leftOrder, rightOrder, batch, m, k, n, shape } = dotMatrices(inputs, params)
  const asColumn = (y: Value) => reshape(transpose(y, leftOrder), [batch, m, k, 1])
  const asRow = (y: Value) => reshape(transpose(y, rightOrder), [batch, 1, k, n])
  const own = side === 0 ? asColumn(x) : asRow(x)
  const other = inputs[1 - side] as Value
  const isSparse = other instanceof Tensor && other.data.includes(0) && batch * m * k * n <= mostProducts
  const product = isSparse ? mul(own, side === 0 ? asRow(other) : asColumn(other)) : own
  const sums = reduceSum(product, [2])
  return reshape(broadcastTo(sums, [batch, m, n]), shape)
}

/** The cotangent of one side of a dot: the other side contracted with `ct` over its free axes. */
function dotTranspose(
  ct: Value,
  inputs: readonly (Value | Unknown)[],
  { contract, batch }: DotParams,
  side: number,
): Value {
  const other = inputs[1 - side] as Value
  const [ownContract, otherContract] = [contract[side] as Axes, contract[1 - side] as Axes]
  const [ownBatch, otherBatch] = [batch[side] as Axes, batch[1 - side] as Axes]
  const own = inputs[side] as Type
  const ownFree = freeAxes(own, ownContract, ownBatch)
  const otherFree = freeAxes(other, otherContract, otherBatch)
  const leading = ownBatch.length
  const ctOther = range(otherFree.length).map((i) => leading + i + (side === 0 ? ownFree.length : 0))
  const out = dot(ct, other, [ctOther, otherFree], [range(leading), otherBatch])
  const remaining = [...otherContract].sort((a, b) => a - b)
  const labels = [
    ...ownBatch,
    ...ownFree,
    ...remaining.map((axis) => ownContract[otherContract.indexOf(axis)] as number),
  ]
  return transpose(out, inversePermutation(labels))
}

/**
 * The general product: sums over paired `contract` axes, runs paired `batch` axes together.
 * The result has the batch axes, then the free axes of `x`, then those of `y`.
 */
export function dot(
  x: Value,
  y: Value,
  contract: readonly [Axes, Axes],
  batch: readonly [Axes, Axes] = [[], []],
): Value {
  return apply(dotOp, [x, y], { contract, batch })
}

export const dotOps: readonly Primitive[] = [dotOp as Primitive]
