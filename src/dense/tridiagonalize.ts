import { addProduct, type Block, blockOf, transposedBlock } from './block.js'

/** Q = H_0 H_1 ... with H_k = I - factors_k v_k v_k^T, where v_k is row k of `vectors` [n, n] and 0 up to component k. */
export interface Reflections {
  readonly vectors: Float64Array
  readonly factors: Float64Array
}

/**
 * Q^T A Q = T, tridiagonal with `diagonal` [n] and `beside` [n], whose last is 0, of a symmetric matrix [n, n] of which the lower
 * triangle is read and overwritten (EISPACK tred2). The rank-two update of one step and the product with the vector of the
 * next go over the matrix together.
 */
export function tridiagonalize(
  a: Float64Array,
  n: number,
): { diagonal: Float64Array; beside: Float64Array; reflections: Reflections } {
  const diagonal = new Float64Array(n)
  const beside = new Float64Array(n)
  const vectors = new Float64Array(n * n)
  const factors = new Float64Array(n)
  let v: Float64Array = new Float64Array(n)
  let w: Float64Array = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    const [vk, wk] = [v[k] as number, w[k] as number]
    diagonal[k] = (a[k * n + k] as number) - 2 * vk * wk
    if (k === n - 1) break
    const u = vectors.subarray(k * n, (k + 1) * n)
    for (let i = k + 1; i < n; i++)
      u[i] = (a[i * n + k] as number) - (v[i] as number) * wk - (w[i] as number) * vk
    const [factor, norm] = reflect(u, k + 1, n)
    beside[k] = norm
    factors[k] = factor
    const p = new Float64Array(n)
    updateAndMultiply(a, n, k + 1, v, w, u, p)
    let inner = 0
    for (let i = k + 1; i < n; i++) inner += (p[i] as number) * (u[i] as number)
    const shift = (factor * factor * inner) / 2
    for (let i = k + 1; i < n; i++) p[i] = factor * (p[i] as number) - shift * (u[i] as number)
    v = u
    w = p
  }
  return { diagonal, beside, reflections: { vectors, factors } }
}

/** Makes x[from..] the vector v, v[from] = 1, of the reflection that takes x to (norm, 0, ...); returns [factor, norm]. */
function reflect(x: Float64Array, from: number, n: number): [factor: number, norm: number] {
  let rest = 0
  for (let i = from + 1; i < n; i++) rest += (x[i] as number) ** 2
  const first = x[from] as number
  x[from] = 1
  if (rest === 0) return [0, first]
  const norm = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest)
  const divisor = first - norm
  for (let i = from + 1; i < n; i++) x[i] = (x[i] as number) / divisor
  return [-divisor / norm, norm]
}

/** A -= v w^T + w v^T, then p = A u, for the symmetric block from row and column `from` on. */
function updateAndMultiply(
  a: Float64Array,
  n: number,
  from: number,
  v: Float64Array,
  w: Float64Array,
  u: Float64Array,
  p: Float64Array,
): void {
  const single = (i: number, start: number) => {
    const [vi, wi, ui] = [v[i] as number, w[i] as number, u[i] as number]
    const row = i * n
    for (let j = start; j < i; j++) {
      const x = (a[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number)
      a[row + j] = x
      p[i] = (p[i] as number) + x * (u[j] as number)
      p[j] = (p[j] as number) + x * ui
    }
    const x = (a[row + i] as number) - 2 * vi * wi
    a[row + i] = x
    p[i] = (p[i] as number) + x * ui
  }
  let i = from
  // Two rows at a time: their sums do not wait for each other.
  for (; i + 1 < n; i += 2) {
    const [v0, w0, u0] = [v[i] as number, w[i] as number, u[i] as number]
    const [v1, w1, u1] = [v[i + 1] as number, w[i + 1] as number, u[i + 1] as number]
    const row = i * n
    const next = row + n
    let sum0 = 0
    let sum1 = 0
    for (let j = from; j < i; j++) {
      const [vj, wj, uj] = [v[j] as number, w[j] as number, u[j] as number]
      const x = (a[row + j] as number) - v0 * wj - w0 * vj
      const y = (a[next + j] as number) - v1 * wj - w1 * vj
      a[row + j] = x
      a[next + j] = y
      sum0 += x * uj
      sum1 += y * uj
      p[j] = (p[j] as number) + x * u0 + y * u1
    }
    p[i] = (p[i] as number) + sum0
    p[i + 1] = (p[i + 1] as number) + sum1
    single(i, i)
    single(i + 1, i)
  }
  if (i < n) single(i, from)
}

/** Reflections that are applied together, as two products of matrices. */
const panel = 32

/** z Q^T, in place, for z [m, n]. */
export function reflectRows(z: Block, { vectors, factors }: Reflections): void {
  const n = z.columns
  for (let to = n - 1; to > 0; to -= panel) {
    const from = Math.max(to - panel, 0)
    const v = blockOf(vectors, to - from, n - from - 1, { at: from * (n + 1) + 1, stride: n })
    const columns = blockOf(z.data, z.rows, v.columns, { at: z.at + from + 1, stride: z.rowStride })
    const products = blockOf(new Float64Array(z.rows * v.rows), z.rows, v.rows)
    addProduct(products, columns, transposedBlock(v))
    addProduct(columns, products, compact(v, factors.subarray(from, to)))
  }
}

/** S with H_m ... H_1 H_0 = I + V^T S for the reflections along the rows of V [m + 1, width]. */
function compact(v: Block, factors: Float64Array): Block {
  const m = v.rows
  const products = new Float64Array(m * m)
  addProduct(blockOf(products, m, m), v, transposedBlock(v))
  // S = C V: row i of S is -factor_i (v_i + the sum over j < i of (v_i, v_j) times row j of S).
  const c = new Float64Array(m * m)
  for (let i = 0; i < m; i++) {
    const ci = c.subarray(i * m, i * m + i + 1)
    ci[i] = 1
    for (let j = 0; j < i; j++)
      for (let k = 0; k <= j; k++)
        ci[k] = (ci[k] as number) + (products[i * m + j] as number) * (c[j * m + k] as number)
    for (let k = 0; k <= i; k++) ci[k] = -(factors[i] as number) * (ci[k] as number)
  }
  const s = blockOf(new Float64Array(m * v.columns), m, v.columns)
  addProduct(s, blockOf(c, m, m), v)
  return s
}
