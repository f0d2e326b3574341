import type { Box } from '../box.js'
import { multiply, type SparseRows } from '../leastSquares/sparse/sparseRows.js'
import type { LagrangianModel } from './lagrangian.js'

/** By how much the conditions of Karush, Kuhn and Tucker fail at a point; all 0 at a constrained minimum. */
export interface Conditions {
  /**
   * max_i |g_i| min(s_i, room_i) / max(|f|, 1, forces): by which part the Lagrangian would fall if a parameter moved by its
   * own size s_i, or as far as its bound; a force is |l_j| size_j.
   */
  readonly stationarity: number
  /** max_j violation_j / size_j: how far the point would have to move, relative to itself, for constraint j to hold. */
  readonly feasibility: number
  /** max_j |l_j| gap_j / max(|f|, 1), gap_j the distance of c_j from the end that the multiplier's sign names. */
  readonly complementarity: number
}

/** What constraints are, and how large they and the parameters are. */
export interface Limits {
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** Of constraints: sum_i |J_ji| s_i, where s_i = max(|x_i|, typical_i). */
  readonly sizes: Float64Array
  readonly typical: Float64Array
}

export function constraintSizes(
  jacobian: SparseRows,
  point: Float64Array,
  typical: Float64Array,
): Float64Array {
  const absolute = { ...jacobian, values: jacobian.values.map(Math.abs) }
  return multiply(
    absolute,
    point.map((x, i) => Math.max(Math.abs(x), typical[i]!)),
  )
}

/** c - P(c): above the upper end positive, below the lower negative. */
export const violations = (c: Float64Array, { lower, upper }: Box): Float64Array =>
  c.map((cj, j) => Math.max(cj - upper[j]!, 0) + Math.min(cj - lower[j]!, 0))

export function conditionsAt(
  model: Pick<LagrangianModel, 'point' | 'multipliers' | 'value' | 'constraints' | 'gradient'>,
  limits: Limits,
  box: Box,
): Conditions {
  const { point, multipliers, value, constraints, gradient } = model
  const size = Math.max(Math.abs(value), 1)
  const force = multipliers.reduce((most, l, j) => Math.max(most, Math.abs(l) * limits.sizes[j]!), 0)
  const slopes = relativeSlopes(gradient, point, limits.typical, box)
  const distances = violations(constraints, limits).map((v, j) =>
    v === 0 ? 0 : Math.abs(v) / limits.sizes[j]!,
  )
  const products = multipliers.map((l, j) => {
    const end = l > 0 ? limits.upper[j]! : limits.lower[j]!
    return l === 0 ? 0 : Math.abs(l * (constraints[j]! - end))
  })
  return {
    stationarity: largest(slopes) / Math.max(size, force),
    feasibility: largest(distances),
    complementarity: largest(products) / size,
  }
}

/** |g_i| times s_i or, where that is less, the room that the box leaves for going down. */
export const relativeSlopes = (
  gradient: Float64Array,
  point: Float64Array,
  typical: Float64Array,
  box: Box,
): Float64Array =>
  gradient.map((g, i) => {
    const room = g > 0 ? point[i]! - box.lower[i]! : box.upper[i]! - point[i]!
    return g === 0 ? 0 : Math.abs(g) * Math.min(room, Math.max(Math.abs(point[i]!), typical[i]!))
  })

/** NaN where any is. */
const largest = (x: Float64Array) => x.reduce((most, y) => Math.max(most, y), 0)

export const worstOf = ({ stationarity, feasibility, complementarity }: Conditions): number =>
  Math.max(stationarity, feasibility, complementarity)
