import type { Box } from '../box.js'
import type { Reason } from '../reason.js'
import { type Conditions, type Limits, relativeSlopes, violations, worstOf } from './conditions.js'
import type { LagrangianModel } from './lagrangian.js'

/** Where nothing improves a point, it is a minimum if the conditions hold this well. */
export const satisfactory = 1e-6
/** A violation whose relative gradient is below this is as small as it gets nearby. */
const least = 1e-5

/** Whether the gradient of sum_j v_j^2 / 2, v_j = violation_j / size_j, vanishes relative to it and to the parameters' sizes. */
export async function leastViolation(model: LagrangianModel, limits: Limits, box: Box): Promise<boolean> {
  const { point, constraints } = model
  const violated = violations(constraints, limits)
  const weighted = violated.map((v, j) => (v === 0 ? 0 : v / limits.sizes[j]! ** 2))
  const squares = violated.reduce((sum, v, j) => sum + v * weighted[j]!, 0)
  if (squares === Infinity) return true
  const [gradient] = await model.product(new Float64Array(point.length), weighted)
  return relativeSlopes(gradient, point, limits.typical, box).every((slope) => slope <= least * squares)
}

/** By how many times its size a function has fallen that falls without end. */
const abyss = 1e10

export const farBelow = (value: number): number => value - abyss * Math.max(Math.abs(value), 1)

/** What a point is that no step improves any more; below `floor` the function is taken to fall without end. */
export async function settled(
  conditions: Conditions,
  model: LagrangianModel,
  limits: Limits,
  box: Box,
  floor: number,
): Promise<Reason> {
  if (conditions.feasibility <= satisfactory && model.value < floor) return 'unbounded'
  if (worstOf(conditions) <= satisfactory) return 'precision'
  if (conditions.feasibility > satisfactory && (await leastViolation(model, limits, box))) return 'infeasible'
  return 'stalled'
}
