import { signOf } from './symmetricEigen.js'

const mostSweeps = 60

/**
 * U [rows, columns], s, and V [columns, columns] of a = U diag(s) V^T, rows >= columns: pairs of columns are rotated
 * until all are orthogonal (one-sided Jacobi, Hestenes 1958), which gives small singular values to high relative accuracy.
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
  const x = Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => (a[i * columns + j] as number) / scale),
  )
  const v = Array.from({ length: columns }, (_, j) => {
    const unit = new Float64Array(columns)
    unit[j] = 1
    return unit
  })
  for (let sweeps = 0; orthogonalize(x, v); sweeps++)
    if (sweeps === mostSweeps) throw new Error(`svd: did not converge in ${mostSweeps} sweeps`)
  return sorted(x, v, scale, rows, columns)
}

/** One sweep over all pairs of columns; whether any was rotated. */
function orthogonalize(x: readonly Float64Array[], v: readonly Float64Array[]): boolean {
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
      if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) continue
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

/** Descending, columns of `x` made unit vectors; those of singular values 0 are completed to an orthonormal set. */
function sorted(
  x: readonly Float64Array[],
  v: readonly Float64Array[],
  scale: number,
  rows: number,
  columns: number,
): [Float64Array, Float64Array, Float64Array] {
  const norms = x.map((column) => Math.sqrt(dot(column, column)))
  const order = Array.from(norms.keys()).sort((i, j) => (norms[j] as number) - (norms[i] as number))
  const [u, s, w] = [
    new Float64Array(rows * columns),
    new Float64Array(columns),
    new Float64Array(columns ** 2),
  ]
  const units: Float64Array[] = []
  order.forEach((from, to) => {
    const norm = norms[from] as number
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
