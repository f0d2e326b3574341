import { compileJs } from '../../engines/index.js'
import type { Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { showShape } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'

export type Float = 'float64' | 'float32'

export const float64 = (x: Tensor): Tensor => asDType(x, 'float64')

export const asDType = (x: Tensor, dtype: Float): Tensor => (x.dtype === dtype ? x : castTensor(x, dtype))

/** A copy of numbers as a vector of `dtype`. */
export const vectorOf = (values: ArrayLike<number>, dtype: Float): Vector =>
  dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values)

export function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total
}

/** sum_i log x_i. */
export const sumOfLogs = (values: Float64Array): number => sum(values.map(Math.log))

/** `eigenvalues` + `damping`. @throws when one is not positive. */
export function damped(eigenvalues: ArrayLike<number>, damping: number, where: string): Float64Array {
  const shifted = Float64Array.from(eigenvalues, (value) => value + damping)
  const bad = shifted.findIndex((value) => !(value > 0))
  if (bad >= 0)
    throw new Error(
      `${where}: eigenvalue ${bad} is ${shifted[bad]} with damping ${damping}, expected more than 0; raise the damping`,
    )
  return shifted
}

/** `matrix` [n, n] in float64. @throws unless it is square, finite and symmetric to rounding. */
export function requireSymmetric(matrix: Tensor, where: string): Tensor {
  const [n, m] = matrix.shape
  if (matrix.shape.length !== 2 || n !== m || !n)
    throw new Error(`${where} has shape ${showShape(matrix.shape)}, expected a symmetric matrix [n, n]`)
  const a = Float64Array.from(matrix.data)
  let largest = 0
  for (const x of a) {
    if (!Number.isFinite(x)) throw new Error(`${where} holds ${x}, expected finite numbers`)
    largest = Math.max(largest, Math.abs(x))
  }
  const slack = (matrix.dtype === 'float32' ? 1e-4 : 1e-9) * largest
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [below, above] = [a[i * n + j]!, a[j * n + i]!]
      if (!(Math.abs(below - above) <= slack))
        throw new Error(
          `${where} has ${below} at (${i}, ${j}) and ${above} at (${j}, ${i}), expected a symmetric matrix`,
        )
      a[i * n + j] = a[j * n + i] = (below + above) / 2
    }
  return new Tensor(a, [n, n])
}

/** The product of two matrices, at once: several times as fast as the reference loops of `np.matmul`. */
export const matmul = compileJs((x: Tensor, y: Tensor) => np.matmul(x, y))

/** The side of square matrices. */
export const sideOf = (matrix: Tensor): number => matrix.shape[0]!

/** Q diag(values) Q^T, with the eigenvectors as the columns of Q. */
export const fromEigen = (vectors: Tensor, values: ArrayLike<number>): Tensor =>
  matmul(np.multiply(vectors, Float64Array.from(values)), np.transpose(vectors))

/** What `make` makes, once, when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
