import type { Box } from '../box.js'
import type { FunctionModel } from '../minimize/model.js'
import type { FunctionObjective } from '../minimize/objective.js'
import type { Lagrangian } from './lagrangian.js'

/** What one augmented Lagrangian is made of: plain data. */
export interface Subproblem {
  readonly multipliers: Float64Array
  /** The penalty of each constraint. */
  readonly penalties: Float64Array
  /** To what accuracy, relative to the value, it is minimised. */
  readonly accuracy: number
  /** The point near which the next is sought, and the weight of each parameter's distance from it, squared. */
  readonly centre: Float64Array
  readonly nearness: Float64Array
}

/** l + penalty (c - P(c + l / penalty)): the multipliers to which a point leads, 0 where the constraint does not bind. */
export function nextMultipliers(
  constraints: Float64Array,
  { multipliers, penalties }: Subproblem,
  { lower, upper }: Box,
): Float64Array {
  return constraints.map((c, j) => {
    const shifted = c + multipliers[j]! / penalties[j]!
    return penalties[j]! * (shifted - Math.min(Math.max(shifted, lower[j]!), upper[j]!))
  })
}

/**
 * f + sum_j (l+_j^2 - l_j^2) / (2 penalty_j) + nearness |x - centre|^2 / 2, l+ the {@link nextMultipliers}: the proximal
 * augmented Lagrangian (Rockafellar 1976) for constraints with two ends. Its gradient is that of L(x, l+).
 */
export function augmentedObjective(
  lagrangian: Lagrangian,
  subproblem: Subproblem,
  ends: Box,
): FunctionObjective {
  const { multipliers, penalties, centre, nearness } = subproblem
  const n = centre.length
  const total = (x: Float64Array, value: number, next: Float64Array) =>
    next.reduce((sum, l, j) => sum + (l * l - multipliers[j]! ** 2) / (2 * penalties[j]!), value) +
    x.reduce((sum, xi, i) => sum + (nearness[i]! * (xi - centre[i]!) ** 2) / 2, 0)

  const linearize = async (x: Float64Array): Promise<FunctionModel> => {
    const { constraints } = await lagrangian.values(x)
    const next = nextMultipliers(constraints, subproblem, ends)
    const model = await lagrangian.at(x, next)
    const binding = (j: number) => next[j] !== 0 || ends.lower[j] === ends.upper[j]
    return {
      value: total(x, model.value, next),
      gradient: model.gradient.map((g, i) => g + nearness[i]! * (x[i]! - centre[i]!)),
      async matrix() {
        const sum = (await model.hessian()).slice()
        const { rowPointers, columns, values } = await model.jacobian()
        for (let i = 0; i < n; i++) sum[i * (n + 1)] = sum[i * (n + 1)]! + nearness[i]!
        penalties.forEach((penalty, j) => {
          if (!binding(j)) return
          for (let k = rowPointers[j]!; k < rowPointers[j + 1]!; k++)
            for (let l = rowPointers[j]!; l < rowPointers[j + 1]!; l++)
              sum[columns[k]! * n + columns[l]!]! += penalty * values[k]! * values[l]!
        })
        return sum
      },
      async product(v) {
        const none = new Float64Array(next.length)
        const [, tilt] = await model.product(v, none)
        const [image] = await model.product(
          v,
          tilt.map((t, j) => (binding(j) ? penalties[j]! * t : 0)),
        )
        return image.map((y, i) => y + nearness[i]! * v[i]!)
      },
    }
  }
  const valueAlone = async (x: Float64Array) => {
    const { value, constraints } = await lagrangian.values(x)
    return total(x, value, nextMultipliers(constraints, subproblem, ends))
  }
  return { evaluations: lagrangian.evaluations, linearize, value: valueAlone, valueAlone }
}
