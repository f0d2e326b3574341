import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import type { Tensor } from '../tensor/tensor.js'
import { readCsv } from './csv.js'
import { DataError, namingFile } from './error.js'
import { type DecompressLimits, gunzip, isGzip } from './gzip.js'
import { looksLikeIdx, readIdx } from './idx.js'
import { npyMagic, readNpy } from './npy.js'
import { openNpz } from './npz.js'
import { isZip } from './zip.js'

export type ReadArrayOptions = {
  /** Which array of a .npz file; also writable as `file.npz:name`. Needed when the file holds several. */
  key?: string
  limits?: DecompressLimits
}

/**
 * The array in a .npy, .npz, IDX or CSV-like file (.csv, .tsv, .txt, or other text), each possibly gzipped.
 * The format is taken from the content, and from the extension where the content does not tell.
 * @throws DataError naming the file and the reason.
 */
export function readArray(path: string, options: ReadArrayOptions = {}): Tensor {
  const [, file = path, suffix] = /^(.*\.npz(?:\.gz)?):(.+)$/is.exec(path) ?? []
  return namingFile(file, () => {
    const bytes = loadFile(file)
    const gzipped = isGzip(bytes)
    if (!gzipped && /\.gz$/i.test(file)) throw new DataError('not a gzip file, though its name ends in .gz')
    const content = gzipped ? gunzip(bytes, options.limits) : bytes
    return decode(content, file.replace(/\.gz$/i, ''), options.key ?? suffix, options.limits)
  })
}

/**
 * The whole content of a regular file.
 * @throws DataError naming the file and the reason.
 */
export function readBytes(path: string): Uint8Array {
  return namingFile(path, () => loadFile(path))
}

function loadFile(path: string): Uint8Array {
  // Looked at before it is opened: opening a pipe would wait for its other end.
  checkRegularFile(statSync(path))
  const file = openSync(path, 'r')
  try {
    const stat = fstatSync(file)
    checkRegularFile(stat)
    // Not readFileSync, which stops at 2 GiB.
    const bytes = new Uint8Array(stat.size)
    let at = 0
    while (at < bytes.length) {
      const count = readSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), at)
      if (count === 0) throw new DataError('became shorter while it was read')
      at += count
    }
    return bytes
  } finally {
    closeSync(file)
  }
}

/** @throws DataError for folders, pipes and devices. */
export function checkRegularFile(stat: Stats): void {
  if (stat.isDirectory()) throw new DataError('is a folder, expected a file')
  if (!stat.isFile()) throw new DataError('is not a regular file')
}

function decode(
  bytes: Uint8Array,
  name: string,
  key: string | undefined,
  limits: DecompressLimits | undefined,
): Tensor {
  if (bytes.length === 0) throw new DataError('is empty')
  if (isZip(bytes) || /\.npz$/i.test(name)) return pickArray(openNpz(bytes, limits), key)
  if (key !== undefined)
    throw new DataError(`holds no named arrays, so ${JSON.stringify(key)} cannot be picked; only .npz does`)
  if (npyMagic.every((byte, i) => bytes[i] === byte) || /\.npy$/i.test(name)) return readNpy(bytes)
  if (looksLikeIdx(bytes) || /\.idx\d?$|[-.]idx\d-\w+$/i.test(name)) return readIdx(bytes)
  if (isGzip(bytes)) throw new DataError('is gzipped twice, expected once')
  return readCsv(decodeText(bytes)).values
}

function pickArray(arrays: Map<string, () => Tensor>, key: string | undefined): Tensor {
  const names = [...arrays.keys()]
  const listed = names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '')
  if (names.length === 0) throw new DataError('holds no .npy array')
  if (key === undefined && names.length > 1)
    throw new DataError(`holds ${names.length} arrays (${listed}); name one, as in file.npz:${names[0]}`)
  const read = arrays.get(key ?? (names[0] as string))
  if (read === undefined) throw new DataError(`holds no array ${JSON.stringify(key)}, only: ${listed}`)
  return read()
}

function decodeText(bytes: Uint8Array): string {
  if (!bytes.subarray(0, 4096).includes(0)) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      // Falls through: not text, or longer than a string can be.
    }
  }
  throw new DataError(
    'is not a format known here: expected .npy, .npz, IDX, or a table of numbers as UTF-8 text',
  )
}
