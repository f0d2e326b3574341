import { addToLower, blockOf, partOf } from './block.js'
import type { Reflections } from './reflections.js'

/** Reflections that change the matrix behind them together, as one product of matrices. */
const panel = 32

/**
 * Q^T A Q = T, tridiagonal with `diagonal` [n] and `beside` [n], whose last is 0, of a symmetric matrix [n, n] of which the
 * lower triangle is read and overwritten.
 *
 * Source: Dongarra, Sorensen, Hammarling, Block reduction of matrices to condensed forms (1989); LAPACK dsytrd.
 */
export function tridiagonalize(
  a: Float64Array,
  n: number,
): { diagonal: Float64Array; beside: Float64Array; reflections: Reflections } {
  const diagonal = new Float64Array(n)
  const beside = new Float64Array(n)
  const vectors = new Float64Array(n * n)
  const factors = new Float64Array(n)
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(first + panel, n)
    // Reflection k changes the matrix by v_k w_k^T + w_k v_k^T.
    const partners = new Float64Array((end - first) * n)
    const vector = (k: number) => vectors.subarray(k * n, (k + 1) * n)
    const partner = (k: number) => partners.subarray((k - first) * n, (k - first + 1) * n)
    for (let k = first; k < end; k++) {
      const v = vector(k)
      for (let i = k; i < n; i++) v[i] = a[i * n + k] as number
      for (let j = first; j < k; j++) {
        const [vj, wj] = [vector(j), partner(j)]
        addPair(v, wj[k] as number, vj, vj[k] as number, wj, k)
      }
      diagonal[k] = v[k] as number
      v[k] = 0
      if (k === n - 1) break
      const [factor, norm] = reflect(v, k + 1)
      beside[k] = norm
      factors[k] = factor
      const w = partner(k)
      multiply(a, n, k + 1, v, w)
      for (let j = first; j < k; j++) {
        const [vj, wj] = [vector(j), partner(j)]
        addPair(w, dot(wj, v, k + 1), vj, dot(vj, v, k + 1), wj, k + 1)
      }
      const shift = (factor * dot(w, v, k + 1)) / 2
      for (let i = k + 1; i < n; i++) w[i] = -factor * ((w[i] as number) - shift * (v[i] as number))
    }
    update(a, n, vectors, partners, first, end)
  }
  return { diagonal, beside, reflections: { vectors: blockOf(vectors, n, n), factors } }
}

/** Makes x[from..] the vector v, v[from] = 1, of the reflection that takes x to (norm, 0, ...); returns [factor, norm]. */
function reflect(x: Float64Array, from: number): [factor: number, norm: number] {
  let rest = 0
  for (let i = from + 1; i < x.length; i++) rest += (x[i] as number) ** 2
  const first = x[from] as number
  x[from] = 1
  if (rest === 0) return [0, first]
  const norm = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest)
  const divisor = first - norm
  for (let i = from + 1; i < x.length; i++) x[i] = (x[i] as number) / divisor
  return [-divisor / norm, norm]
}

function dot(x: Float64Array, y: Float64Array, from: number): number {
  let sum = 0
  for (let i = from; i < x.length; i++) sum += (x[i] as number) * (y[i] as number)
  return sum
}

/** z += a x + b y. */
function addPair(
  z: Float64Array,
  a: number,
  x: Float64Array,
  b: number,
  y: Float64Array,
  from: number,
): void {
  for (let i = from; i < z.length; i++) z[i] = (z[i] as number) + a * (x[i] as number) + b * (y[i] as number)
}

/** p = A u for the symmetric block from row and column `from` on, four rows at a time: their sums do not wait for each other. */
function multiply(a: Float64Array, n: number, from: number, u: Float64Array, p: Float64Array): void {
  let i = from
  for (; i + 3 < n; i += 4) {
    const [row0, row1, row2, row3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n]
    const [u0, u1, u2, u3] = [u[i] as number, u[i + 1] as number, u[i + 2] as number, u[i + 3] as number]
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0]
    for (let j = from; j < i; j++) {
      const uj = u[j] as number
      const x0 = a[row0 + j] as number
      const x1 = a[row1 + j] as number
      const x2 = a[row2 + j] as number
      const x3 = a[row3 + j] as number
      sum0 += x0 * uj
      sum1 += x1 * uj
      sum2 += x2 * uj
      sum3 += x3 * uj
      p[j] = (p[j] as number) + (x0 * u0 + x1 * u1 + x2 * u2 + x3 * u3)
    }
    p[i] = (p[i] as number) + sum0
    p[i + 1] = (p[i + 1] as number) + sum1
    p[i + 2] = (p[i + 2] as number) + sum2
    p[i + 3] = (p[i + 3] as number) + sum3
    for (let k = i; k < i + 4; k++) multiplyRow(a, n, k, i, u, p)
  }
  for (; i < n; i++) multiplyRow(a, n, i, from, u, p)
}

/** What columns from.. of row i, and the same of column i, add to A u. */
function multiplyRow(
  a: Float64Array,
  n: number,
  i: number,
  from: number,
  u: Float64Array,
  p: Float64Array,
): void {
  const ui = u[i] as number
  let sum = (a[i * n + i] as number) * ui
  for (let j = from; j < i; j++) {
    const x = a[i * n + j] as number
    sum += x * (u[j] as number)
    p[j] = (p[j] as number) + x * ui
  }
  p[i] = (p[i] as number) + sum
}

/** A += V^T W + W^T V behind row and column `end`, V being rows first..end - 1 of the vectors and W their partners. */
function update(
  a: Float64Array,
  n: number,
  vectors: Float64Array,
  partners: Float64Array,
  first: number,
  end: number,
): void {
  const width = end - first
  const left = new Float64Array(n * 2 * width)
  const right = new Float64Array(2 * width * n)
  right.set(partners)
  right.set(vectors.subarray(first * n, end * n), width * n)
  for (let i = end; i < n; i++)
    for (let k = 0; k < width; k++) {
      left[2 * width * i + k] = vectors[(first + k) * n + i] as number
      left[2 * width * i + width + k] = partners[k * n + i] as number
    }
  const behind = [end, n] as const
  const both = [0, 2 * width] as const
  addToLower(
    partOf(blockOf(a, n, n), behind, behind),
    partOf(blockOf(left, n, 2 * width), behind, both),
    partOf(blockOf(right, 2 * width, n), both, behind),
  )
}
