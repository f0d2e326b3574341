import { lanczosBytes } from '../../linalg/index.js'
import { showBytes } from '../operators/index.js'

/** How Lanczos vectors are kept beside the operator. */
export interface VectorMemory {
  readonly basisDtype: 'float64' | 'float32'
  /** Lanczos processes that may run side by side. */
  readonly processes: number
  /** What is left of the budget for the operator. */
  readonly operatorBytes: number
}

/**
 * Divides a budget between Lanczos vectors of `n` parameters and the operator: at most half for the vectors, in float64
 * where a quarter is enough.
 * @throws when one process does not fit.
 */
export function vectorMemory(n: number, steps: number, most: number, memoryBytes: number): VectorMemory {
  const basisDtype = lanczosBytes(n, steps) <= memoryBytes / 4 ? 'float64' : 'float32'
  const each = lanczosBytes(n, steps, basisDtype)
  if (each > memoryBytes / 2)
    throw new Error(
      `analyze: memoryBytes is ${memoryBytes} (${showBytes(memoryBytes)}), but ${steps} Lanczos steps keep vectors of ` +
        `${n} parameters in ${showBytes(each)}, more than half of it; raise memoryBytes, or take fewer steps and eigenvalues`,
    )
  const processes = Math.max(1, Math.min(most, Math.floor(memoryBytes / 4 / each)))
  return { basisDtype, processes, operatorBytes: memoryBytes - processes * each }
}
