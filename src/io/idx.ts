import type { Tensor } from '../tensor/tensor.js'
import { decodeTensor, type ElementType } from './elements.js'
import { DataError } from './error.js'

const elementTypes: Partial<Record<number, ElementType>> = {
  8: 'u1',
  9: 'i1',
  11: 'i2',
  12: 'i4',
  13: 'f4',
  14: 'f8',
}

/** Whether `bytes` start as an IDX file does: two zero bytes, a known element type, a rank. */
export function looksLikeIdx(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && elementTypes[bytes[2] as number] !== undefined
  )
}

/**
 * The array in an IDX file, the format of MNIST: `0, 0, type, rank`, each dimension as a big-endian uint32,
 * then big-endian elements in row-major order. Integers become int32, float float32, double float64.
 * Source: Y. LeCun, "The MNIST database of handwritten digits".
 * @throws DataError on a wrong start, or a length that does not fit the shape.
 */
export function readIdx(bytes: Uint8Array): Tensor {
  if (bytes.length < 4) throw new DataError('truncated: an IDX file starts with 4 bytes')
  const type = elementTypes[bytes[2] as number]
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined)
    throw new DataError('not an IDX file: expected two zero bytes and a type of 8, 9, 11, 12, 13 or 14')
  const rank = bytes[3] as number
  const start = 4 + 4 * rank
  if (bytes.length < start)
    throw new DataError(`truncated: the ${rank} dimensions of the IDX file are incomplete`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  return decodeTensor(bytes.subarray(start), shape, type, false)
}
