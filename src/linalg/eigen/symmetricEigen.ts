import { dot, type Vector } from '../vector.js'

export interface SymmetricEigen {
  /** Ascending. */
  readonly values: Float64Array
  /** The unit eigenvector of each, orthogonal to the others. */
  readonly vectors: readonly Float64Array[]
}

/**
 * All eigenpairs of a small dense symmetric matrix, given as rows, by cyclic Jacobi rotations (Golub and
 * Van Loan, Matrix Computations, 8.5): orthonormal vectors to working precision, O(k^3) a sweep.
 *
 * @throws when the off-diagonal part is not negligible after `maxSweeps`.
 */
export function symmetricEigen(matrix: readonly Vector[], maxSweeps = 40): SymmetricEigen {
  const k = matrix.length
  const a = matrix.map((row) => Float64Array.from(row))
  const vectors = matrix.map((_, i) => Float64Array.from({ length: k }, (_, j) => (i === j ? 1 : 0)))
  const size = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0))
  for (let sweep = 0; !sweepOnce(a, vectors, Number.EPSILON * size * 0.1); sweep++)
    if (sweep === maxSweeps)
      throw new Error(
        `symmetricEigen: a matrix of ${k} rows did not become diagonal in ${maxSweeps} sweeps; expected finite symmetric rows`,
      )
  const order = [...a.keys()].sort((i, j) => a[i]![i]! - a[j]![j]!)
  return { values: Float64Array.from(order, (i) => a[i]![i]!), vectors: order.map((i) => vectors[i]!) }
}

/** Rotates away each off-diagonal entry above `negligible`; returns whether there was none. */
function sweepOnce(a: Float64Array[], vectors: Float64Array[], negligible: number): boolean {
  let diagonal = true
  for (let p = 0; p < a.length; p++)
    for (let q = p + 1; q < a.length; q++) {
      const off = a[p]![q]!
      if (Math.abs(off) <= negligible) continue
      diagonal = false
      const theta = (a[q]![q]! - a[p]![p]!) / (2 * off)
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
      const c = 1 / Math.hypot(t, 1)
      const s = t * c
      rotate(a[p]!, a[q]!, c, s)
      for (const row of a) {
        const x = row[p]!
        row[p] = c * x - s * row[q]!
        row[q] = s * x + c * row[q]!
      }
      rotate(vectors[p]!, vectors[q]!, c, s)
    }
  return diagonal
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const xi = x[i]!
    x[i] = c * xi - s * y[i]!
    y[i] = s * xi + c * y[i]!
  }
}
