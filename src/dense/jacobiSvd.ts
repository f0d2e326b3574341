import { signOf, symmetricEigen } from './symmetricEigen.js'

const mostSweeps = 60

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
  for (const x of a)
    if (!Number.isFinite(x)) throw new Error(`svd: the matrix holds ${x}, expected finite numbers`)
  const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const scale = largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)), -1000)
  // Columns as rows, so that inner loops run along memory.
  const [x, v] = nearlyOrthogonal(
    a.map((e) => e / scale),
    rows,
    columns,
  )
  const least = negligible(x)
  for (let sweeps = 0; orthogonalize(x, v, least); sweeps++)
    if (sweeps === mostSweeps) throw new Error(`svd: did not converge in ${mostSweeps} sweeps`)
  return sorted(x, v, scale, least, rows)
}

/** The columns of a V, and V, with V the eigenvectors of a^T a: orthogonal up to rounding, so that few sweeps remain. */
function nearlyOrthogonal(
  a: Float64Array,
  rows: number,
  columns: number,
): [x: Float64Array[], v: Float64Array[]] {
  const gram = new Float64Array(columns * columns)
  for (let k = 0; k < rows; k++) {
    const row = a.subarray(k * columns, (k + 1) * columns)
    for (let i = 0; i < columns; i++) {
      const factor = row[i] as number
      for (let j = 0; j <= i; j++)
        gram[i * columns + j] = (gram[i * columns + j] as number) + factor * (row[j] as number)
    }
  }
  const { vectors } = symmetricEigen(gram, columns)
  const v = Array.from({ length: columns }, (_, j) => vectors.slice(j * columns, (j + 1) * columns)).reverse()
  const x = v.map((vector) =>
    Float64Array.from({ length: rows }, (_, i) => {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += (a[i * columns + j] as number) * (vector[j] as number)
      return sum
    }),
  )
  return [x, v]
}

/** The length up to which a column is rounding alone. */
function negligible(x: readonly Float64Array[]): number {
  const longest = Math.max(0, ...x.map((column) => Math.sqrt(dot(column, column))))
  return longest * Number.EPSILON * (x[0]?.length ?? 0)
}

/** One sweep over all pairs of columns that are longer than `least`; whether any was rotated. */
function orthogonalize(x: readonly Float64Array[], v: readonly Float64Array[], least: number): boolean {
  let rotated = false
  for (let p = 0; p < x.length; p++)
    for (let q = p + 1; q < x.length; q++) {
      const [xp, xq] = [x[p] as Float64Array, x[q] as Float64Array]
      let [pp, pq, qq] = [0, 0, 0]
      for (let i = 0; i < xp.length; i++) {
        const [a, b] = [xp[i] as number, xq[i] as number]
        pp += a * a
        pq += a * b
        qq += b * b
      }
      if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq) || Math.min(pp, qq) <= least * least) continue
      rotated = true
      const cotangent = (qq - pp) / (2 * pq)
      const tangent = (cotangent >= 0 ? 1 : -1) / (Math.abs(cotangent) + Math.sqrt(1 + cotangent * cotangent))
      const c = 1 / Math.sqrt(1 + tangent * tangent)
      rotate(xp, xq, c, c * tangent)
      rotate(v[p] as Float64Array, v[q] as Float64Array, c, c * tangent)
    }
  return rotated
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number]
    x[i] = c * a - s * b
    y[i] = s * a + c * b
  }
}

const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, a, i) => sum + a * (y[i] as number), 0)

/** Descending, columns of `x` made unit vectors; those that are rounding alone get singular
 * value 0, and are completed to an orthonormal set. */
function sorted(
  x: readonly Float64Array[],
  v: readonly Float64Array[],
  scale: number,
  least: number,
  rows: number,
): [Float64Array, Float64Array, Float64Array] {
  const columns = x.length
  const norms = x.map((column) => Math.sqrt(dot(column, column)))
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
    const sign = signOf(v[from] as Float64Array)
    const unit =
      norm > 0 ? (x[from] as Float64Array).map((e) => (sign * e) / norm) : orthogonalTo(units, rows)
    units.push(unit)
    s[to] = norm * scale
    for (let i = 0; i < rows; i++) u[i * columns + to] = unit[i] as number
    for (let i = 0; i < columns; i++) w[i * columns + to] = sign * ((v[from] as Float64Array)[i] as number)
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
