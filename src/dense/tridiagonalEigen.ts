import { type Block, blockOf } from './block.js'
import { divideAndConquer } from './divideAndConquer.js'
import { implicitQL } from './implicitQL.js'
import { divideBy, scaleOf } from './scale.js'

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
 * as much of the eigenvectors as is asked for: all by divide and conquer, O(m^3); less by the implicit QL algorithm, O(m^2).
 *
 * @throws when the lengths do not fit, an entry is not finite, or an eigenvalue does not converge.
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  offDiagonal: ArrayLike<number>,
  { vectors = 'none' }: { vectors?: 'none' | 'first' | 'last' | 'all' } = {},
): TridiagonalEigen {
  const m = diagonal.length
  if (m < 1 || offDiagonal.length !== m - 1)
    throw new Error(
      `tridiagonalEigen: diagonal has ${m} and offDiagonal ${offDiagonal.length} entries, expected m >= 1 and m - 1`,
    )
  const d = Float64Array.from(diagonal)
  const e = new Float64Array(m)
  e.set(Array.from(offDiagonal))
  for (let i = 0; i < m; i++)
    if (!Number.isFinite(d[i]) || !Number.isFinite(e[i]))
      throw new Error(`tridiagonalEigen: row ${i} holds ${d[i]} and ${e[i]}, expected finite numbers`)
  const scale = scaleOf(d, e)
  divideBy(d, scale)
  divideBy(e, scale)
  const z = vectors === 'all' ? divideAndConquer(d, e) : components(d, e, vectors)
  const order = Array.from(d.keys()).sort((i, j) => (d[i] as number) - (d[j] as number))
  return {
    values: Float64Array.from(order, (i) => (d[i] as number) * scale),
    vectors: vectors === 'none' ? [] : order.map((i) => z.data.slice(i * z.columns, (i + 1) * z.columns)),
  }
}

/** The first or last components of the eigenvectors, as one column, or no column. */
function components(d: Float64Array, e: Float64Array, which: 'none' | 'first' | 'last'): Block {
  const m = d.length
  const z = blockOf(new Float64Array(m), m, which === 'none' ? 0 : 1)
  z.data[which === 'first' ? 0 : m - 1] = 1
  implicitQL(d, e, z)
  return z
}
