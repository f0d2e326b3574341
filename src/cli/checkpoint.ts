import { existsSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import type { StagesCheckpoint } from '../curvature/index.js'
import { crc32 } from '../io/crc32.js'
import { DataError, readBytes, writeFileAtomic } from '../io/index.js'
import type { ParsedArguments } from './arguments.js'
import { Interrupted } from './errors.js'
import { requireWritable } from './output.js'

const kind = new TextEncoder().encode('evolute checkpoint ')

/** With the number of the format, which changes when what stages keep does. */
const magic = new TextEncoder().encode('evolute checkpoint 2\n')

const beginsWith = (bytes: Uint8Array, start: Uint8Array) => start.every((byte, i) => bytes[i] === byte)

/** A checkpoint's bytes: a line that names the format, a CRC-32, and the structured clone of the data. */
export function writeCheckpoint(checkpoint: StagesCheckpoint): Uint8Array {
  const body = serialize(checkpoint)
  const bytes = new Uint8Array(magic.length + 4 + body.length)
  bytes.set(magic)
  new DataView(bytes.buffer).setUint32(magic.length, crc32(body))
  bytes.set(body, magic.length + 4)
  return bytes
}

/** @throws DataError naming the file when it is no checkpoint, or a damaged one. */
export function readCheckpoint(bytes: Uint8Array, file: string): StagesCheckpoint {
  if (!beginsWith(bytes, kind)) throw new DataError('is not a checkpoint of evolute', file)
  if (!beginsWith(bytes, magic))
    throw new DataError(
      'is a checkpoint of another version of evolute: name another file to start anew',
      file,
    )
  const body = bytes.subarray(magic.length + 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset + magic.length)
  if (bytes.length < magic.length + 4 || view.getUint32(0) !== crc32(body))
    throw new DataError('is damaged: its checksum is wrong', file)
  return deserialize(body)
}

/** What continues a computation, and keeps what it does. */
export interface Kept {
  readonly checkpoint?: StagesCheckpoint
  readonly onCheckpoint?: (checkpoint: StagesCheckpoint) => void
}

/** Seconds between writes, and the share of the time that writing may take. */
const interval = 5
const share = 0.05

/**
 * Runs a long computation so that it can be stopped at any moment: the file of `--checkpoint` or `--resume` holds what is
 * done, a few seconds old at most, and all of it when the computation ends or is interrupted.
 */
export async function keeping<T>(
  args: ParsedArguments,
  signal: AbortSignal,
  work: (kept: Kept) => Promise<T>,
): Promise<T> {
  const path = args.text('resume') ?? args.text('checkpoint')
  if (path === undefined)
    return work({}).catch((error) => {
      if (!signal.aborted) throw error
      throw new Interrupted('interrupted; nothing was written. With --checkpoint FILE it could be continued')
    })
  requireWritable(path)
  const begun = args.text('resume') !== undefined || existsSync(path)
  const checkpoint = begun ? readCheckpoint(readBytes(path), path) : undefined
  let latest: StagesCheckpoint | undefined
  let next = performance.now() + 1000 * interval
  const save = () => {
    if (!latest) return
    const started = performance.now()
    writeFileAtomic(path, writeCheckpoint(latest))
    latest = undefined
    next = performance.now() + Math.max(1000 * interval, (performance.now() - started) / share)
  }
  try {
    return await work({
      ...(checkpoint && { checkpoint }),
      onCheckpoint(state) {
        latest = state
        if (performance.now() >= next) save()
      },
    })
  } catch (error) {
    if (!signal.aborted) throw error
    save()
    throw new Interrupted(`interrupted; run the same command to go on from ${path}`, { cause: error })
  } finally {
    save()
  }
}
