import type { Box } from '../box.js'
import { times } from '../elementwise.js'
import { scaleRows } from '../leastSquares/sparse/sparseRows.js'
import { after } from '../solver.js'
import { constraintSizes, violations } from './conditions.js'
import type { ConstrainedFunction, Values } from './functions.js'
import type { LagrangianModel } from './lagrangian.js'
import { kktMatrix } from './nullSpace.js'

/** What function and constraints are multiplied by, so that what is tiny by its units alone counts. */
export interface Scaling {
  readonly objective: number
  readonly constraints: Float64Array
  /** Of the function then. */
  readonly size: number
}

/** Sizes below this are those of units rather than of the problem. */
const tiny = 1e-4

const factor = (size: number) => (size > 0 && size < tiny ? 1 / size : 1)

/**
 * How large each parameter is taken to be at least, 1 at most: as at the start; where that is 0, as far as Newton's step goes
 * in it alone, for the function or a constraint that does not hold, if matrices are cheap.
 */
export async function typicalSizes(start: LagrangianModel, ends: Box, dense: boolean): Promise<Float64Array> {
  const { point, gradient, constraints } = start
  const sizes = point.map((x) => Math.min(Math.abs(x), 1))
  if (sizes.every((s) => s > 0) || !dense) return sizes.map((s) => s || 1)
  const n = point.length
  const { hessian, jacobian } = await kktMatrix(start)
  const away = violations(constraints, ends)
  return sizes.map((s, i) => {
    if (s > 0) return s
    const steps = [gradient[i]! / hessian[i * (n + 1)]!, ...away.map((v, j) => v / jacobian[j * n + i]!)]
    const lengths = steps.map(Math.abs).filter((length) => length > 0 && length < Infinity)
    return lengths.length > 0 ? Math.min(Math.max(...lengths), 1) : 1
  })
}

/**
 * By the sizes at a point: those of constraints, and of the function max(|f|, |g_i| s_i, |(H s)_i| s_i), with s_i the size
 * of parameter i, by how much it changes as the parameters do by their own sizes.
 */
export async function scalingAt(start: LagrangianModel, typical: Float64Array): Promise<Scaling> {
  const { point, value, gradient } = start
  const sizes = constraintSizes(await start.jacobian(), point, typical)
  const size = point.map((x, i) => Math.max(Math.abs(x), typical[i]!))
  const [bend] = await start.product(size, new Float64Array(sizes.length))
  const largest = size.reduce(
    (most, s, i) => Math.max(most, Math.abs(gradient[i]! * s), Math.abs(bend[i]! * s)),
    Math.abs(value),
  )
  const objective = factor(largest)
  return { objective, constraints: sizes.map(factor), size: objective * largest || 1 }
}

/** The function and its constraints, multiplied. */
export function scaled(f: ConstrainedFunction, scaling: Scaling): ConstrainedFunction {
  const { objective, constraints: factors } = scaling
  if (objective === 1 && factors.every((w) => w === 1)) return f
  const inner = (multipliers: Float64Array) => unscaledMultipliers(multipliers, scaling)
  const values = <V extends Values>(given: V): V => ({
    ...given,
    value: objective * given.value,
    constraints: times(factors, given.constraints),
  })
  const raised = (x: Float64Array) => x.map((xi) => objective * xi)
  return {
    ...f,
    values: (x) => after(f.values(x), values),
    linearize: (x, l) =>
      after(f.linearize(x, inner(l)), (given) => ({ ...values(given), gradient: raised(given.gradient) })),
    hessian: (x, l) => after(f.hessian(x, inner(l)), raised),
    jacobian: (x) =>
      after(f.jacobian(x), (jacobian) => {
        const values = jacobian.values.slice()
        scaleRows({ ...jacobian, values }, factors)
        return { ...jacobian, values }
      }),
    product: (x, l, v, w) =>
      after(f.product(x, inner(l), v, inner(w)), ([a, b]) => [raised(a), times(factors, b)] as const),
  }
}

/** Multipliers of the function itself. */
export const unscaledMultipliers = (
  multipliers: Float64Array,
  { objective, constraints }: Scaling,
): Float64Array => multipliers.map((l, j) => (l * constraints[j]!) / objective)

export const scaledEnds = ({ lower, upper }: Box, { constraints }: Scaling): Box => ({
  lower: times(lower, constraints),
  upper: times(upper, constraints),
})
