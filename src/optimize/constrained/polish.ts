import { type Box, clamp } from '../box.js'
import { type Conditions, conditionsAt, worstOf } from './conditions.js'
import type { Lagrangian, LagrangianModel } from './lagrangian.js'
import { kktMatrix, nullSpaceStep, restricted, tangentSpace } from './nullSpace.js'
import type { ConstraintLimits } from './problem.js'

const mostSteps = 10

export interface Polished extends Pick<LagrangianModel, 'point' | 'value' | 'multipliers'> {
  readonly conditions: Conditions
}

/**
 * Newton's steps on the conditions of a minimum, with the constraints that bind and the parameters at bounds taken for
 * those of the solution (Birgin and Martinez 2008). Nothing where they do not lead to one.
 */
export async function polish(
  lagrangian: Lagrangian,
  start: LagrangianModel,
  limits: ConstraintLimits,
  box: Box,
  tolerance: number,
): Promise<Polished | undefined> {
  const binding = [...start.multipliers.keys()].filter(
    (j) => start.multipliers[j] !== 0 || limits.lower[j] === limits.upper[j],
  )
  const free = [...start.point.keys()].filter((i) => {
    const end = start.gradient[i]! > 0 ? box.lower[i]! : box.upper[i]!
    return start.point[i] !== end
  })
  let model = start
  let before = worstOf(conditionsAt(model, await limits.at(model), box))
  for (let step = 0; step < mostSteps && free.length > 0; step++) {
    const next = await newtonStep(lagrangian, model, { binding, free, limits, box })
    if (!next) return undefined
    const conditions = conditionsAt(next, await limits.at(next), box)
    const worst = worstOf(conditions)
    if (worst <= tolerance) {
      const { point, value, multipliers } = next
      return { point, value, multipliers, conditions }
    }
    if (!(worst <= before / 2)) return undefined
    ;[model, before] = [next, worst]
  }
  return undefined
}

interface ActiveSet {
  readonly binding: readonly number[]
  readonly free: readonly number[]
  readonly limits: ConstraintLimits
  readonly box: Box
}

async function newtonStep(
  lagrangian: Lagrangian,
  model: LagrangianModel,
  { binding, free, limits, box }: ActiveSet,
): Promise<LagrangianModel | undefined> {
  const { point, multipliers, gradient, constraints } = model
  const whole = await kktMatrix(model)
  const part = restricted(whole, point.length, free, binding)
  const residual = Float64Array.from(binding, (j) => {
    const end = multipliers[j]! > 0 ? limits.upper[j]! : limits.lower[j]!
    return constraints[j]! - end
  })
  const space = tangentSpace(part, free.length)
  if (space.curvatures.length > 0 && !(space.curvatures[0]! > 0)) return undefined
  const { sizes } = await limits.at(model)
  const { move, change } = nullSpaceStep(part, space, 0, {
    gradient: Float64Array.from(free, (i) => gradient[i]!),
    residual,
    sizes: Float64Array.from(binding, (j) => sizes[j]!),
  })
  const [x, l] = [point.slice(), multipliers.slice()]
  free.forEach((i, k) => {
    x[i] = x[i]! + move[k]!
  })
  binding.forEach((j, k) => {
    l[j] = l[j]! + change[k]!
  })
  return lagrangian.at(clamp(x, box), l)
}
