import type { Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { range, type Shape, sizeOf, stridesOf } from '../tensor/shape.js'
import { fullTensor, Tensor } from '../tensor/tensor.js'
import { broadcastTo, gatherStrided } from './broadcast.js'
import { apply } from './define.js'

interface SliceParams extends Record<string, unknown> {
  start: readonly number[]
  limit: readonly number[]
  stride: readonly number[]
}

const sliceOp: Primitive<SliceParams> = {
  name: 'slice',
  pattern: 'moves',
  infer([x], { start, limit, stride }) {
    const { dtype, shape } = x as Type
    const fits = shape.every((n, axis) => {
      const [from, to, step] = [start[axis], limit[axis], stride[axis]] as [number, number, number]
      return 0 <= from && from <= to && to <= n && step >= 1
    })
    if (!fits || start.length !== shape.length)
      throw new Error(`slice: [${start}] to [${limit}] by [${stride}] is outside ${showType(x as Type)}`)
    const extent = (_: number, axis: number) =>
      Math.ceil(((limit[axis] as number) - (start[axis] as number)) / (stride[axis] as number))
    return [{ dtype, shape: shape.map(extent) }]
  },
  evaluate([x], { start, stride }, [output]) {
    const strides = stridesOf((x as Tensor).shape)
    const offset = strides.reduce((sum, s, axis) => sum + s * (start[axis] as number), 0)
    const steps = strides.map((s, axis) => s * (stride[axis] as number))
    return [gatherStrided(x as Tensor, (output as Type).shape, steps, offset)]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(sliceOp, [t], params) : null],
  transpose({ cotangents: [ct], inputs: [x], params: { start, stride } }) {
    if (!ct) return [null]
    const { shape } = x as Type
    const high = shape.map((n, axis) => {
      const count = ct.shape[axis] as number
      return n - (start[axis] as number) - (count ? (count - 1) * (stride[axis] as number) + 1 : 0)
    })
    return [
      pad(
        ct,
        start,
        high,
        stride.map((s) => s - 1),
      ),
    ]
  },
  batch: ({ inputs: [x], size, params: { start, limit, stride } }) => [
    slice(x as Value, [0, ...start], [size, ...limit], [1, ...stride]),
  ],
  lower(onnx, [x], { params: { start, limit, stride } }) {
    if (start.length === 0) return [x as string]
    const axes = onnx.int64(range(start.length))
    return [onnx.node('Slice', [x as string, onnx.int64(start), onnx.int64(limit), axes, onnx.int64(stride)])]
  },
  flops: () => 0,
  view: (index, { params: { start, stride } }) =>
    index.map((i, axis) =>
      stride[axis] === 1 ? `${i} + ${start[axis]}` : `(${i}) * ${stride[axis]} + ${start[axis]}`,
    ),
}

/** Elements start, start + stride, ... below limit, on every axis. */
export function slice(x: Value, start: Shape, limit: Shape, stride: Shape = start.map(() => 1)): Value {
  const whole = x.shape.every((n, axis) => start[axis] === 0 && limit[axis] === n && stride[axis] === 1)
  return whole ? x : apply(sliceOp, [x], { start, limit, stride })
}

/** Elements `from` to `to` (exclusive) along one axis. */
export function sliceAxis(x: Value, axis: number, from: number, to: number): Value {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((n, i) => (i === axis ? to : n)),
  )
}

interface PadParams extends Record<string, unknown> {
  low: readonly number[]
  high: readonly number[]
  interior: readonly number[]
}

const padOp: Primitive<PadParams> = {
  name: 'pad',
  pattern: 'moves',
  infer([x], { low, high, interior }) {
    const { dtype, shape } = x as Type
    if (low.length !== shape.length || [...low, ...high, ...interior].some((n) => !(n >= 0)))
      throw new Error(
        `pad: low [${low}], high [${high}], interior [${interior}] do not fit ${showType(x as Type)}`,
      )
    const extent = (n: number, axis: number) =>
      (low[axis] as number) + (high[axis] as number) + n + Math.max(0, n - 1) * (interior[axis] as number)
    return [{ dtype, shape: shape.map(extent) }]
  },
  evaluate([x], { low, interior }, [output]) {
    const { dtype, shape } = output as Type
    const data = allocate(dtype, sizeOf(shape))
    const from = x as Tensor
    const strides = stridesOf(shape)
    const inputStrides = stridesOf(from.shape)
    for (let i = 0; i < from.size; i++) {
      let position = 0
      for (let axis = 0, rest = i; axis < shape.length; axis++) {
        const along = Math.floor(rest / (inputStrides[axis] as number))
        rest -= along * (inputStrides[axis] as number)
        position +=
          ((low[axis] as number) + along * ((interior[axis] as number) + 1)) * (strides[axis] as number)
      }
      data[position] = from.data[i] as number
    }
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(padOp, [t], params) : null],
  transpose({ cotangents: [ct], inputs: [x], params: { low, interior } }) {
    if (!ct) return [null]
    const { shape } = x as Type
    const stride = interior.map((n) => n + 1)
    const limit = shape.map(
      (n, axis) => (low[axis] as number) + Math.max(0, (n - 1) * (stride[axis] as number) + 1),
    )
    const start = shape.map((n, axis) => (n === 0 ? (limit[axis] as number) : (low[axis] as number)))
    return [slice(ct, start, limit, stride)]
  },
  batch: ({ inputs: [x], params: { low, high, interior } }) => [
    pad(x as Value, [0, ...low], [0, ...high], [0, ...interior]),
  ],
  lower(onnx, [x], { inputs: [type], outputs: [output], params: { low, high, interior } }) {
    let padded = x as string
    if (interior.some((n) => n > 0)) {
      const { shape } = type as Type
      const split = shape.flatMap((n) => [n, 1])
      const gaps = interior.flatMap((n) => [0, n])
      const none = gaps.map(() => 0)
      padded = onnx.node('Reshape', [padded, onnx.int64(split)], { allowzero: 1 })
      padded = onnx.node('Pad', [padded, onnx.int64([...none, ...gaps])])
      const merged = shape.map((n, axis) => n * ((interior[axis] as number) + 1))
      padded = onnx.node('Reshape', [padded, onnx.int64(merged)], { allowzero: 1 })
      const limit = merged.map((n, axis) => Math.max(0, n - (interior[axis] as number)))
      const axes = onnx.int64(range(shape.length))
      padded = onnx.node('Slice', [padded, onnx.int64(shape.map(() => 0)), onnx.int64(limit), axes])
    }
    if ((output as Type).shape.length === 0 || [...low, ...high].every((n) => n === 0)) return [padded]
    return [onnx.node('Pad', [padded, onnx.int64([...low, ...high])])]
  },
  flops: () => 0,
}

/** Zeros around and, `interior` of them, between the elements of every axis. */
export function pad(x: Value, low: Shape, high: Shape, interior: Shape = low.map(() => 0)): Value {
  return [...low, ...high, ...interior].every((n) => n === 0) ? x : apply(padOp, [x], { low, high, interior })
}

const concatenateOp: Primitive<{ axis: number }> = {
  name: 'concatenate',
  pattern: 'moves',
  infer(inputs, { axis }) {
    if (inputs.length === 0) throw new Error('concatenate: got no tensors, expected at least one')
    const { dtype, shape } = inputs[0] as Type
    const fits = (x: Type) =>
      x.dtype === dtype &&
      x.shape.length === shape.length &&
      x.shape.every((n, i) => i === axis || n === shape[i])
    if (!inputs.every(fits))
      throw new Error(
        `concatenate: ${inputs.map(showType).join(', ')} differ elsewhere than in length along axis ${axis}`,
      )
    const total = inputs.reduce((sum, x) => sum + (x.shape[axis] as number), 0)
    return [{ dtype, shape: shape.map((n, i) => (i === axis ? total : n)) }]
  },
  evaluate(inputs, { axis }, [output]) {
    const { dtype, shape } = output as Type
    const data = allocate(dtype, sizeOf(shape))
    const outer = sizeOf(shape.slice(0, axis))
    const rows = data.length / Math.max(1, outer)
    let offset = 0
    for (const { data: part, shape: partShape } of inputs) {
      const length = sizeOf(partShape.slice(axis))
      for (let i = 0; i < outer; i++) data.set(part.subarray(i * length, (i + 1) * length), i * rows + offset)
      offset += length
    }
    return [new Tensor(data, shape)]
  },
  derivative({ tangents, inputs, params }) {
    if (tangents.every((t) => !t)) return [null]
    return [
      concatenate(
        tangents.map((t, i) => t ?? zeros(inputs[i] as Value)),
        params.axis,
      ),
    ]
  },
  transpose({ cotangents: [ct], inputs, params: { axis } }) {
    let offset = 0
    return inputs.map((x) => {
      const from = offset
      offset += x.shape[axis] as number
      return ct ? sliceAxis(ct, axis, from, offset) : null
    })
  },
  batch({ inputs, batched, size, params: { axis } }) {
    return [
      concatenate(
        inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape]))),
        axis + 1,
      ),
    ]
  },
  lower: (onnx, inputs, { params }) => [onnx.node('Concat', inputs, { axis: params.axis })],
  flops: () => 0,
}

/** Tensors end to end along `axis`. */
export function concatenate(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? (values[0] as Value) : apply(concatenateOp, values, { axis })
}

const reverseOp: Primitive<{ axes: readonly number[] }> = {
  name: 'reverse',
  pattern: 'moves',
  infer: ([x]) => [{ dtype: (x as Type).dtype, shape: (x as Type).shape }],
  evaluate([x], { axes }) {
    const { shape } = x as Tensor
    const strides = stridesOf(shape)
    const offset = axes.reduce(
      (sum, axis) => sum + ((shape[axis] as number) - 1) * (strides[axis] as number),
      0,
    )
    return [
      gatherStrided(
        x as Tensor,
        shape,
        strides.map((s, axis) => (axes.includes(axis) ? -s : s)),
        offset,
      ),
    ]
  },
  derivative: ({ tangents: [t], params }) => [t ? reverse(t, params.axes) : null],
  transpose: ({ cotangents: [ct], params }) => [ct ? reverse(ct, params.axes) : null],
  batch: ({ inputs: [x], params }) => [
    reverse(
      x as Value,
      params.axes.map((axis) => axis + 1),
    ),
  ],
  lower(onnx, [x], { params: { axes } }) {
    const all = (value: number) => onnx.int64(axes.map(() => value))
    return [onnx.node('Slice', [x as string, all(-1), all(-(2 ** 31)), onnx.int64(axes), all(-1)])]
  },
  flops: () => 0,
  view: (index, { outputs: [output], params: { axes } }) =>
    index.map((i, axis) =>
      axes.includes(axis) ? `${((output as Type).shape[axis] as number) - 1} - (${i})` : i,
    ),
}

/** Elements in opposite order along `axes`. */
export function reverse(x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : apply(reverseOp, [x], { axes })
}

/** Zeros of the type of `like`. */
export function zeros(like: Type): Value {
  return fullTensor(like.shape, 0, like.dtype)
}

export const sliceOps: readonly Primitive[] = [
  sliceOp,
  padOp,
  concatenateOp,
  reverseOp,
] as readonly Primitive[]
