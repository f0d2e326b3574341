import type { Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { range, type Shape, sameShape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { broadcastTo, transpose } from './broadcast.js'
import { apply } from './define.js'

interface GatherParams extends Record<string, unknown> {
  axis: number
  /** Leading axes that the values and the indices share. */
  batchDims: number
}

/** Sizes of the nested loops of a gather: batch, before the axis, along it, after it, indices per batch. */
function extents(values: Shape, indices: Shape, { axis, batchDims }: GatherParams) {
  return {
    batch: sizeOf(values.slice(0, batchDims)),
    before: sizeOf(values.slice(batchDims, axis)),
    along: values[axis] as number,
    after: sizeOf(values.slice(axis + 1)),
    count: sizeOf(indices.slice(batchDims)),
  }
}

/** Calls `visit(valuesOffset, resultOffset, length)` for each run of elements that a gather moves. */
function forEachRun(
  name: string,
  values: Shape,
  indices: Tensor,
  params: GatherParams,
  visit: (from: number, to: number, length: number) => void,
): void {
  const { batch, before, along, after, count } = extents(values, indices.shape, params)
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < before; p++)
      for (let k = 0; k < count; k++) {
        const index = indices.data[b * count + k] as number
        if (!(index >= 0 && index < along))
          throw new Error(`${name}: index ${index} is outside 0..${along - 1}`)
        const row = b * before + p
        visit((row * along + index) * after, (row * count + k) * after, after)
      }
}

function checkIndices(name: string, values: Type, indices: Type, { axis, batchDims }: GatherParams): void {
  if (indices.dtype !== 'int32') throw new Error(`${name}: indices are ${showType(indices)}, expected int32`)
  if (batchDims > axis || axis >= values.shape.length || batchDims > indices.shape.length)
    throw new Error(`${name}: axis ${axis} with ${batchDims} batch axes does not fit ${showType(values)}`)
  if (!sameShape(values.shape.slice(0, batchDims), indices.shape.slice(0, batchDims)))
    throw new Error(
      `${name}: ${showType(values)} and indices ${showType(indices)} differ in their first ${batchDims} axes`,
    )
}

const gatherOp: Primitive<GatherParams> = {
  name: 'gather',
  pattern: 'moves',
  infer([x, indices], params) {
    checkIndices('gather', x as Type, indices as Type, params)
    const { dtype, shape } = x as Type
    const picked = (indices as Type).shape.slice(params.batchDims)
    return [{ dtype, shape: [...shape.slice(0, params.axis), ...picked, ...shape.slice(params.axis + 1)] }]
  },
  evaluate([x, indices], params, [output]) {
    const { dtype, shape } = output as Type
    const from = (x as Tensor).data
    const data = allocate(dtype, sizeOf(shape))
    forEachRun('gather', (x as Tensor).shape, indices as Tensor, params, (source, target, length) => {
      for (let i = 0; i < length; i++) data[target + i] = from[source + i] as number
    })
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], inputs: [, indices], params }) => [
    t ? apply(gatherOp, [t, indices as Value], params) : null,
  ],
  transpose: ({ cotangents: [ct], inputs: [x, indices], params }) => [
    ct ? scatterAdd(ct, indices as Value, (x as Type).shape, params.axis, params.batchDims) : null,
    null,
  ],
  batch({ inputs, batched, size, params: { axis, batchDims } }) {
    const [x, indices] = inputs as [Value, Value]
    if (!batched[1]) {
      if (batchDims === 0) return [gather(x, indices, axis + 1, 0)]
      return [gather(x, broadcastTo(indices, [size, ...indices.shape]), axis + 1, batchDims + 1)]
    }
    if (batched[0]) return [gather(x, indices, axis + 1, batchDims + 1)]
    if (batchDims === 0) return [moveAxis(gather(x, indices, axis, 0), axis, 0)]
    return [gather(broadcastTo(x, [size, ...x.shape]), indices, axis + 1, batchDims + 1)]
  },
  lower(onnx, [x, indices], { inputs, outputs: [output], params }) {
    const [values, at] = inputs as [Type, Type]
    const { axis, batchDims } = params
    if (batchDims === 0) return [onnx.node('Gather', [x as string, indices as string], { axis })]
    const { batch, before, along, after, count } = extents(values.shape, at.shape, params)
    const rows = onnx.node('Reshape', [x as string, onnx.int64([batch, before, along, after])], {
      allowzero: 1,
    })
    const picked = onnx.node('Reshape', [indices as string, onnx.int64([batch, 1, count, 1])], {
      allowzero: 1,
    })
    const spread = onnx.node('Expand', [picked, onnx.int64([batch, before, count, after])])
    const gathered = onnx.node('GatherElements', [rows, spread], { axis: 2 })
    return [onnx.node('Reshape', [gathered, onnx.int64((output as Type).shape)], { allowzero: 1 })]
  },
  flops: () => 0,
}

/**
 * Elements of `x` along `axis` at int32 `indices` [...batch, ...picked], batch shared with the leading
 * `batchDims` axes of `x`; the result has shape x[..axis] + picked + x[axis+1..].
 */
export function gather(x: Value, indices: Value, axis: number, batchDims = 0): Value {
  return apply(gatherOp, [x, indices], { axis, batchDims })
}

const scatterAddOp: Primitive<GatherParams & { shape: Shape }> = {
  name: 'scatterAdd',
  pattern: 'sums',
  infer([updates, indices], params) {
    const result = { dtype: (updates as Type).dtype, shape: params.shape }
    checkIndices('scatterAdd', result, indices as Type, params)
    const { axis, batchDims, shape } = params
    const expected = [
      ...shape.slice(0, axis),
      ...(indices as Type).shape.slice(batchDims),
      ...shape.slice(axis + 1),
    ]
    if (!sameShape(expected, (updates as Type).shape))
      throw new Error(`scatterAdd: updates are ${showType(updates as Type)}, expected shape [${expected}]`)
    return [result]
  },
  evaluate([updates, indices], params, [output]) {
    const { dtype, shape } = output as Type
    const from = (updates as Tensor).data
    const data = allocate(dtype, sizeOf(shape))
    forEachRun('scatterAdd', shape, indices as Tensor, params, (target, source, length) => {
      for (let i = 0; i < length; i++)
        data[target + i] = (data[target + i] as number) + (from[source + i] as number)
    })
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], inputs: [, indices], params }) => [
    t ? apply(scatterAddOp, [t, indices as Value], params) : null,
  ],
  transpose: ({ cotangents: [ct], inputs: [, indices], params }) => [
    ct ? gather(ct, indices as Value, params.axis, params.batchDims) : null,
    null,
  ],
  batch({ inputs, batched, size, params: { axis, batchDims, shape } }) {
    const [updates, indices] = inputs as [Value, Value]
    const whole = [size, ...shape]
    if (!batched[1] && batchDims === 0) return [scatterAdd(updates, indices, whole, axis + 1, 0)]
    const each = (x: Value, i: number) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape]))
    return [scatterAdd(each(updates, 0), each(indices, 1), whole, axis + 1, batchDims + 1)]
  },
  lower(onnx, [updates, indices], { inputs, outputs: [output], params }) {
    const [from, at] = inputs as [Type, Type]
    const { shape } = output as Type
    const { batch, before, along, after, count } = extents(shape, at.shape, params)
    const to = (x: string, shape: Shape) => onnx.node('Reshape', [x, onnx.int64(shape)], { allowzero: 1 })
    const zeros = (shape: Shape) => onnx.node('Expand', [onnx.constant(0, from.dtype), onnx.int64(shape)])
    const wide = onnx.node('Cast', [indices as string], { to: 7 })
    const add = { reduction: 'add' }
    if (batch * before === 1) {
      const rows = [zeros([along, after]), to(wide, [count, 1]), to(updates as string, [count, after])]
      return [to(onnx.node('ScatterND', rows, add), shape)]
    }
    const spread = onnx.node('Expand', [
      to(wide, [batch, 1, count, 1]),
      onnx.int64([batch, before, count, after]),
    ])
    const elements = [
      zeros([batch, before, along, after]),
      spread,
      to(updates as string, [batch, before, count, after]),
    ]
    return [to(onnx.node('ScatterElements', elements, { axis: 2, ...add }), shape)]
  },
  flops: ({ inputs: [updates] }) => sizeOf((updates as Type).shape),
}

/** Zeros of `shape` with updates added where {@link gather} would have read them: its transpose. */
export function scatterAdd(updates: Value, indices: Value, shape: Shape, axis: number, batchDims = 0): Value {
  return apply(scatterAddOp, [updates, indices], { axis, batchDims, shape })
}

/** One axis moved to another place. */
export function moveAxis(x: Value, from: number, to: number): Value {
  const order = range(x.shape.length).filter((axis) => axis !== from)
  order.splice(to, 0, from)
  return transpose(x, order)
}

export const gatherOps: readonly Primitive[] = [gatherOp, scatterAddOp] as readonly Primitive[]
