import type { Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate, isFloat } from '../tensor/dtype.js'
import { range, type Shape, sameShape, showShape, sizeOf, stridesOf } from '../tensor/shape.js'
import { fullTensor, Tensor } from '../tensor/tensor.js'
import { apply, expectDtype, numbers } from './define.js'

/** Elements of a tensor in the order of an output index, given the input stride of each output axis. */
export function gatherStrided(x: Tensor, shape: Shape, strides: readonly number[], offset = 0): Tensor {
  const data = allocate(x.dtype, sizeOf(shape))
  const rank = shape.length
  const index = new Array<number>(rank).fill(0)
  let position = offset
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[position] as number
    for (let axis = rank - 1; axis >= 0; axis--) {
      position += strides[axis] as number
      const next = (index[axis] as number) + 1
      if (next < (shape[axis] as number)) {
        index[axis] = next
        break
      }
      position -= (strides[axis] as number) * next
      index[axis] = 0
    }
  }
  return new Tensor(data, shape)
}

const reshapeOp: Primitive<{ shape: Shape }> = {
  name: 'reshape',
  pattern: 'moves',
  infer([x], { shape }) {
    if (sizeOf((x as Type).shape) !== sizeOf(shape))
      throw new Error(
        `reshape: ${showType(x as Type)} does not have the elements of shape ${showShape(shape)}`,
      )
    return [{ dtype: (x as Type).dtype, shape }]
  },
  evaluate: ([x], { shape }) => [new Tensor((x as Tensor).data, shape)],
  derivative: ({ tangents: [t], params }) => [t ? apply(reshapeOp, [t], params) : null],
  transpose: ({ cotangents: [ct], inputs: [x] }) => [ct ? reshape(ct, (x as Type).shape) : null],
  batch: ({ inputs: [x], size, params }) => [reshape(x as Value, [size, ...params.shape])],
  lower: (onnx, [x], { params }) => [
    onnx.node('Reshape', [x as string, onnx.int64(params.shape)], { allowzero: 1 }),
  ],
  flops: () => 0,
}

/** The same elements in row-major order under another shape. */
export function reshape(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply(reshapeOp, [x], { shape })
}

const transposeOp: Primitive<{ permutation: readonly number[] }> = {
  name: 'transpose',
  pattern: 'moves',
  infer([x], { permutation }) {
    const { dtype, shape } = x as Type
    if (
      !sameShape(
        [...permutation].sort((a, b) => a - b),
        range(shape.length),
      )
    )
      throw new Error(`transpose: [${permutation}] is not a permutation of ${shape.length} axes`)
    return [{ dtype, shape: permutation.map((axis) => shape[axis] as number) }]
  },
  evaluate([x], { permutation }, [output]) {
    const strides = stridesOf((x as Tensor).shape)
    return [
      gatherStrided(
        x as Tensor,
        (output as Type).shape,
        permutation.map((axis) => strides[axis] as number),
      ),
    ]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(transposeOp, [t], params) : null],
  transpose({ cotangents: [ct], params: { permutation } }) {
    return [ct ? transpose(ct, inversePermutation(permutation)) : null]
  },
  batch: ({ inputs: [x], params }) => [
    transpose(x as Value, [0, ...params.permutation.map((axis) => axis + 1)]),
  ],
  lower: (onnx, [x], { params }) => [onnx.node('Transpose', [x as string], { perm: params.permutation })],
  flops: () => 0,
  view: (index, { params }) => inversePermutation(params.permutation).map((axis) => index[axis] as string),
}

/** Output axis i is input axis `permutation[i]`. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  return permutation.every((axis, i) => axis === i) ? x : apply(transposeOp, [x], { permutation })
}

export function inversePermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length)
  permutation.forEach((axis, i) => {
    inverse[axis] = i
  })
  return inverse
}

const broadcastOp: Primitive<{ shape: Shape }> = {
  name: 'broadcast',
  pattern: 'moves',
  infer([x], { shape }) {
    const from = (x as Type).shape
    const offset = shape.length - from.length
    if (offset < 0 || from.some((n, axis) => n !== 1 && n !== shape[axis + offset]))
      throw new Error(`broadcast: ${showType(x as Type)} does not broadcast to shape ${showShape(shape)}`)
    return [{ dtype: (x as Type).dtype, shape }]
  },
  evaluate: ([x], { shape }) => [
    gatherStrided(x as Tensor, shape, broadcastStrides((x as Tensor).shape, shape)),
  ],
  derivative: ({ tangents: [t], params }) => [t ? apply(broadcastOp, [t], params) : null],
  transpose: ({ cotangents: [ct], inputs: [x] }) => [ct ? sumTo(ct, (x as Type).shape) : null],
  batch({ inputs, size, params: { shape } }) {
    const x = inputs[0] as Value
    return [broadcastTo(padRank(x, shape.length), [size, ...shape])]
  },
  lower: (onnx, [x], { params }) => [onnx.node('Expand', [x as string, onnx.int64(params.shape)])],
  flops: () => 0,
  view(index, { inputs: [x] }) {
    const { shape } = x as Type
    return shape.map((n, axis) => (n === 1 ? '0' : (index[axis + index.length - shape.length] as string)))
  },
}

/** NumPy's broadcast_to: leading axes are added, axes of length one are repeated. */
export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply(broadcastOp, [x], { shape })
}

/** Strides, in elements of an input of shape `from`, along the axes of `to`; 0 where it is repeated. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from)
  const offset = to.length - from.length
  return to.map((_, axis) =>
    axis < offset || from[axis - offset] === 1 ? 0 : (strides[axis - offset] as number),
  )
}

/** A batched value [B, ...s] with ones after the batch axis, so that its other axes number `rank`. */
export function padRank(x: Value, rank: number): Value {
  const [size, ...rest] = x.shape as [number, ...number[]]
  return reshape(x, [size, ...new Array<number>(rank - rest.length).fill(1), ...rest])
}

/** Sums of up to so many rows are products with a vector of ones: ten times faster than ONNX Runtime's ReduceSum. */
const mostOnes = 4096

const reduceSumOp: Primitive<{ axes: readonly number[] }> = {
  name: 'reduceSum',
  pattern: 'sums',
  infer([x], { axes }) {
    expectDtype('reduceSum', x as Type, numbers)
    return [{ dtype: (x as Type).dtype, shape: withoutAxes((x as Type).shape, axes) }]
  },
  evaluate: ([x], { axes }) => [reduceTensor(x as Tensor, axes, 0, (sum, value) => sum + value)],
  derivative: ({ tangents: [t], params }) => [t ? apply(reduceSumOp, [t], params) : null],
  transpose({ cotangents: [ct], inputs: [x], params: { axes } }) {
    const { shape } = x as Type
    return [ct ? broadcastTo(reshape(ct, keepAxes(shape, axes)), shape) : null]
  },
  batch: ({ inputs: [x], params }) => [
    reduceSum(
      x as Value,
      params.axes.map((axis) => axis + 1),
    ),
  ],
  lower(onnx, [x], { inputs: [type], outputs: [output], params: { axes } }) {
    const { dtype, shape } = type as Type
    const rows = sizeOf(shape.slice(0, axes.length))
    const columns = sizeOf(shape.slice(axes.length))
    const sumsRows =
      isFloat(dtype) && columns > 1 && rows <= mostOnes && axes.every((axis) => axis < axes.length)
    if (!sumsRows)
      return [
        onnx.node('ReduceSum', [x as string, onnx.int64(axes)], { keepdims: 0, noop_with_empty_axes: 1 }),
      ]
    const to = (name: string, shape: Shape) =>
      onnx.node('Reshape', [name, onnx.int64(shape)], { allowzero: 1 })
    const matrix = sameShape(shape, [rows, columns]) ? (x as string) : to(x as string, [rows, columns])
    const sums = onnx.node('MatMul', [onnx.constant(fullTensor([rows], 1, dtype)), matrix])
    return [shape.length - axes.length === 1 ? sums : to(sums, (output as Type).shape)]
  },
  flops: ({ inputs: [x] }) => sizeOf((x as Type).shape),
}

/** The sum over `axes`, which disappear. */
export function reduceSum(x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : apply(reduceSumOp, [x], { axes })
}

export function withoutAxes(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis))
}

export function keepAxes(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
}

/** Folds `combine` over `axes` of a tensor, in double precision, from `initial`. */
export function reduceTensor(
  x: Tensor,
  axes: readonly number[],
  initial: number,
  combine: (accumulated: number, value: number) => number,
): Tensor {
  const kept = range(x.shape.length).filter((axis) => !axes.includes(axis))
  const strides = stridesOf(x.shape)
  const order = [...kept, ...axes]
  const arranged = gatherStrided(
    x,
    order.map((axis) => x.shape[axis] as number),
    order.map((axis) => strides[axis] as number),
  ).data
  const shape = withoutAxes(x.shape, axes)
  const data = allocate(x.dtype, sizeOf(shape))
  const inner = sizeOf(axes.map((axis) => x.shape[axis] as number))
  for (let i = 0; i < data.length; i++) {
    let accumulated = initial
    for (let k = i * inner; k < (i + 1) * inner; k++)
      accumulated = combine(accumulated, arranged[k] as number)
    data[i] = accumulated
  }
  return new Tensor(data, shape)
}

/** Sums a value down to a shape that broadcasts to its own: the transpose of broadcasting. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x
  const offset = x.shape.length - shape.length
  const axes = range(x.shape.length).filter(
    (axis) => axis < offset || (shape[axis - offset] === 1 && x.shape[axis] !== 1),
  )
  return reshape(reduceSum(x, axes), shape)
}

export const broadcastOps: readonly Primitive[] = [
  reshapeOp,
  transposeOp,
  broadcastOp,
  reduceSumOp,
] as readonly Primitive[]
