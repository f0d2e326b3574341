import { divideAndConquer } from './divideAndConquer.js'
import { multiplyTransposed } from './reflections.js'
import { divideBy, scaleOf } from './scale.js'
import { tridiagonalize } from './tridiagonalize.js'

/**
 * Eigenvalues, ascending, and unit eigenvectors, as the rows of `vectors` [n, n], of a symmetric matrix [n, n] of which
 * the lower triangle is read and overwritten: Householder's reduction to tridiagonal form, then divide and conquer.
 * @throws when an element is not finite.
 */
export function symmetricEigen(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const wrong = a.find((x) => !Number.isFinite(x))
  if (wrong !== undefined) throw new Error(`eigh: the matrix holds ${wrong}, expected finite numbers`)
  const scale = scaleOf(a)
  divideBy(a, scale)
  const { diagonal, beside, reflections } = tridiagonalize(a, n)
  const vectors = divideAndConquer(diagonal, beside)
  multiplyTransposed(vectors, reflections)
  return inOrder(diagonal, vectors.data, scale, n)
}

/** Sorted, each eigenvector with its largest component positive. */
function inOrder(d: Float64Array, z: Float64Array, scale: number, n: number) {
  const order = Array.from(d.keys()).sort((i, j) => (d[i] as number) - (d[j] as number))
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    const sign = signOf(z.subarray(from * n, (from + 1) * n))
    for (let k = 0; k < n; k++) vectors[to * n + k] = sign * (z[from * n + k] as number)
  })
  return { values: Float64Array.from(order, (i) => (d[i] as number) * scale), vectors }
}

/** The sign of the largest component; of several that are equal up to rounding, of the first. */
export function signOf(x: Float64Array): number {
  let largest = 0
  for (const component of x) if (Math.abs(component) > Math.abs(largest) * (1 + 1e-6)) largest = component
  return largest < 0 ? -1 : 1
}
