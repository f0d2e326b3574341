import type { Box } from '../leastSquares/reflective.js'
import type { Awaitable } from '../solver.js'
import { constraintSizes, type Limits } from './conditions.js'
import type { ConstrainedFunction } from './functions.js'
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

/** Sizes of constraints at a point where matrices are cheap, else those at the start. */
export function limitsOf(
  f: ConstrainedFunction,
  limits: Omit<ConstraintLimits, 'at'>,
  start: Float64Array,
  dense: boolean,
): ConstraintLimits {
  const sizesAt = async (jacobian: Awaitable<Float64Array>, point: Float64Array) =>
    constraintSizes(await jacobian, point, limits.typical)
  let atStart: Promise<Float64Array> | undefined
  return {
    ...limits,
    async at({ point, jacobian }) {
      if (dense) return { ...limits, sizes: await sizesAt(jacobian(), point) }
      atStart ??= sizesAt(f.jacobian(start), start)
      return { ...limits, sizes: await atStart }
    },
  }
}
