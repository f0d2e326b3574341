import type { LocalModel, Objective } from '../descent.js'
import { type Awaitable, after } from '../solver.js'
import { columnLengths, type LeastSquaresModel, transposedProduct } from './model.js'
import type { RobustLoss } from './residuals/loss.js'
import type { Whiten } from './residuals/noise.js'
import type { Residuals } from './residuals/residuals.js'

/** How often functions were called. */
export interface Evaluations {
  residual: number
  jacobian: number
  /** With a Jacobian that was never formed, its products with vectors, and those of its transpose. */
  products?: number
}

export interface Treatment {
  readonly whiten?: Whiten | undefined
  readonly loss?: RobustLoss | undefined
  /** Residuals of this size begin to count less. */
  readonly lossScale?: number
}

/** Half the sum of squares of residuals, or of what a robust loss makes of them. */
export interface LeastSquaresObjective<Model extends LocalModel = LeastSquaresModel>
  extends Objective<Model> {
  readonly evaluations: Evaluations
}

export function leastSquaresObjective(residuals: Residuals, treatment: Treatment): LeastSquaresObjective {
  const { whiten, loss, lossScale = 1 } = treatment
  const { rows } = residuals
  return objectiveOf(residuals, treatment, ({ residual, columns }, value, spare): LeastSquaresModel => {
    const n = columns.length / rows
    if (whiten) for (let j = 0; j < n; j++) whiten(columns.subarray(j * rows, (j + 1) * rows))
    if (loss) {
      const factors = robustFactors(residual, loss, lossScale)
      for (let k = 0; k < columns.length; k++) columns[k] = columns[k]! * factors[k % rows]!
    }
    const gradient = transposedProduct(columns, residual, n, spare?.gradient)
    return { value, gradient, residual, columns, lengths: columnLengths(columns, n, spare?.lengths) }
  })
}

/** The objective whose models `toModel` makes of whitened residuals, their derivatives and the value. */
export function objectiveOf<L extends { readonly residual: Float64Array }, Model extends LocalModel>(
  residuals: Pick<Residuals, 'together' | 'residual'> & {
    linearize(x: Float64Array, spare?: NoInfer<Model>): Awaitable<L>
  },
  { whiten, loss, lossScale = 1 }: Treatment,
  toModel: (linearized: L, value: number, spare?: Model) => Awaitable<Model>,
): LeastSquaresObjective<Model> {
  const evaluations: Evaluations = { residual: 0, jacobian: 0 }
  let latest: { readonly x: Float64Array; readonly model: Model } | undefined
  const whitenedCost = (residual: Float64Array) => {
    whiten?.(residual)
    return costOf(residual, loss, lossScale)
  }

  const linearize = (x: Float64Array, spare?: Model): Awaitable<Model> => {
    if (latest?.x === x) return latest.model
    evaluations.residual++
    evaluations.jacobian++
    return after(residuals.linearize(x, spare), (linearized) =>
      after(toModel(linearized, whitenedCost(linearized.residual), spare), (model) => {
        latest = { x, model }
        return model
      }),
    )
  }

  return {
    evaluations,
    linearize,
    value(x, spare) {
      if (residuals.together) return after(linearize(x, spare), ({ value }) => value)
      evaluations.residual++
      return after(residuals.residual(x), whitenedCost)
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
 * Residuals, in place, and the factors of their rows for a sum of squares that has the robust function's gradient and,
 * where that is positive, its curvature rho' + 2 z rho'' (Triggs, McLauchlan, Hartley, Fitzgibbon 2000, section 4.3).
 */
export function robustFactors(residual: Float64Array, loss: RobustLoss, scale: number): Float64Array {
  return residual.map((r, i) => {
    const z = (r / scale) ** 2
    const [, first, second] = loss.at(z)
    const factor = Math.sqrt(Math.max(first + 2 * z * second, leastCurvature * first))
    residual[i] = factor === 0 ? 0 : (r * first) / factor
    return factor
  })
}
