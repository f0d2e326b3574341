import { create } from '@bufbuild/protobuf'
import { allocate, dtypeOf, type TypedArray } from '../../tensor/dtype.js'
import { type Shape, showShape } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { locating, quote, type Where } from '../error.js'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from '../schema/onnx_pb.js'
import {
  type ElementFormat,
  elementTypeName,
  elementTypeOf,
  formatOf,
  type StoredArray,
  swapOnBigEndian,
} from './elements.js'

/** Returns `length` bytes from `offset` of the file at `location`, a path relative to the model's folder; or throws. */
export type ExternalLoader = (location: string, offset: number, length: number) => Uint8Array

const maxElements = 2 ** 31 - 1
const maxRank = 64

/**
 * The numbers of a TensorProto. float16 and bfloat16 become float32; every integer type becomes int32, where 64-bit
 * values beyond +-2^62 saturate to +-(2^31 - 1); `elementType` tells the type in the file.
 * Shape and length are checked before anything of the declared size is allocated.
 * @throws OnnxError for a type without numbers, an integer outside int32, or data that does not fit the shape.
 */
export function tensorFromProto(
  proto: TensorProto,
  external?: ExternalLoader,
  where: Where = { file: 'tensor' },
): { tensor: Tensor; elementType: number } {
  return locating(where, () => {
    try {
      return { tensor: decodeTensor(proto, external), elementType: proto.dataType }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`tensor ${quote(proto.name)}: ${reason}`, { cause: error })
    }
  })
}

/**
 * A TensorProto with the numbers of `tensor` as raw data.
 * @param elementType the type in the file: that of the dtype by default; int32 may be written as any integer type.
 * @throws Error when the type does not hold the tensor's dtype, or a value does not fit into it.
 */
export function tensorToProto(
  tensor: Tensor,
  name: string,
  elementType = elementTypeOf[tensor.dtype],
): TensorProto {
  const format = formatOf(elementType)
  if (format?.dtype !== tensor.dtype || (format.decode && !format.encode))
    throw new Error(
      `tensorToProto: tensor ${quote(name)} is ${tensor}, which cannot be written as ${elementTypeName(elementType)}`,
    )
  const stored = storedFrom(tensor.data, tensor.size, format)
  const rawData = new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength)
  swapOnBigEndian(rawData, format.stored.BYTES_PER_ELEMENT)
  return create(TensorProtoSchema, { name, dataType: elementType, dims: tensor.shape.map(BigInt), rawData })
}

function decodeTensor(proto: TensorProto, external: ExternalLoader | undefined): Tensor {
  const format = formatOf(proto.dataType)
  if (!format)
    throw new Error(
      `element type ${elementTypeName(proto.dataType)} is not supported, expected floats of 16 to 64 bits, integers of 8 to 64 bits or booleans`,
    )
  if (proto.segment) throw new Error('stored in segments, which is not supported')
  const { shape, size } = shapeFromDims(proto.dims)
  const stored = readStored(proto, format, shape, size, external)
  return new Tensor(decodeElements(stored, format), shape)
}

function shapeFromDims(dims: readonly bigint[]): { shape: Shape; size: number } {
  if (dims.length > maxRank) throw new Error(`${dims.length} dimensions, expected at most ${maxRank}`)
  const shape = dims.map((n) => {
    if (n < 0n || n > maxElements) throw new Error(`dimension ${n}, expected 0 to ${maxElements}`)
    return Number(n)
  })
  const size = shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, 1)
  if (size > maxElements)
    throw new Error(`shape ${showShape(shape)} has ${size} elements, expected at most ${maxElements}`)
  return { shape, size }
}

function readStored(
  proto: TensorProto,
  format: ElementFormat,
  shape: Shape,
  size: number,
  external: ExternalLoader | undefined,
): StoredArray {
  const width = format.stored.BYTES_PER_ELEMENT
  const list = format.field(proto)
  const isExternal = proto.dataLocation === TensorProto_DataLocation.EXTERNAL
  if (!isExternal && proto.rawData.length === 0) {
    if (list.length !== size)
      throw new Error(`shape ${showShape(shape)} needs ${size} elements, but the file holds ${list.length}`)
    return storedFrom(list, size, format)
  }
  const raw = isExternal ? readExternal(proto, size * width, external) : proto.rawData
  if (raw.length !== size * width)
    throw new Error(`shape ${showShape(shape)} needs ${size * width} bytes, but the file holds ${raw.length}`)
  const bytes = new Uint8Array(raw) // a copy, and so aligned
  swapOnBigEndian(bytes, width)
  return new format.stored(bytes.buffer)
}

function readExternal(proto: TensorProto, size: number, external: ExternalLoader | undefined): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location')
  if (!location) throw new Error('the data is external, but no location is stated')
  if (!external)
    throw new Error(
      `the data is in the external file ${quote(location)}, but no loader for such files was given`,
    )
  const integer = (key: string, absent: number): number => {
    const text = entries.get(key)
    if (text === undefined) return absent
    if (!/^\d{1,15}$/.test(text))
      throw new Error(`external ${key} is ${quote(text)}, expected a whole number`)
    return Number(text)
  }
  const length = integer('length', size)
  if (length !== size) throw new Error(`the shape needs ${size} bytes, but the external length is ${length}`)
  return external(location, integer('offset', 0), length)
}

/** Numbers in the format's array; inverse of {@link decodeElements} for values, the identity for stored numbers. */
function storedFrom(values: ArrayLike<number | bigint>, size: number, format: ElementFormat): StoredArray {
  if (values instanceof format.stored) return values.slice()
  const stored = new format.stored(size)
  const isBig = stored instanceof BigInt64Array || stored instanceof BigUint64Array
  const isFloat = stored instanceof Float32Array || stored instanceof Float64Array
  for (let i = 0; i < size; i++) {
    const value = values[i] as number | bigint
    const number = isBig ? BigInt(value) : Number(value)
    stored[i] = number
    if (!isFloat && stored[i] !== number)
      throw new Error(`element ${i} is ${value}, outside the element type's range`)
  }
  return stored
}

function decodeElements(stored: StoredArray, { decode, dtype }: ElementFormat): TypedArray {
  if (!decode && isTypedArray(stored) && dtypeOf(stored) === dtype) return stored
  const data = allocate(dtype, stored.length)
  if (!decode) data.set(stored as TypedArray)
  else for (let i = 0; i < data.length; i++) data[i] = decode(stored[i] as number | bigint)
  return data
}

function isTypedArray(stored: StoredArray): stored is TypedArray {
  return stored instanceof Float64Array || stored instanceof Float32Array || stored instanceof Int32Array
}
