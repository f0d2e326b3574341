import type { IterationState, Solver } from '../solver.js'
import { type Conditions, conditionsAt, worstOf } from './conditions.js'
import { farBelow, leastViolation, satisfactory, settled } from './failure.js'
import type { KktDirection, KktSolver, Penalties } from './kkt.js'
import type { LagrangianModel } from './lagrangian.js'
import { armijo, type Merit, meritAt, meritSlopes } from './merit.js'
import type { ConstrainedProblem } from './problem.js'

/** Plain data: a point, its multipliers, and what the method has learnt. */
export interface SqpState extends IterationState {
  readonly multipliers: Float64Array
  readonly conditions: Conditions
  readonly penalties: Penalties
  /** What is asked of the linear solver. */
  readonly accuracy: number
  /** The failure of the conditions when penalties and accuracy were last set to their first values. */
  readonly best: number
  /** Below this the function is taken to fall without end. */
  readonly floor: number
  /** The part of the last direction that was gone. */
  readonly size: number
  /** How fast the merit function falls along the last direction. */
  readonly decrement: number
  readonly accepted: boolean
  /** Products or sketches of the linear solver. */
  readonly work: number
  /** For how many points no step nearby has lessened the violation. */
  readonly stuck: number
}

/** By how much the penalty on the Lagrangian's gradient falls where a direction does not descend; that on constraints grows by its square. */
const growth = 1.5
const mostPenalty = 1e16
const first = { penalties: { constraints: 1, gradient: 0.1 }, accuracy: 0.1 }
const shortest = 2 ** -50
/** Slopes below this part of the merit drown in its rounding. */
const rounding = 1e-13
const mostStuck = 5

/**
 * Sequential quadratic programming for equations: Newton's steps on the Lagrangian, exact or not, with a line search on the
 * exact augmented Lagrangian (Hong, Na, Mahoney and Kolar 2023, algorithm 1). Penalties and the linear solver's accuracy
 * adapt until the direction descends at least as fast as -gradientPenalty / 2 times the squared residual. Unlike theirs, they
 * begin anew whenever the failure of the conditions has halved, so that bad starts do not slow what follows.
 */
export function sqp(
  solver: KktSolver,
  { lagrangian, start, limits, box, tolerance, signal }: ConstrainedProblem,
): Solver<SqpState> {
  const target = limits.lower
  const conditions = async (model: LagrangianModel) => conditionsAt(model, await limits.at(model), box)

  /** A direction that descends, or nothing where none is found. */
  const descend = async (state: SqpState, model: LagrangianModel, merit: Merit) => {
    const { sizes } = await limits.at(model)
    const optimality = worstOf(state.conditions)
    const { iteration } = state
    const system = { model, residual: merit.residual, sizes, optimality, iteration, signal }
    const steps = await solver.prepare(system)
    const slopeAlong = await meritSlopes(model, merit.residual)
    let { penalties } = state
    let accuracy = Math.min(state.accuracy, steps.sufficient(penalties))
    while (penalties.constraints < mostPenalty) {
      const direction = await steps.solve(accuracy)
      const slope = slopeAlong(direction, penalties)
      if (slope <= (-penalties.gradient / 2) * merit.squares) return { direction, slope, penalties, accuracy }
      penalties = {
        constraints: penalties.constraints * growth ** 2,
        gradient: penalties.gradient / growth,
      }
      accuracy = Math.min(accuracy / growth ** 4, steps.sufficient(penalties))
    }
    return undefined
  }

  /** The first of ever shorter steps on which the merit falls enough. */
  const search = async (
    model: LagrangianModel,
    merit: Merit,
    { direction, slope, penalties }: { direction: KktDirection; slope: number; penalties: Penalties },
  ) => {
    const before = merit.value(penalties)
    for (let size = 1; size > shortest; size /= 2) {
      const next = await lagrangian.at(
        model.point.map((x, i) => x + size * direction.move[i]!),
        model.multipliers.map((l, j) => l + size * direction.change[j]!),
      )
      const lost = -slope <= rounding * Math.abs(before)
      const after = meritAt(next, target)
      const falls = lost
        ? after.squares < merit.squares
        : after.value(penalties) <= before + armijo * size * slope
      if (falls) return { next, size }
    }
    return undefined
  }

  return {
    async init() {
      const model = await lagrangian.at(start, new Float64Array(target.length))
      const here = await conditions(model)
      return {
        iteration: 0,
        point: start,
        value: model.value,
        multipliers: model.multipliers,
        conditions: here,
        ...first,
        best: worstOf(here),
        floor: farBelow(model.value),
        size: 1,
        decrement: Number.NaN,
        accepted: true,
        work: 0,
        stuck: 0,
      }
    },
    async step(state) {
      const iteration = state.iteration + 1
      const model = await lagrangian.at(state.point, state.multipliers)
      const merit = meritAt(model, target)
      const descent = await descend(state, model, merit)
      const found = descent && (await search(model, merit, descent))
      if (!descent || !found) {
        const reason = await settled(state.conditions, model, await limits.at(model), box, state.floor)
        return { ...state, iteration, accepted: false, reason }
      }
      const { next, size } = found
      const { direction, slope, penalties, accuracy } = descent
      const reached = await conditions(next)
      const worst = worstOf(reached)
      const better = worst <= state.best / 2
      const blocked =
        reached.feasibility > satisfactory && (await leastViolation(next, await limits.at(next), box))
      const stuck = blocked ? state.stuck + 1 : 0
      return {
        iteration,
        point: next.point,
        value: next.value,
        multipliers: next.multipliers,
        conditions: reached,
        ...(better ? { ...first, best: worst } : { penalties, accuracy, best: state.best }),
        size,
        decrement: -slope,
        accepted: true,
        floor: state.floor,
        work: state.work + direction.work,
        stuck,
        ...(stuck >= mostStuck && { reason: 'infeasible' as const }),
      }
    },
    terminate({ reason, conditions }) {
      return reason ?? (worstOf(conditions) <= tolerance ? 'kkt' : undefined)
    },
    record: ({ iteration, value, size, accepted, decrement, conditions }) => ({
      iteration,
      value,
      size,
      accepted,
      decrement,
      optimality: worstOf(conditions),
    }),
  }
}
