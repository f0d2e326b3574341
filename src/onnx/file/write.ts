import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { OnnxError } from '../error.js'
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  AttributeProto_AttributeType as Type,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../schema/onnx_pb.js'
import { maxFileBytes } from './read.js'

/** An attribute's value under the name of its type. */
export type AttributeValue =
  | { readonly float: number }
  | { readonly int: number | bigint }
  | { readonly string: string }
  | { readonly tensor: TensorProto }
  | { readonly graph: GraphProto }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly (number | bigint)[] }
  | { readonly strings: readonly string[] }

const utf8 = new TextEncoder()

/** `attribute('axis', { int: 1 })` */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  const make = (fields: MessageInitShape<typeof AttributeProtoSchema>) =>
    create(AttributeProtoSchema, { ...fields, name })
  if ('float' in value) return make({ type: Type.FLOAT, f: value.float })
  if ('int' in value) return make({ type: Type.INT, i: BigInt(value.int) })
  if ('string' in value) return make({ type: Type.STRING, s: utf8.encode(value.string) })
  if ('tensor' in value) return make({ type: Type.TENSOR, t: value.tensor })
  if ('graph' in value) return make({ type: Type.GRAPH, g: value.graph })
  if ('floats' in value) return make({ type: Type.FLOATS, floats: [...value.floats] })
  if ('ints' in value) return make({ type: Type.INTS, ints: value.ints.map(BigInt) })
  return make({ type: Type.STRINGS, strings: value.strings.map((s) => utf8.encode(s)) })
}

/** A node; an empty string among `input` or `output` leaves an optional one out. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  { name = '', domain = '' }: { readonly name?: string; readonly domain?: string } = {},
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    name,
    domain,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  })
}

/** The declaration of a tensor; a dimension is a size or a symbol such as `'batch'`. Without `shape`, any rank. */
export function valueInfo(
  name: string,
  elementType: number,
  shape?: readonly (number | string)[],
): ValueInfoProto {
  const dim = shape?.map((n) => ({
    value:
      typeof n === 'number'
        ? { case: 'dimValue' as const, value: BigInt(n) }
        : { case: 'dimParam' as const, value: n },
  }))
  const tensorType = { elemType: elementType, ...(dim && { shape: { dim } }) }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } })
}

export interface ModelOptions {
  /** The version of each operator domain; `''` is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>
  readonly irVersion?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** A model of `graph`; IR version 8 is understood by every runtime since 2021. */
export function model(graph: GraphProto, { opsets, irVersion = 8, metadata = {} }: ModelOptions): ModelProto {
  return create(ModelProtoSchema, {
    graph,
    irVersion: BigInt(irVersion),
    producerName: 'evolute',
    opsetImport: Object.entries(opsets).map(([domain, version]) => ({ domain, version: BigInt(version) })),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
}

/**
 * The bytes of an .onnx file.
 * @throws OnnxError when they are more than protobuf's 2 GiB.
 */
export function writeModel(
  model: ModelProto,
  { name = 'model.onnx' }: { readonly name?: string } = {},
): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, model)
  if (bytes.length > maxFileBytes)
    throw new OnnxError(`${bytes.length} bytes, protobuf allows at most ${maxFileBytes}`, { file: name })
  return bytes
}
