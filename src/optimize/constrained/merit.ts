import { dot } from '../../linalg/vector.js'
import type { KktDirection, Penalties } from './kkt.js'
import type { LagrangianModel } from './lagrangian.js'

/** The part of its slope by which the merit function must fall in a line search. */
export const armijo = 0.1

/** The exact augmented Lagrangian f + l^T r + constraints |r|^2 / 2 + gradient |grad_x L|^2 / 2 at a point, r = c - target. */
export interface Merit {
  readonly residual: Float64Array
  /** |r|^2 + |grad_x L|^2. */
  readonly squares: number
  value(penalties: Penalties): number
}

export function meritAt(
  { value, constraints, multipliers, gradient }: LagrangianModel,
  target: Float64Array,
): Merit {
  const residual = constraints.map((c, j) => c - target[j]!)
  const [violation, slope] = [dot(residual, residual), dot(gradient, gradient)]
  const lagrangian = value + dot(multipliers, residual)
  return {
    residual,
    squares: violation + slope,
    value: (penalties) => lagrangian + (penalties.constraints * violation + penalties.gradient * slope) / 2,
  }
}

/**
 * Its gradient along directions: with K the Hessian of the Lagrangian by (x, l) and b its gradient (grad_x L, r), that of
 * the merit is b + K (gradient grad_x L, constraints r).
 */
export async function meritSlopes(
  model: LagrangianModel,
  residual: Float64Array,
): Promise<(direction: Pick<KktDirection, 'move' | 'change'>, penalties: Penalties) => number> {
  const none = { x: new Float64Array(model.point.length), l: new Float64Array(residual.length) }
  const [bend, tilt] = await model.product(model.gradient, none.l)
  const [pull] = await model.product(none.x, residual)
  return ({ move, change }, { constraints, gradient }) =>
    dot(model.gradient, move) +
    dot(residual, change) +
    gradient * (dot(bend, move) + dot(tilt, change)) +
    constraints * dot(pull, move)
}
