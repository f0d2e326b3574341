import { Random } from '../../../linalg/random.js'
import { times } from '../../elementwise.js'
import { type Awaitable, after } from '../../solver.js'
import type { LeastSquaresModel } from '../model.js'
import { type LeastSquaresObjective, objectiveOf, robustFactors, type Treatment } from '../objective.js'
import type { JacobianProducts, ProductResiduals } from './productResiduals.js'

/** A sum of squares near a point, with a Jacobian known by its products; `lengths` are estimates. */
export interface ProductModel extends LeastSquaresModel {
  readonly jacobian: JacobianProducts
}

/** Products from which the lengths of columns are estimated, each to about a part sqrt(2 / probes) of its square. */
const probes = 8

/** Half the sum of squares of residuals, or of what a robust loss makes of them, without their Jacobian. */
export function productObjective(
  residuals: ProductResiduals,
  treatment: Treatment,
): LeastSquaresObjective<ProductModel> {
  const { loss, lossScale = 1, whiten } = treatment
  const { rows, parameters } = residuals
  const errors = new Float64Array(rows).fill(1)
  whiten?.(errors)
  const random = new Random(0)
  const signs = Array.from({ length: probes }, (_, i) => random.split(i).rademacher(rows))
  const count = <T>(product: T): T => {
    objective.evaluations.products = (objective.evaluations.products ?? 0) + 1
    return product
  }
  const objective = objectiveOf(residuals, treatment, ({ residual, jacobian }, value) => {
    const factors = loss ? times(errors, robustFactors(residual, loss, lossScale)) : errors
    const scaled: JacobianProducts = {
      multiply: (v) => after(count(jacobian.multiply(v)), (image) => times(factors, image)),
      multiplyTransposed: (u) => count(jacobian.multiplyTransposed(times(factors, u))),
    }
    return after(scaled.multiplyTransposed(residual), (gradient) =>
      after(
        columnLengths(scaled, signs, parameters),
        (lengths): ProductModel => ({
          value,
          residual,
          gradient,
          lengths,
          jacobian: scaled,
          get columns() {
            return noColumns()
          },
        }),
      ),
    )
  })
  return objective
}

/** @throws always. */
export function noColumns(): never {
  throw new Error(
    "columns: the Jacobian was never formed (jacobian: 'matrixFree'), so errors of parameters are not known; " +
      "for them solve with jacobian 'sparse' or 'dense'",
  )
}

/** The root of the mean of (J^T s)^2 over vectors s of random signs, whose expectation is the squared length. */
function columnLengths(
  { multiplyTransposed }: JacobianProducts,
  signs: readonly Float64Array[],
  n: number,
): Awaitable<Float64Array> {
  const squares = signs.reduce<Awaitable<Float64Array>>(
    (sum, sign) =>
      after(sum, (before) =>
        after(multiplyTransposed(sign), (image) => before.map((total, j) => total + image[j]! ** 2)),
      ),
    new Float64Array(n),
  )
  return after(squares, (sums) => sums.map((sum) => Math.sqrt(sum / signs.length)))
}
