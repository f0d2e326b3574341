import { compile } from '../../engines/index.js'
import type { StructuredOperator } from '../../linalg/index.js'
import { blockSize, requireFloat } from '../../linalg/operators/operator.js'
import { requireCount } from '../../linalg/products.js'
import { norm, type Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { type Tensor, tensor } from '../../tensor/index.js'
import { showShape } from '../../tensor/shape.js'
import { asDType, damped, float64, sum, sumOfLogs } from './values.js'

const product = compile((diagonal: Tensor, sign: Tensor, rows: Tensor, x: Tensor) => {
  const along = np.multiply(sign, np.matmul(x, np.transpose(rows)))
  return np.add(np.multiply(x, diagonal), np.matmul(along, rows))
})

/**
 * diag(d) + sign U^T U for `diagonal` d [n] and a few `rows` U [r, n]; in the dtype of U. With d > 0 its inverse has the
 * same form (Woodbury): (D + s U^T U)^-1 = D^-1 - s W^T W with W = L^-1 U D^-1 and L L^T = I + s U D^-1 U^T, of which
 * also det (D + s U^T U) = det D det(L)^2. Preparing an inverse or determinant takes r^2 n operations, a product 4 r n.
 */
export function structuredLowRank(diagonal: Vector, rows: Tensor, sign: 1 | -1 = 1): StructuredOperator {
  const where = 'structuredLowRank'
  const n = diagonal.length
  const dtype = requireFloat(rows.dtype, `${where}: rows`)
  requireCount(n, 'the length of diagonal', where)
  if (rows.shape.length !== 2 || rows.shape[1] !== n)
    throw new Error(`${where}: rows has shape ${showShape(rows.shape)}, expected [r, ${n}]`)
  const exact = float64(rows)
  const [d, s] = [asDType(tensor(diagonal), dtype), tensor(sign, { dtype })]
  /** D + damping I, and L. */
  const factor = (damping: number) => {
    const shifted = damped(diagonal, damping, where)
    const scaled = np.divide(exact, shifted)
    const inner = np.multiply(np.matmul(scaled, np.transpose(exact)), sign)
    return { shifted, scaled, lower: np.cholesky(np.add(np.eye(rows.shape[0]!), inner)) }
  }
  const squares = () => np.sum(np.square(exact), { axis: 0 }).data as Float64Array
  const ownDiagonal = () => squares().map((square, i) => diagonal[i]! + sign * square)
  const apply = (vectors: Tensor) => {
    blockSize(vectors, n, where)
    return product(d, s, rows, vectors)
  }
  return {
    rows: n,
    columns: n,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => sum(ownDiagonal()),
    logDeterminant(damping = 0) {
      const { shifted, lower } = factor(damping)
      return sumOfLogs(shifted) + 2 * sumOfLogs(np.diagonal(lower).data as Float64Array)
    },
    inverse(damping = 0) {
      const { shifted, scaled, lower } = factor(damping)
      const w = np.solveTriangular(lower, scaled, { lower: true })
      return structuredLowRank(
        shifted.map((value) => 1 / value),
        asDType(w, dtype),
        sign === 1 ? -1 : 1,
      )
    },
    diagonal: ownDiagonal,
    /** |D + s U^T U|^2 = |d|^2 + 2 s sum_i d_i (U^T U)_ii + |U U^T|^2. */
    frobeniusNorm() {
      const cross = sum(squares().map((square, i) => square * diagonal[i]!))
      const gram = norm(np.matmul(exact, np.transpose(exact)).data as Float64Array)
      return Math.sqrt(norm(diagonal) ** 2 + 2 * sign * cross + gram ** 2)
    },
  }
}
