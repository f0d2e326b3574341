import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { namingFile } from './error.js'
import { checkRegularFile } from './files.js'

/**
 * Writes `data` to `path` so that the file is either as it was before or complete: a temporary file in the same
 * folder, flushed to disk, then renamed. A file that is replaced passes its permissions on, and links are
 * followed. On failure nothing is left behind.
 * @throws DataError naming the file and the reason.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  namingFile(path, () => {
    const replaced = statSync(path, { throwIfNoEntry: false })
    if (replaced) checkRegularFile(replaced)
    const target = replaced ? realpathSync(path) : path
    const unique = `${process.pid}.${crypto.randomUUID().slice(0, 8)}`
    const temporary = join(dirname(target), `.${basename(target)}.${unique}.tmp`)
    const file = openSync(temporary, 'wx')
    try {
      try {
        if (replaced) fchmodSync(file, replaced.mode & 0o777)
        writeFileSync(file, data)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(temporary, target)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  })
}
