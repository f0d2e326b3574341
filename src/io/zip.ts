import { Inflate } from 'fflate'
import { crc32 } from './crc32.js'
import { DataError } from './error.js'
import { boundedOutput, byteLimit, type DecompressLimits, pushAll, tooLarge } from './gzip.js'

export type ZipEntry = {
  /** As stored; it is a label here, never a path to write to. */
  name: string
  /** Decompresses the entry and checks its length and CRC-32. */
  read(): Uint8Array
}

const endSize = 22
const centralSize = 46
const localSize = 30

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5)
}

/**
 * The files in a zip archive, stored or deflated (PKWARE APPNOTE 6.3); nothing is decompressed yet.
 * @throws DataError on a damaged directory, zip64, or sizes that sum up to more than `limits` accept.
 */
export function zipEntries(bytes: Uint8Array, limits: DecompressLimits = {}): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = findEnd(view)
  const count = view.getUint16(end + 10, true)
  const limit = byteLimit(bytes.length, limits)
  let at = view.getUint32(end + 16, true)
  if (count === 0xffff || at === 0xffffffff) throw new DataError('zip64 archives are not supported')
  let total = 0
  return Array.from({ length: count }, () => {
    if (at + centralSize > end || view.getUint32(at, true) !== 0x02014b50)
      throw new DataError('the directory of the zip archive is damaged')
    const entry = readCentral(view, bytes, at)
    at = entry.next
    total += entry.size
    if (total > limit) throw tooLarge(limit)
    return { name: entry.name, read: () => readEntry(view, bytes, entry) }
  })
}

/** The end-of-directory record stands last, followed only by a comment of the length it states. */
function findEnd(view: DataView): number {
  const last = view.byteLength - endSize
  for (let at = last; at >= Math.max(0, last - 0xffff); at--)
    if (view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === last - at) return at
  throw new DataError('not a zip archive, truncated, or followed by trailing bytes: no end of directory')
}

function readCentral(view: DataView, bytes: Uint8Array, at: number) {
  const nameLength = view.getUint16(at + 28, true)
  const name = bytes.subarray(at + centralSize, at + centralSize + nameLength)
  return {
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    compressedSize: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    local: view.getUint32(at + 42, true),
    name: new TextDecoder().decode(name),
    next: at + centralSize + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true),
  }
}

function readEntry(view: DataView, bytes: Uint8Array, entry: ReturnType<typeof readCentral>): Uint8Array {
  const fail = (reason: string): DataError =>
    new DataError(`zip entry ${JSON.stringify(entry.name)} ${reason}`)
  const { local, compressedSize, size } = entry
  if (entry.encrypted) throw fail('is encrypted')
  if (local === 0xffffffff || compressedSize === 0xffffffff || size === 0xffffffff)
    throw fail('is zip64, which is not supported')
  if (local + localSize > bytes.length || view.getUint32(local, true) !== 0x04034b50)
    throw fail('is damaged: no local header')
  const start = local + localSize + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  if (start + compressedSize > bytes.length) throw fail('is truncated')
  const stored = bytes.subarray(start, start + compressedSize)
  const content = entry.method === 0 ? stored : entry.method === 8 ? inflate(stored, size) : undefined
  if (content === undefined)
    throw fail(`uses compression method ${entry.method}, expected stored or deflated`)
  if (content.length !== size) throw fail(`holds ${content.length} bytes, its directory says ${size}`)
  if (crc32(content) !== entry.crc) throw fail('is damaged: its checksum does not match')
  return content
}

function inflate(bytes: Uint8Array, size: number): Uint8Array {
  const output = boundedOutput(size)
  pushAll(new Inflate(output.push), bytes, 'zip')
  return output.join()
}
