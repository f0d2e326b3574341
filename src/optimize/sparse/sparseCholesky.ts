import { eliminationTree, rowReader } from './eliminationTree.js'
import { minimumDegree } from './minimumDegree.js'
import { permutePattern, type SymmetricMatrix, type SymmetricPattern } from './symmetric.js'

/** What the pattern alone says of a factorisation; serves all matrices of that pattern. */
export interface SymbolicCholesky {
  readonly order: Int32Array
  /** The pattern in that order. */
  readonly pattern: SymmetricPattern
  /** Where each entry of the matrix is in it. */
  readonly entryOf: Int32Array
  readonly parent: Int32Array
  /** Of L. */
  readonly columnPointers: Int32Array
  /** Entries of L. */
  readonly nonzeros: number
  /** Floating-point operations of the numeric factorisation. */
  readonly flops: number
}

/** P A P^T = L L^T, with L in compressed columns, the diagonal first. */
export interface CholeskyFactor {
  readonly order: Int32Array
  readonly columnPointers: Int32Array
  readonly rows: Int32Array
  readonly values: Float64Array
}

/** Orders and counts: what a Cholesky factorisation with the pattern will hold and cost. */
export function symbolicCholesky(
  pattern: SymmetricPattern,
  order: Int32Array = minimumDegree(pattern),
): SymbolicCholesky {
  const { size } = pattern
  const { entryOf, ...permuted } = permutePattern(pattern, order)
  const parent = eliminationTree(permuted)
  const columnsOfRow = rowReader(permuted, parent)
  const counts = new Int32Array(size).fill(1)
  for (let k = 0; k < size; k++) for (const j of columnsOfRow(k)) counts[j]!++
  const columnPointers = new Int32Array(size + 1)
  let flops = 0
  for (let j = 0; j < size; j++) {
    columnPointers[j + 1] = columnPointers[j]! + counts[j]!
    flops += counts[j]! ** 2
  }
  return { order, pattern: permuted, entryOf, parent, columnPointers, nonzeros: columnPointers[size]!, flops }
}

/**
 * The factor of a symmetric positive definite matrix, row by row (Davis 2006, section 4.7, up-looking). Nothing where
 * the matrix is not positive definite; but with `leastPivot`, columns whose squared pivot is no larger depend on those
 * before them, and their pivot becomes infinite, so that solutions are 0 there.
 */
export function sparseCholesky(
  matrix: SymmetricMatrix,
  symbolic: SymbolicCholesky = symbolicCholesky(matrix),
  leastPivot?: number,
): CholeskyFactor | undefined {
  const { order, pattern, entryOf, parent, columnPointers, nonzeros } = symbolic
  const { size } = pattern
  const upper = new Float64Array(matrix.values.length)
  for (let k = 0; k < upper.length; k++) upper[entryOf[k]!] = matrix.values[k]!
  const columnsOfRow = rowReader(pattern, parent)
  const rows = new Int32Array(nonzeros)
  const values = new Float64Array(nonzeros)
  const end = columnPointers.slice(0, size)
  const row = new Float64Array(size)
  for (let k = 0; k < size; k++) {
    for (let at = pattern.columnPointers[k]!; at < pattern.columnPointers[k + 1]!; at++)
      row[pattern.rows[at]!] = upper[at]!
    let pivot = row[k]!
    row[k] = 0
    for (const j of columnsOfRow(k)) {
      const first = columnPointers[j]!
      const last = end[j]!
      const l = row[j]! / values[first]!
      row[j] = 0
      for (let at = first + 1; at < last; at++) row[rows[at]!] = row[rows[at]!]! - values[at]! * l
      pivot -= l * l
      rows[last] = k
      values[last] = l
      end[j] = last + 1
    }
    if (!(pivot > (leastPivot ?? 0))) {
      if (leastPivot === undefined) return undefined
      pivot = Number.POSITIVE_INFINITY
    }
    rows[end[k]!] = k
    values[end[k]!++] = Math.sqrt(pivot)
  }
  return { order, columnPointers, rows, values }
}

/** x with A x = b for a factored A. */
export function solveCholesky(factor: CholeskyFactor, b: Float64Array): Float64Array {
  const { order, columnPointers, rows, values } = factor
  const n = order.length
  if (b.length !== n)
    throw new Error(`solveCholesky: b has ${b.length} elements, expected ${n} as the matrix has rows`)
  const y = new Float64Array(n)
  for (let k = 0; k < n; k++) y[k] = b[order[k]!]!
  for (let j = 0; j < n; j++) {
    const first = columnPointers[j]!
    const z = y[j]! / values[first]!
    y[j] = z
    for (let at = first + 1; at < columnPointers[j + 1]!; at++) y[rows[at]!] = y[rows[at]!]! - values[at]! * z
  }
  for (let j = n - 1; j >= 0; j--) {
    const first = columnPointers[j]!
    let sum = y[j]!
    for (let at = first + 1; at < columnPointers[j + 1]!; at++) sum -= values[at]! * y[rows[at]!]!
    y[j] = sum / values[first]!
  }
  const x = new Float64Array(n)
  for (let k = 0; k < n; k++) x[order[k]!] = y[k]!
  return x
}
