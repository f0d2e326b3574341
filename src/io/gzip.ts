import { Gunzip } from 'fflate'
import { crc32 } from './crc32.js'
import { DataError } from './error.js'

/** How far decompression may go before it is refused. */
export type DecompressLimits = {
  /** Most bytes to produce; 4 GiB when left out. */
  maxBytes?: number
  /** Most bytes produced per compressed byte, applied above 64 MiB; 256 when left out (deflate reaches 1032). */
  maxRatio?: number
}

const alwaysAllowed = 2 ** 26

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * The decompressed bytes of a gzip file of one or more members (RFC 1952), each checked by its CRC-32 and length.
 * @throws DataError when the data is damaged or truncated, or grows past `limits`: that is noticed while it
 *   grows, at most one input slice too late.
 */
export function gunzip(bytes: Uint8Array, limits: DecompressLimits = {}): Uint8Array {
  if (!isGzip(bytes)) throw new DataError('not a gzip file: wrong first bytes')
  const output = boundedOutput(byteLimit(bytes.length, limits))
  let crc = 0
  let length = 0
  const checkTrailer = (end: number): void => {
    if (end < 18) throw new DataError('truncated: the gzip data is incomplete')
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end - 8, 8)
    if (trailer.getUint32(0, true) !== crc || trailer.getUint32(4, true) !== length >>> 0)
      throw new DataError('the gzip data is damaged or truncated: its checksum does not match')
    crc = 0
    length = 0
  }
  const stream = new Gunzip((chunk) => {
    output.push(chunk)
    crc = crc32(chunk, crc)
    length += chunk.length
  })
  stream.onmember = checkTrailer
  pushAll(stream, bytes, 'gzip')
  checkTrailer(bytes.length)
  return output.join()
}

/** The most bytes that `compressed` bytes may become under `limits`. */
export function byteLimit(
  compressed: number,
  { maxBytes = 2 ** 32, maxRatio = 256 }: DecompressLimits,
): number {
  return Math.min(maxBytes, Math.max(alwaysAllowed, maxRatio * compressed))
}

/** Collects chunks, and refuses those that go past `limit` bytes. */
export function boundedOutput(limit: number): { push(chunk: Uint8Array): void; join(): Uint8Array } {
  const chunks: Uint8Array[] = []
  let total = 0
  return {
    push(chunk) {
      total += chunk.length
      if (total > limit) throw tooLarge(limit)
      if (chunk.length > 0) chunks.push(chunk)
    },
    join() {
      const all = new Uint8Array(total)
      let at = 0
      for (const chunk of chunks) {
        all.set(chunk, at)
        at += chunk.length
      }
      return all
    },
  }
}

export function tooLarge(limit: number): DataError {
  return new DataError(
    `decompresses to more than the ${limit} bytes accepted for its size; raise the limit if you trust it`,
  )
}

const slice = 2 ** 15

/** Feeds a decompressor in slices, so that what one push produces stays small. */
export function pushAll(
  stream: { push(chunk: Uint8Array, final: boolean): void },
  bytes: Uint8Array,
  format: string,
): void {
  try {
    for (let at = 0; at < bytes.length; at += slice)
      stream.push(bytes.subarray(at, at + slice), at + slice >= bytes.length)
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`the ${format} data is damaged or truncated: ${(error as Error).message}`)
  }
}
