import type { Box } from '../box.js'
import { hasNegative } from '../minimize/saddle.js'
import { type Reason, reasons } from '../reason.js'
import { type Conditions, type Limits, worstOf } from './conditions.js'
import { satisfactory } from './failure.js'
import type { LagrangianModel } from './lagrangian.js'
import { bindingSpace } from './secondOrder.js'

const dependentGradients =
  ' The gradients of the constraints that bind here are linearly dependent, so that multipliers are not determined or do' +
  ' not exist: drop constraints that follow from others.'

/** The reason with which a method ended, checked at its last point, and what it says. */
export async function verdict(
  ended: Reason,
  model: LagrangianModel,
  limits: Limits,
  box: Box,
  conditions: Conditions,
  second: { readonly dense: boolean; readonly exact: boolean },
): Promise<{ readonly reason: Reason; readonly message: string }> {
  const fails = reasons[ended].converged && !(worstOf(conditions) <= satisfactory)
  const reason = fails ? 'stalled' : ended
  if (!second.dense) return { reason, message: reasons[reason].sentence }
  const { binding, space } = await bindingSpace(model, limits, box)
  const saddle = second.exact && reasons[reason].converged && hasNegative(space.curvatures)
  const shown = saddle ? 'saddle' : reason
  const dependent = space.normal.length < binding
  return { reason: shown, message: reasons[shown].sentence + (dependent ? dependentGradients : '') }
}
