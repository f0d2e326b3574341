import type { Vector } from '../../linalg/vector.js'
import { firstNotFinite } from '../../linalg/vector.js'
import { showShape } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'

/** Rows and columns of a matrix that are compared together, so that both stay in the processor's cache. */
const tile = 64

/**
 * The mean of `matrix` [n, n] and its transpose, which is `matrix` itself where they are equal.
 * @throws unless it is square, finite and symmetric to rounding.
 */
export function requireSymmetric(matrix: Tensor, where: string): Tensor {
  const [n, m] = matrix.shape
  if (matrix.shape.length !== 2 || n !== m || !n)
    throw new Error(`${where} has shape ${showShape(matrix.shape)}, expected a symmetric matrix [n, n]`)
  const a = matrix.data as Vector
  const { largest, difference } = asymmetry(a, n)
  const bad = Number.isFinite(largest) ? -1 : firstNotFinite(a)
  if (bad >= 0) throw new Error(`${where} holds ${a[bad]}, expected finite numbers`)
  if (difference === 0) return matrix
  const slack = (matrix.dtype === 'float32' ? 1e-4 : 1e-9) * largest
  const mean = a.slice()
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [below, above] = [a[i * n + j]!, a[j * n + i]!]
      if (Math.abs(below - above) > slack)
        throw new Error(
          `${where} has ${below} at (${i}, ${j}) and ${above} at (${j}, ${i}), expected a symmetric matrix`,
        )
      mean[i * n + j] = mean[j * n + i] = (below + above) / 2
    }
  return new Tensor(mean, [n, n])
}

/** max |a_ij| and max |a_ij - a_ji| of a matrix [n, n], NaN where an element is; by tiles. */
function asymmetry(a: Vector, n: number) {
  let largest = 0
  let difference = 0
  for (let top = 0; top < n; top += tile)
    for (let left = 0; left <= top; left += tile)
      for (let i = top; i < Math.min(n, top + tile); i++)
        for (let j = left; j <= Math.min(i, left + tile - 1); j++) {
          const [below, above] = [a[i * n + j]!, a[j * n + i]!]
          largest = Math.max(largest, Math.abs(below), Math.abs(above))
          difference = Math.max(difference, Math.abs(below - above))
        }
  return { largest, difference }
}
