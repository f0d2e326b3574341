import type { SymmetricPattern } from './symmetric.js'

/**
 * For each column of the Cholesky factor L the row of its first entry below the diagonal, or -1 (Liu 1990; Davis,
 * Direct Methods for Sparse Linear Systems, 2006, section 4.1).
 */
export function eliminationTree({ size, columnPointers, rows }: SymmetricPattern): Int32Array {
  const parent = new Int32Array(size).fill(-1)
  const ancestor = new Int32Array(size).fill(-1)
  for (let k = 0; k < size; k++)
    for (let at = columnPointers[k]!; at < columnPointers[k + 1]!; at++) {
      let i = rows[at]!
      while (i !== -1 && i < k) {
        const next = ancestor[i]!
        ancestor[i] = k
        if (next === -1) parent[i] = k
        i = next
      }
    }
  return parent
}

/** Lists the columns in which a row of L differs from 0, its diagonal aside, descendants before their ancestors. */
export function rowReader(
  { size, columnPointers, rows }: SymmetricPattern,
  parent: Int32Array,
): (row: number) => Int32Array {
  const visitedBy = new Int32Array(size).fill(-1)
  const found = new Int32Array(size)
  const path = new Int32Array(size)
  return (row) => {
    let first = size
    visitedBy[row] = row
    for (let at = columnPointers[row]!; at < columnPointers[row + 1]!; at++) {
      let length = 0
      for (let i = rows[at]!; visitedBy[i] !== row; i = parent[i]!) {
        path[length++] = i
        visitedBy[i] = row
      }
      while (length > 0) found[--first] = path[--length]!
    }
    return found.subarray(first)
  }
}
