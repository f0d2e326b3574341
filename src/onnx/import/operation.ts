import type { Value } from '../../program/value.js'
import { showType } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'
import { broadcastShapes, type Shape, sameShape } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import type { GraphProto, TensorProto } from '../schema/onnx_pb.js'
import type { Attributes } from './attributes.js'

/** What an operation may ask of the model around its node. */
export interface Context {
  /** The version of the operator set of the node's domain. */
  readonly opset: number
  /** Whether the output at this position is used. */
  wants(output: number): boolean
  /** How many outputs the node names. */
  readonly outputs: number
  /** Throws unless a tensor of this shape is within the budget; called before anything of a computed size is made. */
  reserve(shape: Shape): void
  /** The numbers of a tensor in an attribute. */
  tensor(proto: TensorProto): Tensor
  /** The dtype that stands for an ONNX element type. */
  dtype(elementType: number): DType
  /** The outputs of a subgraph for its inputs, if it has any; it sees the values around the node. */
  run(graph: GraphProto, inputs?: readonly Value[]): Value[]
}

type Inputs = readonly (Value | undefined)[]

/** A row of the operator table: an ONNX operator as a function of values. */
export interface Operation {
  /** How many leading inputs must be given, and how many there may be. */
  readonly required: number
  readonly allowed: number
  readonly run: (inputs: Inputs, attributes: Attributes, context: Context) => Value | readonly Value[]
}

export type Operations = Readonly<Record<string, Operation>>

/** A row whose function may rely on its `required` first inputs: `operation<[Value, Value?]>(1, 2, ([x, axes]) => ...)`. */
export function operation<I extends Inputs>(
  required: number,
  allowed: number,
  run: (inputs: I, attributes: Attributes, context: Context) => Value | readonly Value[],
): Operation {
  return { required, allowed, run: run as unknown as Operation['run'] }
}

/** An input whose numbers decide shapes, and which therefore must not depend on the values being differentiated. */
export function known(value: Value, what: string): Tensor {
  if (value instanceof Tensor) return value
  throw new Error(
    `${what} must be known when the model is traced, but it is ${showType(value)} computed from traced values; ` +
      'pass it (or what it is computed from) as a tensor that the traced function captures',
  )
}

export function knownNumbers(value: Value, what: string): number[] {
  return Array.from(known(value, what).data)
}

export function knownNumber(value: Value, what: string): number {
  const { data } = known(value, what)
  if (data.length !== 1) throw new Error(`${what} has ${data.length} elements, expected one`)
  return data[0] as number
}

/** A vector of int32, such as a shape. */
export function int32(values: readonly number[]): Tensor {
  return new Tensor(Int32Array.from(values))
}

/** Throws unless `x` has at least (or exactly) so many axes. */
export function expectRank(what: string, x: Value, least: number, most = Number.POSITIVE_INFINITY): void {
  const rank = x.shape.length
  if (rank < least || rank > most)
    throw new Error(
      `${what} is ${showType(x)}, expected ${least === most ? least : `at least ${least}`} dimension(s)` +
        (Number.isFinite(most) && most !== least ? ` and at most ${most}` : ''),
    )
}

/** Throws unless `y` broadcasts to the shape of `x`, so that nothing larger comes of them. */
export function expectWithin(what: string, y: Value, x: Value): void {
  if (!sameShape(broadcastShapes([x.shape, y.shape], what), x.shape))
    throw new Error(`${what} is ${showType(y)}, which does not broadcast to ${showType(x)}`)
}
