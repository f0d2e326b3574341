import { type Block, blockOf, partOf } from './block.js'
import { multiply, multiplyTransposed } from './reflections.js'

/** Columns whose reflections change those behind them together. */
const panel = 32

/**
 * Q [rows, columns] and R [columns, columns], its diagonal >= 0, of a = Q R, rows >= columns: Householder's reflections of
 * the columns, which are kept as rows so that inner loops run along them.
 */
export function qr(a: Float64Array, rows: number, columns: number): [q: Float64Array, r: Float64Array] {
  const r = new Float64Array(columns * columns)
  const x = blockOf(new Float64Array(rows * columns), columns, rows)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) x.data[j * rows + i] = a[i * columns + j] as number
  const factors = new Float64Array(columns)
  for (let first = 0; first < columns; first += panel) {
    const end = Math.min(first + panel, columns)
    reflectPanel(x, first, end, factors, r)
    const width = [first, rows] as const
    const vectors = partOf(x, [first, end], width)
    multiply(partOf(x, [end, columns], width), { vectors, factors: factors.subarray(first, end) })
  }
  const q = blockOf(new Float64Array(rows * columns), columns, rows)
  for (let j = 0; j < columns; j++) {
    const sign = (r[j * (columns + 1)] as number) < 0 ? -1 : 1
    q.data[j * (rows + 1)] = sign
    for (let k = j; k < columns; k++) r[j * columns + k] = sign * (r[j * columns + k] as number)
  }
  multiplyTransposed(q, { vectors: x, factors })
  const transposed = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) transposed[i * columns + j] = q.data[j * rows + i] as number
  return [transposed, r]
}

/** Makes rows first..end - 1 of x, columns of the matrix, the vectors of their reflections, and writes their part of R. */
function reflectPanel(x: Block, first: number, end: number, factors: Float64Array, r: Float64Array): void {
  const [columns, rows] = [x.rows, x.columns]
  const column = (j: number) => x.data.subarray(j * rows, (j + 1) * rows)
  for (let j = first; j < end; j++) {
    const v = column(j)
    for (let i = 0; i < j; i++) r[i * columns + j] = v[i] as number
    v.fill(0, 0, j)
    let squares = 0
    for (let i = j; i < rows; i++) squares += (v[i] as number) ** 2
    const top = v[j] as number
    const norm = top > 0 ? -Math.sqrt(squares) : Math.sqrt(squares)
    r[j * (columns + 1)] = norm
    v[j] = top - norm
    // v^T v = 2 norm (norm - top)
    factors[j] = squares === 0 ? 0 : 1 / (norm * (norm - top))
    for (let k = j + 1; k < end; k++) reflect(column(k), v, factors[j] as number, j)
  }
}

/** x -= factor (v^T x) v, from component `from` on. */
function reflect(x: Float64Array, v: Float64Array, factor: number, from: number): void {
  let product = 0
  for (let i = from; i < x.length; i++) product += (x[i] as number) * (v[i] as number)
  product *= factor
  for (let i = from; i < x.length; i++) x[i] = (x[i] as number) - product * (v[i] as number)
}
