import type { DType } from '../../tensor/dtype.js'
import { bytesPerElement, isFloat } from '../../tensor/dtype.js'
import { type Shape, showShape, sizeOf } from '../../tensor/shape.js'
import { castTensor, type Tensor } from '../../tensor/tensor.js'
import { locating, quote, type Where } from '../error.js'
import { elementTypeName, formatOf } from '../file/elements.js'
import { type ExternalLoader, tensorFromProto } from '../file/tensors.js'
import {
  type FunctionProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType as Type,
} from '../schema/onnx_pb.js'

/** What is the same for all nodes of a model while it runs. */
export interface Runtime {
  readonly file: string
  readonly functions: ReadonlyMap<string, FunctionProto>
  /** The float type that all float tensors become; without it each keeps its own, and 16-bit floats are refused. */
  readonly precision: 'float32' | 'float64' | undefined
  /** The largest tensor that one operation may make. */
  readonly maxBytes: number
  readonly external: ExternalLoader | undefined
  /** Nodes that may still be run in this call of the model; loops use it up. */
  nodesLeft: number
  /** Tensors of the file, decoded once. */
  readonly decoded: Map<TensorProto, Tensor>
}

/** Nodes that a model may run in one call, functions and loops unrolled. */
export const maxNodes = 1_000_000

/** The two names of ONNX's own domain are one. */
export function domainName(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

export function functionKey({
  domain,
  opType,
  overload,
}: Pick<NodeProto, 'domain' | 'opType' | 'overload'>): string {
  return JSON.stringify([domainName(domain), opType, overload])
}

/** The dtype of an ONNX element type. @throws Error for types without numbers, and for 16-bit floats unless `precision` is set. */
export function dtypeOf(elementType: number, precision: Runtime['precision']): DType {
  const format = formatOf(elementType)
  if (!format)
    throw new Error(
      `element type ${elementTypeName(elementType)} is not supported, expected floats, integers of 8 to 64 bits or booleans`,
    )
  if (!isFloat(format.dtype)) return format.dtype
  if (!precision && (elementType === Type.FLOAT16 || elementType === Type.BFLOAT16))
    throw new Error(
      `the model computes with ${elementTypeName(elementType)}, which evolute does not; ` +
        "import it with { precision: 'float32' } to compute with float32 instead, or convert the file",
    )
  return precision ?? format.dtype
}

/** The numbers of a tensor in the file. @throws OnnxError */
export function tensorOf(proto: TensorProto, runtime: Runtime, where: Where): Tensor {
  const before = runtime.decoded.get(proto)
  if (before) return before
  const dtype = locating(where, () => {
    try {
      return dtypeOf(proto.dataType, runtime.precision)
    } catch (error) {
      throw new Error(`tensor ${quote(proto.name)}: ${(error as Error).message}`, { cause: error })
    }
  })
  const { tensor } = tensorFromProto(proto, runtime.external, where)
  const converted = tensor.dtype === dtype ? tensor : castTensor(tensor, dtype)
  runtime.decoded.set(proto, converted)
  return converted
}

/** Throws when a tensor of `shape` would exceed the budget; elements count 8 bytes unless `dtype` is known. */
export function reserve(shape: Shape, runtime: Runtime, dtype: DType = 'float64'): void {
  // Axes without elements count as one: the loops over the others still run.
  const size = sizeOf(shape.map((n) => n || 1))
  if (!shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new Error(`the result would have shape ${showShape(shape)}, expected whole numbers >= 0`)
  if (size * bytesPerElement(dtype) > runtime.maxBytes)
    throw new Error(
      `the result would have shape ${showShape(shape)}, ${size} elements, beyond the budget of ${runtime.maxBytes} bytes ` +
        'for one tensor; raise maxBytes if the model is trusted',
    )
}
