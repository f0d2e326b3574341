import { zipSync } from 'fflate'
import type { Tensor } from '../tensor/tensor.js'
import { DataError } from './error.js'
import type { DecompressLimits } from './gzip.js'
import { readNpy, writeNpy } from './npy.js'
import { zipEntries } from './zip.js'

/**
 * The arrays of a .npz file by name, each read only when called for. Entries other than .npy are left out.
 * @throws DataError when the archive is damaged, over `limits`, or holds a name twice.
 */
export function openNpz(bytes: Uint8Array, limits: DecompressLimits = {}): Map<string, () => Tensor> {
  const arrays = new Map<string, () => Tensor>()
  for (const entry of zipEntries(bytes, limits)) {
    if (!entry.name.endsWith('.npy')) continue
    const name = entry.name.slice(0, -'.npy'.length)
    if (arrays.has(name)) throw new DataError(`the archive holds array ${JSON.stringify(name)} twice`)
    arrays.set(name, () => {
      try {
        return readNpy(entry.read())
      } catch (error) {
        if (error instanceof DataError) throw new DataError(`array ${JSON.stringify(name)}: ${error.reason}`)
        throw error
      }
    })
  }
  return arrays
}

/**
 * All arrays of a .npz file, as NumPy's savez and savez_compressed write it.
 * @throws DataError as {@link openNpz} and {@link readNpy} do.
 */
export function readNpz(bytes: Uint8Array, limits: DecompressLimits = {}): Record<string, Tensor> {
  return Object.fromEntries([...openNpz(bytes, limits)].map(([name, read]) => [name, read()]))
}

/** The bytes of an uncompressed .npz file; the same arrays always give the same bytes. */
export function writeNpz(arrays: Readonly<Record<string, Tensor>>): Uint8Array {
  const entries = Object.entries(arrays).map(([name, x]) => [`${name}.npy`, writeNpy(x)] as const)
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: new Date(1980, 0, 1) })
}
