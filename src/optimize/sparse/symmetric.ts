import { bucketOrder, bucketPointers } from './bucketOrder.js'

/**
 * Where a symmetric matrix may differ from 0: its upper triangle in compressed columns. Column j has the ascending
 * rows[k] <= j, j itself among them, for columnPointers[j] <= k < columnPointers[j + 1].
 */
export interface SymmetricPattern {
  readonly size: number
  readonly columnPointers: Int32Array
  readonly rows: Int32Array
}

/** Entry k of the pattern is values[k], and so is its mirror image. */
export interface SymmetricMatrix extends SymmetricPattern {
  readonly values: Float64Array
}

/** A pattern with the entry of it that each of a list of positions became. */
export interface IndexedPattern extends SymmetricPattern {
  readonly entryOf: Int32Array
}

/**
 * The pattern of positions (rows[k], columns[k]), each standing for its mirror image too; positions may repeat. The
 * diagonal is always there.
 * @throws when there are not as many rows as columns, or one is outside the matrix.
 */
export function symmetricPattern(
  size: number,
  rows: ArrayLike<number>,
  columns: ArrayLike<number>,
): IndexedPattern {
  const count = rows.length
  if (columns.length !== count)
    throw new Error(
      `symmetricPattern: got ${count} rows and ${columns.length} columns, expected as many of each`,
    )
  const upper = new Int32Array(count + size)
  const lower = new Int32Array(count + size)
  for (let k = 0; k < count; k++) {
    const [i, j] = [rows[k]!, columns[k]!]
    if (!isIndex(i, size) || !isIndex(j, size))
      throw new Error(
        `symmetricPattern: entry ${k} is at (${i}, ${j}), expected indices from 0 to ${size - 1}`,
      )
    upper[k] = Math.min(i, j)
    lower[k] = Math.max(i, j)
  }
  for (let j = 0; j < size; j++) upper[count + j] = lower[count + j] = j
  const kept = new Int32Array(count + size)
  const keptColumns = new Int32Array(count + size)
  const entryOf = new Int32Array(count + size)
  let last = -1
  for (const k of bucketOrder(lower, size, bucketOrder(upper, size))) {
    if (last < 0 || kept[last] !== upper[k] || keptColumns[last] !== lower[k]) {
      last++
      kept[last] = upper[k]!
      keptColumns[last] = lower[k]!
    }
    entryOf[k] = last
  }
  return {
    size,
    columnPointers: bucketPointers(keptColumns.subarray(0, last + 1), size),
    rows: kept.slice(0, last + 1),
    entryOf: entryOf.subarray(0, count),
  }
}

const isIndex = (i: number, size: number) => Number.isInteger(i) && i >= 0 && i < size

/** The matrix of entries at positions, those at one position added. See {@link symmetricPattern}. */
export function symmetricMatrix(
  size: number,
  rows: ArrayLike<number>,
  columns: ArrayLike<number>,
  entries: ArrayLike<number>,
): SymmetricMatrix {
  if (entries.length !== rows.length)
    throw new Error(
      `symmetricMatrix: got ${entries.length} entries at ${rows.length} rows, expected as many of each`,
    )
  const pattern = symmetricPattern(size, rows, columns)
  const values = new Float64Array(pattern.rows.length)
  for (let k = 0; k < entries.length; k++) {
    const at = pattern.entryOf[k]!
    values[at] = values[at]! + entries[k]!
  }
  return { ...pattern, values }
}

/** Row and column k of the result are row and column order[k]; `entryOf` says where each entry went. */
export function permutePattern(pattern: SymmetricPattern, order: Int32Array): IndexedPattern {
  const place = new Int32Array(pattern.size)
  for (let k = 0; k < order.length; k++) place[order[k]!] = k
  return symmetricPattern(
    pattern.size,
    pattern.rows.map((i) => place[i]!),
    columnsOf(pattern).map((j) => place[j]!),
  )
}

/** The column of each entry. */
export function columnsOf({ size, columnPointers, rows }: SymmetricPattern): Int32Array {
  const columns = new Int32Array(rows.length)
  for (let j = 0; j < size; j++) columns.fill(j, columnPointers[j]!, columnPointers[j + 1]!)
  return columns
}

/** How many pairs groups of members from pointers[i] to pointers[i + 1] have, each member with itself among them. */
export function countPairs(pointers: Int32Array): number {
  let count = 0
  for (let i = 0; i + 1 < pointers.length; i++) {
    const members = pointers[i + 1]! - pointers[i]!
    count += (members * (members + 1)) / 2
  }
  return count
}
