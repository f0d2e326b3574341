import { type SymbolicCholesky, symbolicCholesky } from '../../sparse/sparseCholesky.js'
import { countPairs, type SymmetricPattern, symmetricPattern } from '../../sparse/symmetric.js'
import type { SparseRows } from './sparseRows.js'

/** Where A^T A may differ from 0 for a pattern of A, and how it is factored. */
export interface NormalPattern {
  readonly pattern: SymmetricPattern
  /** For each two entries of each row of A, the entry of A^T A to which their product belongs. */
  readonly entryOfPair: Int32Array
  readonly symbolic: SymbolicCholesky
}

export function normalPattern(
  { rowPointers, columns }: Pick<SparseRows, 'rowPointers' | 'columns'>,
  n: number,
): NormalPattern {
  const count = countPairs(rowPointers)
  const [first, second] = [new Int32Array(count), new Int32Array(count)]
  let next = 0
  for (let i = 0; i + 1 < rowPointers.length; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++)
      for (let l = rowPointers[i]!; l <= k; l++) {
        first[next] = columns[l]!
        second[next++] = columns[k]!
      }
  const { entryOf, ...pattern } = symmetricPattern(n, first, second)
  return { pattern, entryOfPair: entryOf, symbolic: symbolicCholesky(pattern) }
}

/** The upper triangle of D^-1 A^T A D^-1, D = diag(units). */
export function normalMatrix(
  { pattern, entryOfPair }: NormalPattern,
  { rowPointers, columns, values }: SparseRows,
  units: Float64Array,
): Float64Array {
  const matrix = new Float64Array(pattern.rows.length)
  const row = new Float64Array(longestRow(rowPointers))
  let pair = 0
  for (let i = 0; i + 1 < rowPointers.length; i++) {
    const start = rowPointers[i]!
    const length = rowPointers[i + 1]! - start
    for (let k = 0; k < length; k++) row[k] = values[start + k]! / units[columns[start + k]!]!
    for (let k = 0; k < length; k++)
      for (let l = 0; l <= k; l++) matrix[entryOfPair[pair++]!]! += row[k]! * row[l]!
  }
  return matrix
}

function longestRow(rowPointers: Int32Array): number {
  let longest = 0
  for (let i = 0; i + 1 < rowPointers.length; i++)
    longest = Math.max(longest, rowPointers[i + 1]! - rowPointers[i]!)
  return longest
}

/** A normal matrix with `added` on its diagonal. */
export function withDiagonal(
  { pattern }: NormalPattern,
  matrix: Float64Array,
  added: Float64Array,
): Float64Array {
  const values = matrix.slice()
  // The diagonal is the last entry of each column.
  for (let j = 0; j < pattern.size; j++) values[pattern.columnPointers[j + 1]! - 1]! += added[j]!
  return values
}
