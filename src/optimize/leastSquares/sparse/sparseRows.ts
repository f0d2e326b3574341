/** A sparse matrix by rows: row i has values[k] at columns[k] for rowPointers[i] <= k < rowPointers[i + 1]. */
export interface SparseRows {
  readonly rowPointers: Int32Array
  readonly columns: Int32Array
  readonly values: Float64Array
}

/** A x. */
export function multiply({ rowPointers, columns, values }: SparseRows, x: Float64Array): Float64Array {
  const y = new Float64Array(rowPointers.length - 1)
  for (let i = 0; i < y.length; i++) {
    let sum = 0
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) sum += values[k]! * x[columns[k]!]!
    y[i] = sum
  }
  return y
}

/** A^T y, of `n` elements. */
export function multiplyTransposed(
  { rowPointers, columns, values }: SparseRows,
  y: Float64Array,
  n: number,
): Float64Array {
  const x = new Float64Array(n)
  for (let i = 0; i < y.length; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) x[columns[k]!]! += values[k]! * y[i]!
  return x
}

/** A^T, of `n` rows. */
export function transposed({ rowPointers, columns, values }: SparseRows, n: number): SparseRows {
  const pointers = new Int32Array(n + 1)
  for (const j of columns) pointers[j + 1]!++
  for (let j = 0; j < n; j++) pointers[j + 1]! += pointers[j]!
  const next = pointers.slice(0, n)
  const back = { columns: new Int32Array(columns.length), values: new Float64Array(columns.length) }
  for (let i = 0; i + 1 < rowPointers.length; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) {
      const at = next[columns[k]!]!++
      back.columns[at] = i
      back.values[at] = values[k]!
    }
  return { rowPointers: pointers, ...back }
}

/** The Euclidean lengths of the `n` columns. */
export function lengthsOf({ columns, values }: SparseRows, n: number): Float64Array {
  const largest = new Float64Array(n)
  for (let k = 0; k < values.length; k++)
    largest[columns[k]!] = Math.max(largest[columns[k]!]!, Math.abs(values[k]!))
  const squares = new Float64Array(n)
  for (let k = 0; k < values.length; k++)
    if (values[k] !== 0) squares[columns[k]!]! += (values[k]! / largest[columns[k]!]!) ** 2
  return squares.map((square, j) => largest[j]! * Math.sqrt(square))
}

/** Each row times its factor, in place. */
export function scaleRows({ rowPointers, values }: SparseRows, factors: Float64Array): void {
  for (let i = 0; i < factors.length; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) values[k]! *= factors[i]!
}

/** All elements row by row, of `n` columns. */
export function denseRows({ rowPointers, columns, values }: SparseRows, n: number): Float64Array {
  const rows = rowPointers.length - 1
  const dense = new Float64Array(rows * n)
  for (let i = 0; i < rows; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) dense[i * n + columns[k]!] = values[k]!
  return dense
}

/** A matrix given by all its columns, one after another. */
export function rowsOfColumns(dense: Float64Array, n: number): SparseRows {
  const rows = dense.length / n
  return {
    rowPointers: Int32Array.from({ length: rows + 1 }, (_, i) => i * n),
    columns: Int32Array.from({ length: rows * n }, (_, k) => k % n),
    values: Float64Array.from({ length: rows * n }, (_, k) => dense[(k % n) * rows + Math.floor(k / n)]!),
  }
}

/** All elements as columns, one after another. */
export function denseColumns({ rowPointers, columns, values }: SparseRows, n: number): Float64Array {
  const rows = rowPointers.length - 1
  const dense = new Float64Array(rows * n)
  for (let i = 0; i < rows; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) dense[columns[k]! * rows + i] = values[k]!
  return dense
}
