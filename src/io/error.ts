/** Data that cannot be read or written. The message names the file, when there is one, and the reason. */
export class DataError extends Error {
  readonly reason: string
  readonly file: string | undefined

  constructor(reason: string, file?: string) {
    super(file === undefined ? reason : `${file}: ${reason}`)
    this.name = 'DataError'
    this.reason = reason
    this.file = file
  }
}

/** Runs `action`; a {@link DataError} it throws comes out naming `file`. */
export function namingFile<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof DataError) throw new DataError(error.reason, file)
    if (error instanceof RangeError) throw new DataError('needs more memory than is available', file)
    const code = (error as { code?: unknown }).code
    if (typeof code === 'string') throw new DataError(systemReasons[code] ?? `failed with ${code}`, file)
    throw error
  }
}

const systemReasons: Record<string, string> = {
  EACCES: 'permission denied',
  EISDIR: 'is a folder, expected a file',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ERR_INVALID_ARG_VALUE: 'the path holds a NUL character',
}
