import { type Block, rotateRows } from './block.js'

const mostSweeps = 60

/**
 * Makes `d` [n] the eigenvalues, in no order, of the symmetric tridiagonal matrix with diagonal d and e_i between rows i
 * and i + 1, elements near 1 at most, and turns the rows of `z` with them: from the identity they become unit
 * eigenvectors, from some of its columns these components of theirs. `e` [n] is overwritten; its last element is not read.
 *
 * Source: Dubrulle, Martin, Wilkinson, The implicit QL algorithm (1968); EISPACK imtql2.
 * @throws when an eigenvalue takes more than 60 sweeps.
 */
export function implicitQL(d: Float64Array, e: Float64Array, z: Block): void {
  const n = d.length
  const rounding = roundingOf(d, e)
  for (let l = 0; l < n; l++)
    for (let sweeps = 0; ; sweeps++) {
      let end = l
      while (end < n - 1 && Math.abs(e[end] as number) > rounding) end++
      if (end === l) break
      if (sweeps === mostSweeps)
        throw new Error(
          `implicitQL: eigenvalue ${l} of ${n} did not converge in ${mostSweeps} sweeps; expected finite numbers`,
        )
      sweep(d, e, l, end, z)
    }
}

/** Of the largest row: sweeps leave rounding of this size even between eigenvalues near 0. */
function roundingOf(d: Float64Array, e: Float64Array): number {
  let largest = 0
  for (let i = 0; i < d.length; i++) {
    const beside = i + 1 < d.length ? Math.abs(e[i] as number) : 0
    largest = Math.max(largest, Math.abs(d[i] as number) + beside)
  }
  return Number.EPSILON * largest
}

/** One sweep over rows l..end, with Wilkinson's shift: the eigenvalue of rows l and l + 1 that is nearer to d_l. */
function sweep(d: Float64Array, e: Float64Array, l: number, end: number, z: Block): void {
  let g = ((d[l + 1] as number) - (d[l] as number)) / (2 * (e[l] as number))
  let r = Math.sqrt(g * g + 1)
  g = (d[end] as number) - (d[l] as number) + (e[l] as number) / (g + (g >= 0 ? r : -r))
  let [s, c, p] = [1, 1, 0]
  for (let i = end - 1; i >= l; i--) {
    const f = s * (e[i] as number)
    const b = c * (e[i] as number)
    r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      // The rotation vanished by underflow: the matrix has split here.
      d[i + 1] = (d[i + 1] as number) - p
      e[end] = 0
      return
    }
    s = f / r
    c = g / r
    g = (d[i + 1] as number) - p
    r = ((d[i] as number) - g) * s + 2 * c * b
    p = s * r
    d[i + 1] = g + p
    g = c * r - b
    rotateRows(z, i + 1, i, c, s)
  }
  d[l] = (d[l] as number) - p
  e[l] = g
  e[end] = 0
}
