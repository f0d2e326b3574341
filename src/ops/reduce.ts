import type { Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { div, select } from './arithmetic.js'
import { broadcastTo, keepAxes, reduceSum, reduceTensor, reshape, withoutAxes } from './broadcast.js'
import { equal, indicator } from './compare.js'
import { apply, expectDtype, numbers } from './define.js'
import { gather } from './gather.js'

interface AxesParams extends Record<string, unknown> {
  axes: readonly number[]
}

function extremeOp(
  name: string,
  onnx: string,
  initial: number,
  combine: (x: number, y: number) => number,
): Primitive<AxesParams> {
  const primitive: Primitive<AxesParams> = {
    name,
    infer([x], { axes }) {
      const { dtype, shape } = x as Type
      if (axes.some((axis) => shape[axis] === 0))
        throw new Error(`${name}: ${showType(x as Type)} has no elements along axes [${axes}]`)
      return [{ dtype, shape: withoutAxes(shape, axes) }]
    },
    evaluate: ([x], { axes }) => [reduceTensor(x as Tensor, axes, initial, combine)],
    derivative({ tangents: [t], inputs: [x], outputs: [out], params: { axes } }) {
      if (!t) return [null]
      const winners = equal(x as Value, reshape(out as Value, keepAxes((x as Value).shape, axes)))
      const count = reduceSum(indicator(winners, x as Value), axes)
      return [div(reduceSum(select(winners, t, 0), axes), count)]
    },
    batch: ({ inputs, params }) => [apply(primitive, inputs, { axes: params.axes.map((axis) => axis + 1) })],
    lower: (lowering, [x], { params }) => [
      lowering.node(onnx, [x as string, lowering.int64(params.axes)], {
        keepdims: 0,
        noop_with_empty_axes: 1,
      }),
    ],
    flops: ({ inputs: [x] }) => sizeOf((x as Type).shape),
  }
  return primitive
}

const reduceMaxOp = extremeOp('reduceMax', 'ReduceMax', Number.NEGATIVE_INFINITY, Math.max)
const reduceMinOp = extremeOp('reduceMin', 'ReduceMin', Number.POSITIVE_INFINITY, Math.min)

/** The largest element over `axes`; elements that tie share the derivative equally. */
export function reduceMax(x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : apply(reduceMaxOp, [x], { axes })
}

/** The smallest element over `axes`; elements that tie share the derivative equally. */
export function reduceMin(x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : apply(reduceMinOp, [x], { axes })
}

interface AxisParams extends Record<string, unknown> {
  axis: number
}

const argMaxOp: Primitive<AxisParams> = {
  name: 'argMax',
  infer([x], { axis }) {
    const { shape } = x as Type
    if (!shape[axis]) throw new Error(`argMax: ${showType(x as Type)} has no elements along axis ${axis}`)
    return [{ dtype: 'int32', shape: withoutAxes(shape, [axis]) }]
  },
  evaluate([x], { axis }, [output]) {
    const { data, shape } = x as Tensor
    const [n, inner] = [shape[axis] as number, sizeOf(shape.slice(axis + 1))]
    const best = new Int32Array(sizeOf((output as Type).shape))
    for (let i = 0; i < best.length; i++) {
      const start = Math.floor(i / inner) * n * inner + (i % inner)
      for (let k = 1; k < n; k++)
        if ((data[start + k * inner] as number) > (data[start + (best[i] as number) * inner] as number))
          best[i] = k
    }
    return [new Tensor(best, (output as Type).shape)]
  },
  derivative: () => [null],
  batch: ({ inputs: [x], params }) => [argMax(x as Value, params.axis + 1)],
  lower: (onnx, [x], { params }) => [
    onnx.node('Cast', [onnx.node('ArgMax', [x as string], { axis: params.axis, keepdims: 0 })], { to: 6 }),
  ],
  flops: ({ inputs: [x] }) => sizeOf((x as Type).shape),
}

/** Position of the first largest element along `axis`, int32. */
export const argMax = (x: Value, axis: number): Value => apply(argMaxOp, [x], { axis })

const cumulativeSumOp: Primitive<AxisParams & { reverse: boolean }> = {
  name: 'cumulativeSum',
  /** All along the axis, which is twice too many, at the cost of one. */
  pattern: (x, _, { params: { axis } }) =>
    broadcastTo(reshape(reduceSum(x, [axis]), keepAxes(x.shape, [axis])), x.shape),
  infer([x]) {
    expectDtype('cumulativeSum', x as Type, numbers)
    return [{ dtype: (x as Type).dtype, shape: (x as Type).shape }]
  },
  evaluate([x], { axis, reverse }) {
    const { data, dtype, shape } = x as Tensor
    const sums = allocate(dtype, data.length)
    const [n, inner] = [shape[axis] as number, sizeOf(shape.slice(axis + 1))]
    for (let i = 0; i < data.length / Math.max(1, n); i++) {
      const start = Math.floor(i / inner) * n * inner + (i % inner)
      for (let k = 0, sum = 0; k < n; k++) {
        const position = start + (reverse ? n - 1 - k : k) * inner
        sum += data[position] as number
        sums[position] = sum
      }
    }
    return [new Tensor(sums, shape)]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(cumulativeSumOp, [t], params) : null],
  transpose: ({ cotangents: [ct], params: { axis, reverse } }) => [
    ct ? cumulativeSum(ct, axis, !reverse) : null,
  ],
  batch: ({ inputs: [x], params }) => [cumulativeSum(x as Value, params.axis + 1, params.reverse)],
  lower: (onnx, [x], { params: { axis, reverse } }) => [
    onnx.node('CumSum', [x as string, onnx.int64([axis])], { reverse: reverse ? 1 : 0 }),
  ],
}

/** Sums of the elements up to and including each, along `axis`; from the end when `reverse`. */
export function cumulativeSum(x: Value, axis: number, reverse = false): Value {
  return apply(cumulativeSumOp, [x], { axis, reverse })
}

/** The order of numbers, in which NaN is above all others. */
function compare(x: number, y: number): number {
  if (x < y) return -1
  if (x > y) return 1
  return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
}

interface TopKParams extends Record<string, unknown> {
  k: number
  largest: boolean
}

const argTopKOp: Primitive<TopKParams> = {
  name: 'argTopK',
  infer([x], { k }) {
    const { shape } = x as Type
    const n = shape.at(-1) ?? 0
    if (!(k >= 0 && k <= n))
      throw new Error(`argTopK: k is ${k}, expected 0 to ${n}, the length of the last axis`)
    return [{ dtype: 'int32', shape: [...shape.slice(0, -1), k] }]
  },
  evaluate([x], { k, largest }, [output]) {
    const { data, shape } = x as Tensor
    const n = shape.at(-1) as number
    const sign = largest ? -1 : 1
    const found = new Int32Array(sizeOf((output as Type).shape))
    for (let row = 0; row * k < found.length; row++) {
      const at = (i: number) => data[row * n + i] as number
      const order = Array.from({ length: n }, (_, i) => i)
      order.sort((a, b) => sign * compare(at(a), at(b)) || a - b)
      found.set(order.slice(0, k), row * k)
    }
    return [new Tensor(found, (output as Type).shape)]
  },
  derivative: () => [null],
  batch: ({ inputs: [x], params }) => [apply(argTopKOp, [x as Value], params)],
  lower: (onnx, [x], { params: { k, largest } }) => {
    const [, indices] = onnx.nodes('TopK', [x as string, onnx.int64([k])], 2, {
      axis: -1,
      largest: largest ? 1 : 0,
    })
    return [onnx.node('Cast', [indices as string], { to: 6 })]
  },
  flops: ({ inputs: [x] }) =>
    sizeOf((x as Type).shape) * Math.log2(Math.max(2, (x as Type).shape.at(-1) ?? 2)),
}

/** Positions of the `k` largest (or smallest) elements along the last axis, in order, the earlier of equals first; int32. */
export function argTopK(x: Value, k: number, largest = true): Value {
  return apply(argTopKOp, [x], { k, largest })
}

/** The elements that {@link argTopK} found: differentiable in `x`. */
export function takeLast(x: Value, indices: Value): Value {
  return gather(x, indices, x.shape.length - 1, x.shape.length - 1)
}

export const reduceOps: readonly Primitive[] = [
  reduceMaxOp,
  reduceMinOp,
  argMaxOp,
  cumulativeSumOp,
  argTopKOp,
] as readonly Primitive[]
