import { addProduct, type Block, blockOf, productOf, rotateRows, rowOf, transposedBlock } from './block.js'
import { divideBy, scaleOf } from './scale.js'
import { signOf, symmetricEigen } from './symmetricEigen.js'

const mostSweeps = 60

/** Rotations by up to this tangent are the identity and a small change: all together are one product of matrices. */
const smallTangent = 1e-8

/**
 * U [rows, columns], s, and V [columns, columns] of a = U diag(s) V^T, rows >= columns: pairs of columns are rotated
 * until all are orthogonal (one-sided Jacobi, Hestenes 1958), from the eigenvectors of a^T a on.
 * @throws when an element is not finite.
 */
export function jacobiSvd(
  a: Float64Array,
  rows: number,
  columns: number,
): [u: Float64Array, s: Float64Array, v: Float64Array] {
  const wrong = a.find((x) => !Number.isFinite(x))
  if (wrong !== undefined) throw new Error(`svd: the matrix holds ${wrong}, expected finite numbers`)
  const scale = scaleOf(a)
  const scaled = a.slice()
  divideBy(scaled, scale)
  // Columns as rows, so that inner loops run along memory.
  const v = eigenvectorsOfGram(transposedBlock(blockOf(scaled, rows, columns)))
  const x = productOf(v, transposedBlock(blockOf(scaled, rows, columns)))
  const least = negligible(x)
  rotateSlightly(x, v, least)
  for (let sweeps = 0; orthogonalize(x, v, least); sweeps++)
    if (sweeps === mostSweeps) throw new Error(`svd: did not converge in ${mostSweeps} sweeps`)
  return sorted(x, v, scale, least)
}

/** The eigenvectors of x x^T as rows, by descending eigenvalue: they make the rows of V x orthogonal up to rounding. */
function eigenvectorsOfGram(x: Block): Block {
  const n = x.rows
  const { vectors } = symmetricEigen(productOf(x, transposedBlock(x)).data, n)
  const descending = blockOf(new Float64Array(n * n), n, n)
  for (let i = 0; i < n; i++) rowOf(descending, i).set(vectors.subarray((n - 1 - i) * n, (n - i) * n))
  return descending
}

/** The length up to which a column is rounding alone. */
function negligible(x: Block): number {
  let longest = 0
  for (let i = 0; i < x.rows; i++) longest = Math.max(longest, Math.sqrt(dot(rowOf(x, i), rowOf(x, i))))
  return longest * Number.EPSILON * x.columns
}

/** Squared lengths and products of the rows of x, and which pairs need a rotation. */
function products(x: Block, least: number) {
  const n = x.rows
  const { data } = productOf(x, transposedBlock(x))
  // What rounding alone leaves of a cosine.
  const orthogonal = Number.EPSILON * Math.max(4, Math.sqrt(x.columns))
  const square = (p: number) => data[p * (n + 1)] as number
  const at = (p: number, q: number) => data[p * n + q] as number
  const isApart = (p: number, q: number) =>
    Math.abs(at(p, q)) <= orthogonal * Math.sqrt(square(p) * square(q)) ||
    Math.min(square(p), square(q)) <= least * least
  return { square, at, isApart }
}

/** The small among the rotations that make rows orthogonal, which do not disturb each other. */
function rotateSlightly(x: Block, v: Block, least: number): void {
  const n = x.rows
  const { square, at, isApart } = products(x, least)
  const change = blockOf(new Float64Array(n * n), n, n)
  for (let p = 0; p < n; p++)
    for (let q = p + 1; q < n; q++) {
      const tangent = at(p, q) / (square(q) - square(p))
      if (isApart(p, q) || !(Math.abs(tangent) <= smallTangent)) continue
      change.data[p * n + q] = -tangent
      change.data[q * n + p] = tangent
    }
  for (const z of [x, v]) addProduct(z, change, { ...z, data: z.data.slice() })
}

/** One sweep over all pairs of rows that are longer than `least`; whether any was rotated. */
function orthogonalize(x: Block, v: Block, least: number): boolean {
  let rotated = false
  const { isApart } = products(x, least)
  for (let p = 0; p < x.rows; p++)
    for (let q = p + 1; q < x.rows; q++) {
      if (isApart(p, q)) continue
      rotated = true
      const [xp, xq] = [rowOf(x, p), rowOf(x, q)]
      const cotangent = (dot(xq, xq) - dot(xp, xp)) / (2 * dot(xp, xq))
      const tangent = (cotangent >= 0 ? 1 : -1) / (Math.abs(cotangent) + Math.sqrt(1 + cotangent * cotangent))
      const c = 1 / Math.sqrt(1 + tangent * tangent)
      for (const z of [x, v]) rotateRows(z, p, q, c, -c * tangent)
    }
  return rotated
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number)
  return sum
}

/**
 * Descending, rows of `x` made unit vectors; those that are rounding alone get singular value 0, and are completed to an
 * orthonormal set.
 */
function sorted(
  x: Block,
  v: Block,
  scale: number,
  least: number,
): [Float64Array, Float64Array, Float64Array] {
  const [columns, rows] = [x.rows, x.columns]
  const norms = Array.from({ length: columns }, (_, i) => Math.sqrt(dot(rowOf(x, i), rowOf(x, i))))
  const order = Array.from(norms.keys()).sort((i, j) => (norms[j] as number) - (norms[i] as number))
  const [u, s, w] = [
    new Float64Array(rows * columns),
    new Float64Array(columns),
    new Float64Array(columns ** 2),
  ]
  const units: Float64Array[] = []
  order.forEach((from, to) => {
    const length = norms[from] as number
    const norm = length > least ? length : 0
    const sign = signOf(rowOf(v, from))
    const unit = norm > 0 ? rowOf(x, from).map((e) => (sign * e) / norm) : orthogonalTo(units, rows)
    units.push(unit)
    s[to] = norm * scale
    for (let i = 0; i < rows; i++) u[i * columns + to] = unit[i] as number
    for (let i = 0; i < columns; i++) w[i * columns + to] = sign * (rowOf(v, from)[i] as number)
  })
  return [u, s, w]
}

/** A unit vector orthogonal to others: the axis that is furthest from their span, with its part in it removed twice. */
function orthogonalTo(units: readonly Float64Array[], n: number): Float64Array {
  const outside = (i: number) => 1 - units.reduce((sum, unit) => sum + (unit[i] as number) ** 2, 0)
  let best = 0
  for (let i = 1; i < n; i++) if (outside(i) > outside(best) + 1e-9) best = i
  const x = new Float64Array(n)
  x[best] = 1
  for (let pass = 0; pass < 2; pass++)
    for (const unit of units) {
      const part = dot(unit, x)
      for (let i = 0; i < n; i++) x[i] = (x[i] as number) - part * (unit[i] as number)
    }
  const norm = Math.sqrt(dot(x, x))
  return x.map((e) => e / norm)
}
