import type { LeastSquaresModel } from '../model.js'
import { type LeastSquaresObjective, objectiveOf, robustFactors, type Treatment } from '../objective.js'
import type { NormalPattern } from './normalMatrix.js'
import { type ScaledNormal, scaledNormal } from './scaledNormal.js'
import type { SparseResiduals } from './sparseResiduals.js'
import { denseColumns, lengthsOf, multiplyTransposed, type SparseRows, scaleRows } from './sparseRows.js'

/** A sum of squares near a point, with a sparse Jacobian; what else it holds is made when it is asked for. */
export interface SparseModel extends LeastSquaresModel {
  readonly jacobian: SparseRows
  /** Its normal equations, factored. */
  readonly normal: ScaledNormal
}

/** Of a Jacobian that is made dense: a gigabyte. */
const mostElements = 2 ** 27

/** Half the sum of squares of residuals with a sparse Jacobian, or of what a robust loss makes of them. */
export function sparseObjective(
  residuals: SparseResiduals,
  pattern: NormalPattern,
  treatment: Treatment,
): LeastSquaresObjective<SparseModel> {
  const { loss, lossScale = 1, whiten } = treatment
  const errors = new Float64Array(residuals.rows).fill(1)
  whiten?.(errors)
  return objectiveOf(residuals, treatment, ({ residual, jacobian }, value): SparseModel => {
    if (whiten) scaleRows(jacobian, errors)
    if (loss) scaleRows(jacobian, robustFactors(residual, loss, lossScale))
    const n = residuals.parameters
    const lengths = lengthsOf(jacobian, n)
    let normal: ScaledNormal | undefined
    return {
      value,
      residual,
      jacobian,
      gradient: multiplyTransposed(jacobian, residual, n),
      lengths,
      get normal() {
        normal ??= scaledNormal(pattern, { jacobian, lengths })
        return normal
      },
      get columns() {
        if (residual.length * n > mostElements)
          throw new Error(
            `columns: a dense Jacobian of ${residual.length} by ${n} elements is too large; ` +
              'for errors of parameters use standardErrors, which needs none',
          )
        return denseColumns(jacobian, n)
      },
    }
  })
}
