import { divide, type Vector } from '../vector.js'

export interface TridiagonalEigen {
  /** Eigenvalues, ascending. */
  readonly values: Float64Array
  /**
   * Per eigenvalue, the asked part of its unit eigenvector: `vectors[j]` belongs to `values[j]` and holds the whole
   * eigenvector ('all'), or only its first or last component; empty for 'none'.
   */
  readonly vectors: readonly Float64Array[]
}

/**
 * Eigenvalues of the symmetric tridiagonal matrix with `diagonal` d_0..d_{m-1} and `offDiagonal` e_0..e_{m-2}, and
 * as much of the eigenvectors as is asked for, by the implicit QL algorithm with Wilkinson's shift (Dubrulle,
 * Martin, Wilkinson 1968; EISPACK imtql2). O(m^2), with 'all' eigenvectors O(m^3).
 *
 * @throws when the lengths do not fit, an entry is not finite, or an eigenvalue takes more than `maxIterations`.
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  offDiagonal: ArrayLike<number>,
  options: { vectors?: 'none' | 'first' | 'last' | 'all'; maxIterations?: number } = {},
): TridiagonalEigen {
  const { vectors = 'none', maxIterations = 60 } = options
  const m = diagonal.length
  if (m < 1 || offDiagonal.length !== m - 1)
    throw new Error(
      `tridiagonalEigen: diagonal has ${m} and offDiagonal ${offDiagonal.length} entries, expected m >= 1 and m - 1`,
    )
  const d = Float64Array.from(diagonal)
  const e = new Float64Array(m)
  e.set(Array.from(offDiagonal))
  for (let i = 0; i < m; i++)
    if (!Number.isFinite(d[i]!) || !Number.isFinite(e[i]!))
      throw new Error(`tridiagonalEigen: row ${i} holds ${d[i]} and ${e[i]}, expected finite numbers`)

  // Row j of z becomes eigenvector j, so that one rotation runs along two contiguous rows.
  const z = startRows(m, vectors)
  // Scaled exactly to entries of about 1, so that squares neither overflow nor underflow where it matters.
  let largest = 0
  for (let i = 0; i < m; i++) largest = Math.max(largest, Math.abs(d[i]!), Math.abs(e[i]!))
  const scale = largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)), -1000)
  divide(d, scale)
  divide(e, scale)

  for (let l = 0; l < m; l++) {
    for (let iteration = 0; ; iteration++) {
      let end = l
      while (end < m - 1 && Math.abs(e[end]!) > Number.EPSILON) end++
      if (end === l) break
      if (iteration === maxIterations)
        throw new Error(
          `tridiagonalEigen: eigenvalue ${l} of ${m} did not converge in ${maxIterations} iterations`,
        )
      sweep(d, e, z, l, end)
    }
  }
  const order = Array.from(d.keys()).sort((i, j) => d[i]! - d[j]!)
  return {
    values: Float64Array.from(order, (i) => d[i]! * scale),
    vectors: vectors === 'none' ? [] : order.map((i) => z[i]!),
  }
}

/** One implicit QL sweep over rows l..end, which no negligible off-diagonal entry divides. */
function sweep(d: Float64Array, e: Float64Array, z: readonly Float64Array[], l: number, end: number): void {
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!)
  let r = Math.sqrt(g * g + 1)
  g = d[end]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r))
  let s = 1
  let c = 1
  let p = 0
  for (let i = end - 1; i >= l; i--) {
    const f = s * e[i]!
    const b = c * e[i]!
    r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      // The rotation vanished by underflow: the matrix has split here.
      d[i + 1] = d[i + 1]! - p
      e[end] = 0
      return
    }
    s = f / r
    c = g / r
    g = d[i + 1]! - p
    r = (d[i]! - g) * s + 2 * c * b
    p = s * r
    d[i + 1] = g + p
    g = c * r - b
    rotate(z[i]!, z[i + 1]!, c, s)
  }
  d[l] = d[l]! - p
  e[l] = g
  e[end] = 0
}

function rotate(x: Vector, y: Vector, c: number, s: number): void {
  for (let k = 0; k < x.length; k++) {
    const f = y[k]!
    y[k] = s * x[k]! + c * f
    x[k] = c * x[k]! - s * f
  }
}

function startRows(m: number, vectors: 'none' | 'first' | 'last' | 'all'): Float64Array[] {
  const column = { none: -1, first: 0, last: m - 1, all: 0 }[vectors]
  return Array.from({ length: m }, (_, i) => {
    if (vectors === 'none') return new Float64Array(0)
    const row = new Float64Array(vectors === 'all' ? m : 1)
    if (vectors === 'all') row[i] = 1
    else if (i === column) row[0] = 1
    return row
  })
}
