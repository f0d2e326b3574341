import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { denseOperator, type LinearOperator, Random } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/tensor.js'

/** Q diag(values) Q^T with a random orthogonal Q (Householder reflections), as rows. */
export function withEigenvalues(values: readonly number[], seed: number): Matrix {
  const n = values.length
  const random = new Random(seed).split('matrix')
  let a = Matrix.diag([...values])
  for (let k = 0; k < Math.min(n, 8); k++) {
    const v = Matrix.columnVector([...random.normals(n)])
    const reflection = Matrix.eye(n).sub(v.mmul(v.transpose()).mul(2 / v.dot(v)))
    a = reflection.mmul(a).mmul(reflection)
  }
  return a.clone().add(a.transpose()).mul(0.5)
}

/** (G + G^T) / 2 for G of independent normals. */
export function randomSymmetric(n: number, seed: number): Matrix {
  const random = new Random(seed).split('matrix')
  const g = new Matrix(Array.from({ length: n }, () => [...random.normals(n)]))
  return g.clone().add(g.transpose()).mul(0.5)
}

export function operatorOf(matrix: Matrix, dtype: 'float64' | 'float32' = 'float64'): LinearOperator {
  const data = matrix.to1DArray()
  const shape = [matrix.rows, matrix.columns]
  return denseOperator(
    new Tensor(dtype === 'float64' ? Float64Array.from(data) : Float32Array.from(data), shape),
  )
}

/** Eigenvalues by ml-matrix's dense solver, descending. */
export function denseEigenvalues(matrix: Matrix): number[] {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.sort((a, b) => b - a)
}

/** The operator, aborting `controller` with its `reason` after `products` calls. */
export function abortingAfter(
  operator: LinearOperator,
  products: number,
  controller: AbortController,
  reason: unknown,
) {
  let calls = 0
  const wrapped: LinearOperator = {
    ...operator,
    apply(x) {
      if (++calls === products) controller.abort(reason)
      return operator.apply(x)
    },
  }
  return { operator: wrapped, calls: () => calls }
}
