import type { Box } from '../box.js'
import { constraintSizes, type Limits } from './conditions.js'
import type { Lagrangian, LagrangianModel } from './lagrangian.js'

/** The ends of constraints, and their sizes at a point. */
export interface ConstraintLimits extends Box {
  /** How large each parameter is at least. */
  readonly typical: Float64Array
  at(model: LagrangianModel): Promise<Limits>
}

/** What a method starts from. */
export interface ConstrainedProblem {
  readonly lagrangian: Lagrangian
  readonly start: Float64Array
  readonly limits: ConstraintLimits
  readonly box: Box & { readonly bounded: boolean }
  readonly tolerance: number
  /** How large the function is by its value, slopes and curvature at the start. */
  readonly size: number
  /** Whether whole matrices are worth their cost. */
  readonly dense: boolean
  /** Whether derivatives are. */
  readonly exact: boolean
  readonly signal: AbortSignal | undefined
}

/** Limits with the sizes of constraints at any point. */
export const limitsOf = (limits: Omit<ConstraintLimits, 'at'>): ConstraintLimits => ({
  ...limits,
  at: async ({ point, jacobian }) => ({
    ...limits,
    sizes: constraintSizes(await jacobian(), point, limits.typical),
  }),
})
