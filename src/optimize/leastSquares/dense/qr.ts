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
 * 1965), and applies Q^T to b. Overwrites both, A with what {@link applyTransposedQ} needs, and the factors given.
 */
export function factor(
  a: Float64Array,
  b: Float64Array,
  columns: number,
  { r, rhs, order }: FactorMemory = factorMemory(columns),
): Factors {
  const rows = b.length
  for (let j = 0; j < columns; j++) order[j] = j
  for (let k = 0; k < columns; k++) {
    const length = bringLongest(a, order, rows, k)
    const column = order[k]! * rows
    for (let i = 0; i < k; i++) r[k * columns + i] = a[column + i]!
    const first = a[column + k]!
    const head = first > 0 ? -length : length
    r[k * (columns + 1)] = head
    if (head !== 0) {
      a[column + k] = first - head
      // v^T v = 2 head (head - first)
      const scale = 1 / (head * (head - first))
      for (let j = k + 1; j < columns; j++) reflect(a, order[j]! * rows, a, column, rows, k, scale)
      reflect(b, 0, a, column, rows, k, scale)
    }
    rhs[k] = b[k]!
  }
  return { columns, r, rhs, order, rank: rankOf(r, columns) }
}

/**
 * Columns of length 1 at most that span more than this volume are of full rank, and need not be brought into another order
 * to see it: the volume is the product of the singular values.
 */
const clearVolume = 1e-8

/** {@link factor} for an upper triangle with columns of length 1 at most: the triangle itself where that is of full rank. */
export function factorTriangle(
  a: Float64Array,
  b: Float64Array,
  columns: number,
  memory: FactorMemory = factorMemory(columns),
): Factors {
  let volume = 1
  for (let k = 0; k < columns; k++) volume *= Math.abs(a[k * (columns + 1)]!)
  if (!(volume > clearVolume)) return factor(a, b, columns, memory)
  const { r, rhs, order } = memory
  for (let k = 0; k < columns; k++) {
    for (let i = 0; i <= k; i++) r[k * columns + i] = a[k * columns + i]!
    rhs[k] = b[k]!
    order[k] = k
  }
  return { columns, r, rhs, order, rank: columns }
}

/** The arrays of factors, which others may overwrite. */
type FactorMemory = Pick<Factors, 'r' | 'rhs' | 'order'>

function factorMemory(columns: number): FactorMemory {
  return {
    r: new Float64Array(columns * columns),
    rhs: new Float64Array(columns),
    order: new Int32Array(columns),
  }
}

/** Puts the longest remaining column, all without the rows before k, in place k of the order, and returns its length. */
function bringLongest(a: Float64Array, order: Int32Array, rows: number, k: number): number {
  let longest = k
  let most = -1
  for (let j = k; j < order.length; j++) {
    const at = order[j]! * rows + k
    const squares = dotBetween(a, at, a, at, rows - k)
    if (squares > most) {
      longest = j
      most = squares
    }
  }
  const column = order[longest]!
  order[longest] = order[k]!
  order[k] = column
  return lengthOf(most, a, column * rows + k, (column + 1) * rows)
}

/** x -= scale (v^T x) v, in elements from..end of the columns that begin at xAt and vAt. */
function reflect(
  x: Float64Array,
  xAt: number,
  v: Float64Array,
  vAt: number,
  end: number,
  from: number,
  scale: number,
): void {
  const product = scale * dotBetween(x, xAt + from, v, vAt + from, end - from)
  for (let i = from; i < end; i++) x[xAt + i] = x[xAt + i]! - product * v[vAt + i]!
}

/** The Euclidean length of elements from..to, without overflow. */
export function normBetween(x: Float64Array, from: number, to: number): number {
  return lengthOf(dotBetween(x, from, x, from, to - from), x, from, to)
}

/** The product of `count` elements of each. Two partial sums keep the processor's adders busy. */
export function dotBetween(
  x: Float64Array,
  xAt: number,
  y: Float64Array,
  yAt: number,
  count: number,
): number {
  let even = 0
  let odd = 0
  let i = 0
  for (; i + 1 < count; i += 2) {
    even += x[xAt + i]! * y[yAt + i]!
    odd += x[xAt + i + 1]! * y[yAt + i + 1]!
  }
  if (i < count) even += x[xAt + i]! * y[yAt + i]!
  return even + odd
}

/** The root of the sum of squares, or the length where that over- or underflows. */
function lengthOf(squares: number, x: Float64Array, from: number, to: number): number {
  if (squares > 1e-280 && squares < 1e280) return Math.sqrt(squares)
  let largest = 0
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!))
  if (largest === 0 || largest === Number.POSITIVE_INFINITY) return largest
  let sum = 0
  for (let i = from; i < to; i++) sum += (x[i]! / largest) ** 2
  return largest * Math.sqrt(sum)
}

function hypotenuse(x: number, y: number): number {
  const squares = x * x + y * y
  return squares > 1e-280 && squares < 1e280 ? Math.sqrt(squares) : Math.hypot(x, y)
}

function rankOf(r: Float64Array, columns: number): number {
  const least = Math.abs(r[0] ?? 0) * columns * Number.EPSILON
  let rank = 0
  while (rank < columns && Math.abs(r[rank * (columns + 1)]!) > least) rank++
  return rank
}

/** Q^T x, in place; `a` is what {@link factor} made of the matrix. */
export function applyTransposedQ(a: Float64Array, { columns, r, order }: Factors, x: Float64Array): void {
  const rows = x.length
  for (let k = 0; k < columns; k++) {
    const head = r[k * (columns + 1)]!
    const column = order[k]! * rows
    if (head !== 0) reflect(x, 0, a, column, rows, k, -1 / (head * a[column + k]!))
  }
}

/** The x that minimises |A x - b|, with 0 for the columns beyond the rank. */
export function solveFactored(
  { columns, r, rhs, order, rank }: Factors,
  x: Float64Array = new Float64Array(columns),
): Float64Array {
  for (let k = rank; k < columns; k++) x[order[k]!] = 0
  for (let k = rank - 1; k >= 0; k--) {
    let rest = rhs[k]!
    for (let j = k + 1; j < rank; j++) rest -= r[j * columns + k]! * x[order[j]!]!
    x[order[k]!] = rest / r[k * columns + k]!
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

/** A damped problem [A b] with [shift I, 0] below it, as columns; `below` is what elimination fills of the latter. */
interface DampedMemory {
  readonly above: Float64Array
  readonly below: Float64Array
  readonly rhs: Float64Array
}

function dampedMemory(columns: number): DampedMemory {
  const above = new Float64Array(columns * (columns + 1))
  return { above, below: new Float64Array(above.length), rhs: above.subarray(columns * columns) }
}

let damped = dampedMemory(0)

/**
 * The factors of A with shift I below it, and b with zeros: those of a damped problem. They hold until the next call. R
 * with the shift below has few elements other than zeros, column k of the latter k + 1, and its columns have their order.
 */
export function factorDamped({ columns, r, rhs, order }: Factors, shift: number): Factors {
  if (damped.rhs.length !== columns) damped = dampedMemory(columns)
  const { above, below } = damped
  below.fill(0)
  for (let k = 0; k < columns; k++) {
    for (let i = 0; i <= k; i++) above[k * columns + i] = r[k * columns + i]!
    below[k * (columns + 1)] = shift
    damped.rhs[k] = rhs[k]!
  }
  for (let k = 0; k < columns; k++) {
    const at = k * columns
    const first = above[at + k]!
    const length = hypotenuse(first, normBetween(below, at, at + k + 1))
    const head = first > 0 ? -length : length
    above[at + k] = head
    if (head === 0) continue
    const lead = first - head
    const scale = -1 / (head * lead)
    for (let j = k + 1; j <= columns; j++) {
      const to = j * columns
      const product = scale * (above[to + k]! * lead + dotBetween(below, to, below, at, k + 1))
      above[to + k] = above[to + k]! - product * lead
      for (let i = 0; i <= k; i++) below[to + i] = below[to + i]! - product * below[at + i]!
    }
  }
  return { columns, r: above, rhs: damped.rhs, order, rank: rankOf(above, columns) }
}
