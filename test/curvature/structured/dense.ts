import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'
import { expect } from 'vitest'
import { type LinearOperator, Random, type StructuredOperator, toDense } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/index.js'

export type Float = 'float64' | 'float32'

export function tensorOf(matrix: Matrix, dtype: Float = 'float64'): Tensor {
  const data = matrix.to1DArray()
  return new Tensor(dtype === 'float64' ? Float64Array.from(data) : Float32Array.from(data), [
    matrix.rows,
    matrix.columns,
  ])
}

export function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = new Random(seed).split('matrix')
  return new Matrix(Array.from({ length: rows }, () => [...random.normals(columns)]))
}

/** G G^T / n + I / 2 for random G. */
export function randomPositive(n: number, seed: number): Matrix {
  const g = randomMatrix(n, n, seed)
  return g.mmul(g.transpose()).div(n).add(Matrix.eye(n).mul(0.5))
}

export const plusDamping = (matrix: Matrix, damping: number): Matrix =>
  matrix.clone().add(Matrix.eye(matrix.rows).mul(damping))

export async function expectDense(
  operator: LinearOperator,
  expected: Matrix,
  accuracy = 1e-9,
): Promise<void> {
  const dense = await toDense(operator, { block: 7 })
  expect(dense.shape).toEqual([expected.rows, expected.columns])
  const got = new Matrix(
    Array.from({ length: expected.rows }, (_, i) => [
      ...dense.data.subarray(i * expected.columns, (i + 1) * expected.columns),
    ]),
  )
  expect(got.sub(expected).norm() / expected.norm()).toBeLessThan(accuracy)
}

/** log det by the Cholesky factor of another library. */
export function logDeterminantOf(matrix: Matrix): number {
  const factor = new CholeskyDecomposition(matrix).lowerTriangularMatrix
  return 2 * factor.diagonal().reduce((sum, value) => sum + Math.log(value), 0)
}

/** Everything a structured operator knows, and its inverse and the inverse of that, against a dense matrix. */
export async function expectStructured(
  operator: StructuredOperator,
  matrix: Matrix,
  accuracy = 1e-9,
): Promise<void> {
  await expectFigures(operator, matrix, accuracy)
  for (const damping of [0, 0.3]) {
    const shifted = plusDamping(matrix, damping)
    expectNear(operator.logDeterminant(damping), logDeterminantOf(shifted), accuracy)
    const inverted = operator.inverse(damping)
    expect(inverted.dtype ?? 'float64').toBe(operator.dtype ?? 'float64')
    await expectFigures(inverted, inverse(shifted), accuracy)
    expectNear(inverted.logDeterminant(), -logDeterminantOf(shifted), accuracy)
    await expectFigures(inverted.inverse(), shifted, accuracy)
  }
}

async function expectFigures(operator: StructuredOperator, matrix: Matrix, accuracy: number): Promise<void> {
  await expectDense(operator, matrix, accuracy)
  expect(operator.applyTranspose).toBe(operator.apply)
  expectNear(operator.trace(), matrix.trace(), accuracy)
  expectNear(operator.frobeniusNorm(), matrix.norm('frobenius'), accuracy)
  const diagonal = matrix.diagonal()
  operator.diagonal().forEach((value, i) => {
    expectNear(value, diagonal[i]!, accuracy)
  })
  expect(operator.diagonal().length).toBe(matrix.rows)
}

export function expectNear(got: number, expected: number, accuracy: number): void {
  expect(Math.abs(got - expected)).toBeLessThan(accuracy * (1 + Math.abs(expected)))
}
