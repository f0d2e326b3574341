/**
 * What a Householder factorisation A P = Q R leaves for solving: R, and the first `columns` elements of Q^T b.
 * Matrices are arrays of columns one after another, so that inner loops run along memory.
 */
export interface Factors {
  readonly columns: number
  /** R, upper triangular, as columns of length `columns`. */
  readonly r: Float64Array
  readonly rhs: Float64Array
  /** Column k of R belongs to column order[k] of A. */
  readonly order: Int32Array
  /** Columns up to the first whose rest is rounding alone. */
  readonly rank: number
}

/**
 * Factors A [rows, columns], rows >= columns, each time with the longest remaining column next (Businger and Golub
 * 1965), and applies Q^T to b. Overwrites both; `r` is the memory for R.
 */
export function factor(
  a: Float64Array,
  b: Float64Array,
  columns: number,
  r: Float64Array = new Float64Array(columns * columns),
): Factors {
  const rows = b.length
  const order = new Int32Array(columns)
  for (let j = 0; j < columns; j++) order[j] = j
  for (let k = 0; k < columns; k++) {
    bringLongest(a, order, rows, k)
    const at = k * rows
    const length = normBetween(a, at + k, at + rows)
    const first = a[at + k]!
    const head = first > 0 ? -length : length
    r[k * columns + k] = head
    if (head === 0) continue
    a[at + k] = first - head
    // v^T v = 2 head (head - first)
    const scale = 1 / (head * (head - first))
    for (let j = k + 1; j < columns; j++) reflect(a, j * rows, a, at, rows, k, scale)
    reflect(b, 0, a, at, rows, k, scale)
  }
  const rhs = new Float64Array(columns)
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < j; i++) r[j * columns + i] = a[j * rows + i]!
    rhs[j] = b[j]!
  }
  return { columns, r, rhs, order, rank: rankOf(r, columns) }
}

function bringLongest(a: Float64Array, order: Int32Array, rows: number, k: number): void {
  let longest = k
  let most = -1
  for (let j = k; j < order.length; j++) {
    let squares = 0
    for (let i = j * rows + k; i < (j + 1) * rows; i++) squares += a[i]! * a[i]!
    if (squares > most) {
      longest = j
      most = squares
    }
  }
  if (longest === k) return
  const column = order[k]!
  order[k] = order[longest]!
  order[longest] = column
  for (let i = 0; i < rows; i++) {
    const x = a[k * rows + i]!
    a[k * rows + i] = a[longest * rows + i]!
    a[longest * rows + i] = x
  }
}

/** x -= scale (v^T x) v, from element `from` on, for the columns of `rows` elements that begin at xAt and vAt. */
function reflect(
  x: Float64Array,
  xAt: number,
  v: Float64Array,
  vAt: number,
  rows: number,
  from: number,
  scale: number,
): void {
  let product = 0
  for (let i = from; i < rows; i++) product += x[xAt + i]! * v[vAt + i]!
  product *= scale
  for (let i = from; i < rows; i++) x[xAt + i] = x[xAt + i]! - product * v[vAt + i]!
}

/** The Euclidean length of elements from..to, without overflow. */
export function normBetween(x: Float64Array, from: number, to: number): number {
  let squares = 0
  for (let i = from; i < to; i++) squares += x[i]! * x[i]!
  if (squares > 1e-280 && squares < 1e280) return Math.sqrt(squares)
  let largest = 0
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!))
  if (largest === 0 || largest === Number.POSITIVE_INFINITY) return largest
  let sum = 0
  for (let i = from; i < to; i++) sum += (x[i]! / largest) ** 2
  return largest * Math.sqrt(sum)
}

function rankOf(r: Float64Array, columns: number): number {
  const least = Math.abs(r[0] ?? 0) * Number.EPSILON
  let rank = 0
  while (rank < columns && Math.abs(r[rank * (columns + 1)]!) > least) rank++
  return rank
}

/** The x that minimises |A x - b|, with 0 for the columns beyond the rank. */
export function solveFactored({ columns, r, rhs, order, rank }: Factors): Float64Array {
  const x = new Float64Array(columns)
  const rest = rhs.slice()
  for (let k = rank - 1; k >= 0; k--) {
    const value = rest[k]! / r[k * columns + k]!
    x[order[k]!] = value
    for (let i = 0; i < k; i++) rest[i] = rest[i]! - value * r[k * columns + i]!
  }
  return x
}

/** R^-T P^T y, the first `rank` elements. */
export function solveTransposed({ columns, r, order, rank }: Factors, y: Float64Array): Float64Array {
  const z = new Float64Array(rank)
  for (let k = 0; k < rank; k++) {
    let rest = y[order[k]!]!
    for (let i = 0; i < k; i++) rest -= r[k * columns + i]! * z[i]!
    z[k] = rest / r[k * columns + k]!
  }
  return z
}

/** More numbers than this are not held on to. */
const mostReused = 4096

/** Memory for what the next call overwrites: small arrays cost more to allocate than to factor. */
export function reusedMemory(): (length: number) => Float64Array {
  let memory = new Float64Array(0)
  return (length) => {
    if (memory.length === length) return memory
    const made = new Float64Array(length)
    if (length <= mostReused) memory = made
    return made
  }
}

const dampedMatrix = reusedMemory()
const dampedVector = reusedMemory()
const dampedFactor = reusedMemory()

/** The factors of A with shift I below it, and b with zeros: those of a damped problem. They hold until the next call. */
export function factorDamped({ columns, r, rhs, order }: Factors, shift: number): Factors {
  const rows = 2 * columns
  const a = dampedMatrix(rows * columns).fill(0)
  for (let k = 0; k < columns; k++) {
    const at = order[k]! * rows
    for (let i = 0; i <= k; i++) a[at + i] = r[k * columns + i]!
    a[at + columns + order[k]!] = shift
  }
  const b = dampedVector(rows).fill(0)
  for (let i = 0; i < columns; i++) b[i] = rhs[i]!
  return factor(a, b, columns, dampedFactor(columns * columns))
}
