import type { Descent } from '../descent.js'
import type { Search } from '../search.js'
import type { Scale } from './dense/scaled.js'
import type { LeastSquaresModel } from './model.js'
import type { LeastSquaresObjective, Treatment } from './objective.js'
import type { Residuals } from './residuals/residuals.js'

/** How a problem's derivatives are held, and what solves it with them. */
export interface Formulation {
  /** As profiles need them. */
  readonly residuals: Residuals
  objective(treatment: Treatment): LeastSquaresObjective
  descent(signal?: AbortSignal): Descent<LeastSquaresModel, Scale>
  readonly search: Search
  /** Positions of the parameters that the data do not determine; absent to have them found from the model's columns. */
  undetermined?(model: LeastSquaresModel): readonly number[]
}

/** What Jacobians that are not dense know nothing of. */
export interface DenseOnly {
  readonly method?: unknown
  readonly covariance?: unknown
}

/** Why a problem needs a dense Jacobian, if it does. */
export function needsDense({ method, covariance }: DenseOnly): string | undefined {
  if (method !== undefined) return 'method: got one'
  return covariance === undefined ? undefined : 'covariance: got one'
}

/** @throws when a problem needs a dense Jacobian. */
export function checkNotDense(jacobian: string, options: DenseOnly): void {
  const reason = needsDense(options)
  if (reason)
    throw new Error(
      `${reason} with jacobian '${jacobian}', which knows only its own trust region, and errors given by sigma; ` +
        "leave it out, or use jacobian 'dense'",
    )
}
