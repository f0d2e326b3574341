import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { expect } from 'vitest'
import type { LinearOperator } from '../../src/linalg/index.js'
import { castTensor, Tensor } from '../../src/tensor/tensor.js'

/** Compares products of a block of vectors, and of its transpose where there is one, with a dense matrix. */
export async function expectMatrix(operator: LinearOperator, dense: Matrix, digits: number): Promise<void> {
  expect([operator.rows, operator.columns]).toEqual([dense.rows, dense.columns])
  const largest = Math.max(dense.max(), -dense.min(), 1e-300)
  const check = async (product: LinearOperator['apply'], matrix: Matrix) => {
    const k = 3
    const vectors = Matrix.from1DArray(
      k,
      matrix.columns,
      Array.from({ length: k * matrix.columns }, (_, i) => Math.sin(1 + i * i)),
    )
    const given = castTensor(
      new Tensor(Float64Array.from(vectors.to1DArray()), [k, matrix.columns]),
      operator.dtype ?? 'float64',
    )
    const products = await product(given)
    expect(products.dtype).toBe(operator.dtype ?? 'float64')
    const expected = vectors.mmul(matrix.transpose()).to1DArray()
    const scale = largest * Math.sqrt(matrix.columns)
    expect(Array.from(products.data, (x) => x / scale)).toEqual(
      expected.map((x) => expect.closeTo(x / scale, digits)),
    )
  }
  await check((v) => operator.apply(v), dense)
  if (operator.applyTranspose) await check((v) => operator.applyTranspose!(v), dense.transpose())
}

/** Eigenvalues of a symmetric matrix, largest first. */
export function denseEigenvalues(matrix: Matrix): number[] {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.sort((a, b) => b - a)
}
