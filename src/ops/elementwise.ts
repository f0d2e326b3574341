import type { OnnxAttribute } from '../program/lowering.js'
import type { MaybeZero, Params, Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate, type DType } from '../tensor/dtype.js'
import { broadcastShapes, sameShape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { broadcastStrides, broadcastTo, gatherStrided, padRank } from './broadcast.js'
import { apply } from './define.js'

interface Row<P extends Params> {
  name: string
  /** dtypes accepted; all inputs share one. */
  accepts: readonly DType[]
  /** The first input is a bool mask, apart from the others. */
  masked?: boolean
  /** dtype of the output, when it is not that of the inputs. */
  output?: DType
  scalar: (...x: number[]) => number
  expression?: (...x: string[]) => string
  /** The ONNX operator, or a rule that writes several. */
  onnx: string | NonNullable<Primitive<P>['lower']>
  attributes?: Readonly<Record<string, OnnxAttribute>>
  derivative: Primitive<P>['derivative']
  transpose?: Primitive<P>['transpose']
  taylor?: Primitive<P>['taylor']
  /** Floating-point operations per element. */
  flops?: number
}

/** The table row of an operation on numbers that broadcasts its inputs as NumPy does. */
export function elementwise<P extends Params = Params>(row: Row<P>): Primitive<P> {
  const { name, accepts, masked, output, scalar, expression, onnx, attributes } = row
  const { derivative, transpose, taylor } = row
  const primitive: Primitive<P> = {
    name,
    scalar,
    ...(expression && { expression }),
    infer(inputs) {
      const [mask, operands] = masked ? [inputs[0], inputs.slice(1)] : [undefined, inputs]
      if (mask && mask.dtype !== 'bool')
        throw new Error(
          `${name}: the condition is ${showType(mask)}, expected bool; make one by a comparison`,
        )
      const { dtype } = operands[0] as Type
      if (!operands.every((x) => x.dtype === dtype && accepts.includes(dtype)))
        throw new Error(
          `${name}: got ${operands.map(showType).join(' and ')}, expected ${accepts.join(' or ')}` +
            (operands.length > 1 ? ', the same for all' : ''),
        )
      const shape = broadcastShapes(
        inputs.map((x) => x.shape),
        name,
      )
      return [{ dtype: output ?? dtype, shape }]
    },
    evaluate: (inputs, _, [type]) => [evaluateElementwise(scalar, inputs, type as Type)],
    derivative,
    ...(transpose && { transpose }),
    ...(taylor && { taylor }),
    batch: ({ inputs, batched, params }) => [apply(primitive, alignBatch(inputs, batched), params)],
    lower: (lowering, inputs, call) =>
      typeof onnx === 'string' ? [lowering.node(onnx, inputs, attributes)] : onnx(lowering, inputs, call),
    flops: ({ outputs: [type] }) => (row.flops ?? 1) * sizeOf((type as Type).shape),
  }
  return primitive
}

/** Applies a function of numbers to broadcast tensors. */
export function evaluateElementwise(
  scalar: (...x: number[]) => number,
  inputs: readonly Tensor[],
  { dtype, shape }: Type,
): Tensor {
  const columns = inputs.map((x) =>
    sameShape(x.shape, shape) ? x.data : gatherStrided(x, shape, broadcastStrides(x.shape, shape)).data,
  )
  const data = allocate(dtype, sizeOf(shape))
  const [x, y] = columns
  if (x && !y) for (let i = 0; i < data.length; i++) data[i] = scalar(x[i] as number)
  else if (x && y && columns.length === 2)
    for (let i = 0; i < data.length; i++) data[i] = scalar(x[i] as number, y[i] as number)
  else for (let i = 0; i < data.length; i++) data[i] = scalar(...columns.map((column) => column[i] as number))
  return new Tensor(data, shape)
}

/** Gives batched operands [B, ...s] ones after the batch axis so that they broadcast with the others. */
export function alignBatch(inputs: readonly Value[], batched: readonly boolean[]): Value[] {
  const rank = Math.max(...inputs.map((x, i) => x.shape.length - (batched[i] ? 1 : 0)))
  return inputs.map((x, i) => (batched[i] ? padRank(x, rank) : x))
}

/** The operation is locally constant: all tangents are zero. */
export function constantDerivative(): MaybeZero[] {
  return [null]
}

/** A tangent of an operand spread to the shape of the result. */
export function spread(t: MaybeZero, result: Type): MaybeZero {
  return t && broadcastTo(t, result.shape)
}
