import type { Box } from '../box.js'
import type { Limits } from './conditions.js'
import { satisfactory } from './failure.js'
import type { LagrangianModel } from './lagrangian.js'
import { kktMatrix, restricted, type TangentSpace, tangentSpace } from './nullSpace.js'

/** What the constraints that hold with equality leave free, among the parameters that no bound holds back. */
export async function bindingSpace(
  model: LagrangianModel,
  { lower, upper, sizes }: Limits,
  box: Box,
): Promise<{ readonly binding: number; readonly space: TangentSpace }> {
  const { point, constraints, multipliers } = model
  const whole = await kktMatrix(model)
  const free = [...point.keys()].filter((i) => point[i]! > box.lower[i]! && point[i]! < box.upper[i]!)
  const binding = [...constraints.keys()].filter((j) => {
    const gap = Math.min(Math.abs(constraints[j]! - lower[j]!), Math.abs(constraints[j]! - upper[j]!))
    return multipliers[j] !== 0 || lower[j] === upper[j] || gap <= satisfactory * sizes[j]!
  })
  const part = restricted(whole, point.length, free, binding)
  return { binding: binding.length, space: tangentSpace(part, free.length) }
}
