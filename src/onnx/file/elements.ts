import type { DType } from '../../tensor/dtype.js'
import { type TensorProto, TensorProto_DataType as Type } from '../schema/onnx_pb.js'
import { bfloat16ToNumber, float16ToNumber } from './half.js'

export type StoredArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

type TypedField = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data'

interface StoredArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer): StoredArray
  new (size: number): StoredArray
}

/** How the elements of one ONNX type are stored, and what they become in a Tensor. */
export interface ElementFormat {
  readonly stored: StoredArrayConstructor
  /** The list that holds them when raw_data does not. */
  readonly field: (proto: TensorProto) => readonly (number | bigint)[]
  readonly dtype: DType
  /** The element's value, where that is not the stored number itself. @throws RangeError */
  readonly decode?: (stored: number | bigint) => number
  /** The stored number of a value, where that is not the value itself; a type without it and with `decode` is read only. */
  readonly encode?: (value: number) => number | bigint
}

function format(
  stored: unknown,
  field: TypedField,
  dtype: DType,
  codec: Pick<ElementFormat, 'decode' | 'encode'> = {},
): ElementFormat {
  return { stored: stored as StoredArrayConstructor, field: (proto) => proto[field], dtype, ...codec }
}

const wide = { decode: toInt32, encode: (value: number) => BigInt(value) }

const formats = new Map<number, ElementFormat>([
  [Type.FLOAT, format(Float32Array, 'floatData', 'float32')],
  [Type.DOUBLE, format(Float64Array, 'doubleData', 'float64')],
  [Type.INT8, format(Int8Array, 'int32Data', 'int32')],
  [Type.UINT8, format(Uint8Array, 'int32Data', 'int32')],
  [Type.INT16, format(Int16Array, 'int32Data', 'int32')],
  [Type.UINT16, format(Uint16Array, 'int32Data', 'int32')],
  [Type.INT32, format(Int32Array, 'int32Data', 'int32')],
  [Type.UINT32, format(Uint32Array, 'uint64Data', 'int32', { decode: toInt32, encode: (value) => value })],
  [Type.INT64, format(BigInt64Array, 'int64Data', 'int32', wide)],
  [Type.UINT64, format(BigUint64Array, 'uint64Data', 'int32', wide)],
  [Type.BOOL, format(Uint8Array, 'int32Data', 'bool', { decode: (v) => (v ? 1 : 0), encode: (v) => v })],
  [Type.FLOAT16, format(Uint16Array, 'int32Data', 'float32', { decode: (v) => float16ToNumber(Number(v)) })],
  [
    Type.BFLOAT16,
    format(Uint16Array, 'int32Data', 'float32', { decode: (v) => bfloat16ToNumber(Number(v)) }),
  ],
])

export function formatOf(elementType: number): ElementFormat | undefined {
  return formats.get(elementType)
}

/** The ONNX element type of a Tensor's dtype. */
export const elementTypeOf: Readonly<Record<DType, number>> = {
  float64: Type.DOUBLE,
  float32: Type.FLOAT,
  int32: Type.INT32,
  bool: Type.BOOL,
}

/** `FLOAT`, `STRING`, ..., or the number of an unknown type. */
export function elementTypeName(elementType: number): string {
  return Type[elementType] ?? `number ${elementType}`
}

const int32Max = 2 ** 31 - 1
const sentinel = 2 ** 62

/** A 64-bit integer as int32; "as far as possible" values (|v| >= 2^62, as in the ends of Slice) saturate. */
function toInt32(stored: number | bigint): number {
  const value = Number(stored)
  if (Math.abs(value) >= sentinel) return Math.sign(value) * int32Max
  if (value > int32Max || value < -int32Max - 1)
    throw new RangeError(`integer ${stored} does not fit into int32`)
  return value
}

const hostIsLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** Reverses the bytes of each element in place, on the rare hosts where ONNX's little-endian order is not the own one. */
export function swapOnBigEndian(bytes: Uint8Array, width: number): void {
  if (hostIsLittleEndian || width === 1) return
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse()
}
