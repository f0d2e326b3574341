import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { locating, OnnxError } from '../error.js'
import { type ModelProto, ModelProtoSchema, type TensorProto, TensorProtoSchema } from '../schema/onnx_pb.js'
import { checkModel } from './check.js'
import { checkWire } from './wire.js'

/** The largest size that protobuf allows. */
export const maxFileBytes = 2 ** 31 - 1

export interface ReadOptions {
  /** The file's name, for error messages. */
  readonly name?: string
}

/**
 * Decodes and checks an .onnx file: a well-formed file whose graph is not empty and without cycles, declares its operator
 * sets, gives each value one name and uses only values that exist. The nodes come back in topological order.
 * `bytes` is not copied; the model's raw tensor data points into it.
 * @throws OnnxError naming the file, the node where there is one, and the reason.
 */
export function readModel(bytes: Uint8Array, { name = 'model.onnx' }: ReadOptions = {}): ModelProto {
  const model = decode(ModelProtoSchema, bytes, name)
  checkModel(model, name)
  return model
}

/** Decodes a file with one tensor, such as the input_0.pb of ONNX's test cases. @throws OnnxError */
export function readTensorProto(bytes: Uint8Array, { name = 'tensor.pb' }: ReadOptions = {}): TensorProto {
  return decode(TensorProtoSchema, bytes, name)
}

function decode<Desc extends DescMessage>(schema: Desc, data: Uint8Array, file: string): MessageShape<Desc> {
  const where = { file }
  if (data.length > maxFileBytes)
    throw new OnnxError(`${data.length} bytes, protobuf allows at most ${maxFileBytes}`, where)
  // Not a subclass such as Node's Buffer, whose slice() would share memory.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length)
  return locating(where, () => {
    checkWire(schema, bytes)
    return fromBinary(schema, bytes)
  })
}
