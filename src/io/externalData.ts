import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, win32 } from 'node:path'
import type { ExternalLoader } from '../onnx/file/tensors.js'

/**
 * A loader of a model's external tensor data from `folder`, the model's own. It reads regular files inside that folder
 * only: absolute paths, `..`, links that lead outside, devices and pipes are refused, and so are ranges past a file's end.
 */
export function externalDataIn(folder: string): ExternalLoader {
  return (location, offset, length) => {
    try {
      if (!isInside(location)) throw new Error("is refused: the path must stay inside the model's folder")
      return readRange(resolveIn(folder, location), offset, length)
    } catch (error) {
      throw new Error(`external data ${JSON.stringify(location.slice(0, 200))} ${reasonOf(error)}`)
    }
  }
}

function resolveIn(folder: string, location: string): string {
  const path = realpathSync(join(folder, location))
  if (!isInside(relative(realpathSync(folder), path)))
    throw new Error("is refused: a link leads outside the model's folder")
  return path
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  const notRegular = 'is refused: not a regular file'
  // Looked at before it is opened (opening a device can act on it), and again after (it may have been exchanged).
  if (!statSync(path).isFile()) throw new Error(notRegular)
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error(notRegular)
    if (!isSize(offset) || !isSize(length) || offset + length > stat.size)
      throw new Error(`has ${stat.size} bytes, but ${length} from byte ${offset} on were asked for`)
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const read = readSync(file, bytes, done, length - done, offset + done)
      if (read === 0) throw new Error('ended while it was read')
      done += read
    }
    return bytes
  } finally {
    closeSync(file)
  }
}

/** Never the message of a file system error, which names the machine's path. */
function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'does not exist'
  return code ? `cannot be read (${code})` : (error as Error).message
}

function isInside(path: string): boolean {
  return (
    path !== '' &&
    !path.includes('\0') &&
    !isAbsolute(path) &&
    !win32.isAbsolute(path) &&
    !/^[a-z]:/i.test(path) &&
    !path.split(/[\\/]/).includes('..')
  )
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
