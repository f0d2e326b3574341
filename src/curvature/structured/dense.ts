import { compile } from '../../engines/index.js'
import type { StructuredOperator } from '../../linalg/index.js'
import { blockSize, requireFloat } from '../../linalg/operators/operator.js'
import { norm } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/index.js'
import { sideOf } from './factor.js'
import { requireSymmetric } from './symmetric.js'
import { asDType, float64, sum, sumOfLogs } from './values.js'

const product = compile((x: Tensor, y: Tensor) => np.matmul(x, y))

/** A symmetric matrix [n, n], in its dtype; inverse and determinant by Cholesky factors in float64. */
export function structuredDense(matrix: Tensor): StructuredOperator {
  const where = 'structuredDense'
  const dtype = requireFloat(matrix.dtype, `${where}: matrix`)
  const exact = float64(requireSymmetric(matrix, `${where}: matrix`))
  const held = asDType(exact, dtype)
  const n = sideOf(matrix)
  const factor = (damping: number) => np.cholesky(np.add(exact, np.multiply(np.eye(n), damping)))
  const apply = (vectors: Tensor) => {
    blockSize(vectors, n, where)
    return product(vectors, asDType(held, requireFloat(vectors.dtype, `${where}: vectors`)))
  }
  const diagonal = () => np.diagonal(exact).data as Float64Array
  return {
    rows: n,
    columns: n,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => sum(diagonal()),
    logDeterminant: (damping = 0) => 2 * sumOfLogs(np.diagonal(factor(damping)).data as Float64Array),
    inverse(damping = 0) {
      const half = np.solveTriangular(factor(damping), np.eye(n), { lower: true })
      return structuredDense(asDType(np.matmul(np.transpose(half), half), dtype))
    },
    diagonal,
    frobeniusNorm: () => norm(exact.data as Float64Array),
  }
}
