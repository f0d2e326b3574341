import type { Objective } from '../descent.js'
import { type Awaitable, after } from '../solver.js'
import type { RobustLoss } from './loss.js'
import { columnLengths, type LeastSquaresModel, transposedProduct } from './model.js'
import type { Whiten } from './noise.js'
import type { Linearized, Residuals } from './residuals.js'

/** How often functions were called. */
export interface Evaluations {
  residual: number
  jacobian: number
}

export interface Treatment {
  readonly whiten?: Whiten | undefined
  readonly loss?: RobustLoss | undefined
  /** Residuals of this size begin to count less. */
  readonly lossScale?: number
}

/** Half the sum of squares of residuals, or of what a robust loss makes of them. */
export interface LeastSquaresObjective extends Objective<LeastSquaresModel> {
  readonly evaluations: Evaluations
}

export function leastSquaresObjective(residuals: Residuals, treatment: Treatment): LeastSquaresObjective {
  const { whiten, loss, lossScale = 1 } = treatment
  const evaluations: Evaluations = { residual: 0, jacobian: 0 }
  const { rows } = residuals
  let latest: { readonly x: Float64Array; readonly model: LeastSquaresModel } | undefined

  const toModel = ({ residual, columns }: Linearized): LeastSquaresModel => {
    const n = columns.length / rows
    if (whiten) {
      whiten(residual)
      for (let j = 0; j < n; j++) whiten(columns.subarray(j * rows, (j + 1) * rows))
    }
    const value = costOf(residual, loss, lossScale)
    if (loss) reweight(residual, columns, loss, lossScale)
    const gradient = transposedProduct(columns, residual, n)
    return { value, gradient, residual, columns, lengths: columnLengths(columns, n) }
  }

  const linearize = (x: Float64Array): Awaitable<LeastSquaresModel> => {
    if (latest?.x === x) return latest.model
    evaluations.residual++
    evaluations.jacobian++
    return after(residuals.linearize(x), (linearized) => {
      const model = toModel(linearized)
      latest = { x, model }
      return model
    })
  }

  return {
    evaluations,
    linearize,
    value(x) {
      if (residuals.together) return after(linearize(x), ({ value }) => value)
      evaluations.residual++
      return after(residuals.residual(x), (residual) => {
        whiten?.(residual)
        return costOf(residual, loss, lossScale)
      })
    },
  }
}

function costOf(residual: Float64Array, loss: RobustLoss | undefined, scale: number): number {
  let sum = 0
  if (!loss) for (let i = 0; i < residual.length; i++) sum += residual[i]! * residual[i]!
  else
    for (let i = 0; i < residual.length; i++) sum += scale * scale * loss.at((residual[i]! / scale) ** 2)[0]
  return sum / 2
}

/** The curvature of a residual is at least this part of its weight: outliers of some losses have none, or less. */
const leastCurvature = 0.01

/**
 * Residuals and rows replaced by those whose sum of squares has the robust function's gradient and, where that is
 * positive, its curvature rho' + 2 z rho'' (Triggs, McLauchlan, Hartley, Fitzgibbon 2000, section 4.3).
 */
function reweight(residual: Float64Array, columns: Float64Array, loss: RobustLoss, scale: number): void {
  const rows = residual.length
  for (let i = 0; i < rows; i++) {
    const z = (residual[i]! / scale) ** 2
    const [, first, second] = loss.at(z)
    const factor = Math.sqrt(Math.max(first + 2 * z * second, leastCurvature * first))
    residual[i] = factor === 0 ? 0 : (residual[i]! * first) / factor
    for (let k = i; k < columns.length; k += rows) columns[k] = columns[k]! * factor
  }
}
