import { diagonalOperator, type StructuredOperator } from '../../linalg/index.js'
import { norm, type Vector } from '../../linalg/vector.js'
import { damped, sum, sumOfLogs, vectorOf } from './values.js'

/** diag(d_1, d_2, ...), in the dtype of `diagonal`. */
export function structuredDiagonal(diagonal: Vector): StructuredOperator {
  const where = 'structuredDiagonal'
  const { rows, columns, dtype = 'float64', apply } = diagonalOperator(diagonal)
  return {
    rows,
    columns,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => sum(diagonal),
    logDeterminant: (damping = 0) => sumOfLogs(damped(diagonal, damping, where)),
    inverse: (damping = 0) =>
      structuredDiagonal(
        vectorOf(
          damped(diagonal, damping, where).map((d) => 1 / d),
          dtype,
        ),
      ),
    diagonal: () => Float64Array.from(diagonal),
    frobeniusNorm: () => norm(diagonal),
  }
}
