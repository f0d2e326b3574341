import type { TypedArray } from '../tensor/dtype.js'
import { type Shape, showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { DataError } from './error.js'

/** Kind and width in bytes of a stored number, as NumPy writes them: signed, unsigned, float, boolean. */
export type ElementType = 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'u8' | 'f2' | 'f4' | 'f8' | 'b1'

export const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/**
 * The tensor of `shape` stored row-major in exactly `bytes`. Integers become int32, f2 and f4 float32,
 * f8 float64, b1 bool.
 * @throws DataError when the shape and the number of bytes disagree (checked before anything is allocated),
 *   or an integer does not fit int32.
 */
export function decodeTensor(
  bytes: Uint8Array,
  shape: Shape,
  type: ElementType,
  littleEndian: boolean,
): Tensor {
  const width = Number(type[1])
  const extent = shape.reduce((product, n) => product * (n === 0 ? 1 : n), 1)
  if (!Number.isSafeInteger(extent * width))
    throw new DataError(`the declared shape ${showShape(shape)} is too large`)
  const needed = shape.includes(0) ? 0 : extent * width
  const found = `${bytes.length} bytes of data, but shape ${showShape(shape)} of ${type} takes ${needed}`
  if (bytes.length < needed) throw new DataError(`truncated: ${found}`)
  if (bytes.length > needed) throw new DataError(`trailing bytes: ${found}`)
  return new Tensor(widen(type, hostOrdered(bytes, width, littleEndian)), shape)
}

/** The bytes at an aligned start and in the host's byte order. */
function hostOrdered(bytes: Uint8Array, width: number, littleEndian: boolean): Uint8Array {
  if (width === 1) return bytes
  const copy = new Uint8Array(bytes)
  if (littleEndian === hostIsLittleEndian) return copy
  for (let start = 0; start < copy.length; start += width)
    for (let i = start, j = start + width - 1; i < j; i++, j--) {
      const byte = copy[i] as number
      copy[i] = copy[j] as number
      copy[j] = byte
    }
  return copy
}

function widen(type: ElementType, { buffer, byteOffset, byteLength }: Uint8Array): TypedArray {
  switch (type) {
    case 'f8':
      return new Float64Array(buffer, byteOffset, byteLength / 8)
    case 'f4':
      return new Float32Array(buffer, byteOffset, byteLength / 4)
    case 'f2':
      return new Float32Array(new Uint16Array(buffer, byteOffset, byteLength / 2)).map(halfToNumber)
    case 'i4':
      return new Int32Array(buffer, byteOffset, byteLength / 4)
    case 'i2':
      return new Int32Array(new Int16Array(buffer, byteOffset, byteLength / 2))
    case 'u2':
      return new Int32Array(new Uint16Array(buffer, byteOffset, byteLength / 2))
    case 'i1':
      return new Int32Array(new Int8Array(buffer, byteOffset, byteLength))
    case 'u1':
      return new Int32Array(new Uint8Array(buffer, byteOffset, byteLength))
    case 'b1':
      return new Uint8Array(buffer, byteOffset, byteLength).map((byte) => (byte === 0 ? 0 : 1))
    case 'u4':
      return uint32ToInt32(new Uint32Array(buffer, byteOffset, byteLength / 4))
    case 'i8':
    case 'u8':
      return int64ToInt32(type, new Int32Array(buffer, byteOffset, byteLength / 4))
  }
}

/** IEEE 754 binary16, given as its 16 bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function uint32ToInt32(words: Uint32Array): Int32Array {
  const at = words.findIndex((word) => word > 0x7fffffff)
  if (at !== -1) throw outsideInt32('uint32', words[at] as number, at)
  return new Int32Array(words)
}

/** `words` holds the two halves of each 64-bit integer; it fits int32 when the high half only extends the sign. */
function int64ToInt32(type: 'i8' | 'u8', words: Int32Array): Int32Array {
  const low = hostIsLittleEndian ? 0 : 1
  const out = new Int32Array(words.length / 2)
  for (let i = 0; i < out.length; i++) {
    const value = words[2 * i + low] as number
    const high = words[2 * i + 1 - low] as number
    if (high !== value >> 31 || (type === 'u8' && high !== 0)) {
      const bits = (BigInt(high) << 32n) | BigInt(value >>> 0)
      throw type === 'i8'
        ? outsideInt32('int64', bits, i)
        : outsideInt32('uint64', BigInt.asUintN(64, bits), i)
    }
    out[i] = value
  }
  return out
}

function outsideInt32(type: string, value: number | bigint, index: number): DataError {
  return new DataError(
    `${type} value ${value} (element ${index} as stored) is outside int32; store the array as float64`,
  )
}
