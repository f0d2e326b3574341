import type { DescentState } from '../descentSolver.js'
import { chooseMethod } from '../minimize/methods.js'
import type { IterationState, Solver } from '../solver.js'
import { augmentedObjective, nextMultipliers, type Subproblem } from './augmentedObjective.js'
import { type Conditions, conditionsAt, worstOf } from './conditions.js'
import { farBelow, satisfactory, settled } from './failure.js'
import type { LagrangianModel } from './lagrangian.js'
import { polish } from './polish.js'
import type { ConstrainedProblem } from './problem.js'

/** Plain data: the present augmented Lagrangian, how far its minimisation is, and how well the conditions hold. */
export interface MultiplierState extends IterationState {
  readonly subproblem: Subproblem
  readonly inner: DescentState
  /** Below this value it is taken to fall without end, and the function itself below `floor`. */
  readonly bottom: number
  readonly floor: number
  /** Of the penalties, relative to function and parameters. */
  readonly strength: number
  /** The multipliers to which the last minimum led, and the conditions there. */
  readonly multipliers: Float64Array
  readonly conditions: Conditions
  /** The least failure of the conditions so far, and how many minima have not halved it. */
  readonly best: number
  readonly idle: number
}

const firstStrength = 10
const penaltyGrowth = 10
/** Failures of constraints and complementarity must fall to this part, or penalties grow. */
const progress = 0.5
const nearness = 1e-6
/** Minima of augmented Lagrangians are found to this accuracy at first, and ever better. */
const firstAccuracy = 1e-3
const bestAccuracy = 1e-12
const sharpening = 0.1
/** Penalties are those of a function that is at least this part of its size at the start. */
const leastSize = 1e-9
const mostInnerSteps = 200
const mostIdle = 12
const mostIdleNearby = 3

/**
 * Augmented Lagrangians minimised one after another within the box, by the method that {@link minimize} would choose
 * (Conn, Gould and Toint 1991; Birgin and Martinez 2014, algorithm 4.1), each followed by an attempt to finish by
 * Newton's steps on the constraints that bind.
 */
export function augmentedLagrangian({
  lagrangian,
  start,
  limits,
  box,
  tolerance,
  size,
  dense,
  exact,
}: ConstrainedProblem): Solver<MultiplierState> {
  let current: { readonly subproblem: Subproblem; readonly solver: Solver<IterationState> } | undefined

  const solverOf = (subproblem: Subproblem) => {
    if (current?.subproblem !== subproblem) {
      const objective = augmentedObjective(lagrangian, subproblem, limits)
      const problem = { objective, start: subproblem.centre, box, tolerance: subproblem.accuracy }
      current = { subproblem, solver: chooseMethod(undefined, problem, exact && dense).solver }
    }
    return current.solver
  }
  const begin = async (subproblem: Subproblem) => {
    const inner = (await solverOf(subproblem).init()) as DescentState
    return { subproblem, inner, bottom: farBelow(inner.value) }
  }
  const modelAt = async (point: Float64Array, subproblem: Subproblem) => {
    const { constraints } = await lagrangian.values(point)
    return lagrangian.at(point, nextMultipliers(constraints, subproblem, limits))
  }
  /** Strong enough for a constraint to matter as much as the function, where it fails by as much as the parameters are large. */
  const penaltiesAt = async (model: LagrangianModel, strength: number) => {
    const { sizes } = await limits.at(model)
    return sizes.map((s) => (strength * sizeAt(model)) / (s || 1) ** 2)
  }
  const sizeAt = ({ value }: LagrangianModel) => Math.max(Math.abs(value), leastSize * size)
  const conditions = async (model: LagrangianModel) => conditionsAt(model, await limits.at(model), box)
  const ended = ({ subproblem, inner }: MultiplierState) => solverOf(subproblem).terminate(inner)

  const finished = (state: MultiplierState) =>
    ended(state) !== undefined || state.inner.iteration >= mostInnerSteps || state.inner.value < state.bottom

  /** Whether the minimisation has left the constraints for where the function falls without end. */
  const lost = async ({ inner, bottom, subproblem }: MultiplierState) =>
    inner.value < bottom &&
    !((await conditions(await modelAt(inner.point, subproblem))).feasibility <= satisfactory)

  /** From a minimum to an end, or to the next augmented Lagrangian. */
  const advance = async (state: MultiplierState): Promise<MultiplierState> => {
    const { subproblem, inner } = state
    const back = ended(state) === 'unbounded' || (await lost(state))
    const model = await modelAt(back ? subproblem.centre : inner.point, subproblem)
    const { point, value, multipliers } = model
    const here = await conditions(model)
    const worst = worstOf(here)
    const idle = worst <= state.best / 2 ? 0 : state.idle + 1
    const best = Math.min(worst, state.best)
    const reached = {
      ...state,
      iteration: state.iteration + 1,
      point,
      value,
      multipliers,
      conditions: here,
      best,
      idle,
    }
    if (worst <= tolerance) return { ...reached, reason: 'kkt' }
    const polished = dense && (await polish(lagrangian, model, limits, box, tolerance))
    if (polished) return { ...reached, ...polished, reason: 'kkt' }
    if (idle >= (worst <= satisfactory ? mostIdleNearby : mostIdle)) {
      const reason = await settled(here, model, await limits.at(model), box, state.floor)
      return { ...reached, reason: ended(state) === 'unbounded' ? 'unbounded' : reason }
    }
    const slow = back || failure(here) > progress * failure(state.conditions)
    const strength = slow ? penaltyGrowth * state.strength : state.strength
    const penalties = await penaltiesAt(model, strength)
    const next = await begin({
      ...subproblem,
      multipliers: back ? subproblem.multipliers : multipliers,
      penalties: penalties.map((p, j) => Math.max(p, subproblem.penalties[j]!)),
      accuracy: Math.max(bestAccuracy, sharpening * subproblem.accuracy),
      centre: point,
      nearness: idle === 0 ? subproblem.nearness : subproblem.nearness.map((w) => sharpening * w),
    })
    return { ...reached, ...next, strength }
  }

  return {
    async init() {
      const none = new Float64Array(limits.lower.length)
      const model = await lagrangian.at(start, none)
      const { value } = model
      const weight = nearness * sizeAt(model)
      const subproblem: Subproblem = {
        multipliers: none,
        penalties: await penaltiesAt(model, firstStrength),
        accuracy: firstAccuracy,
        centre: start,
        nearness: start.map((x, i) => weight / Math.max(Math.abs(x), limits.typical[i]!) ** 2),
      }
      const here = await conditions(model)
      return {
        iteration: 0,
        point: start,
        value,
        floor: farBelow(value),
        ...(await begin(subproblem)),
        strength: firstStrength,
        multipliers: none,
        conditions: here,
        best: worstOf(here),
        idle: 0,
      }
    },
    async step(state) {
      if (finished(state)) return advance(state)
      const inner = (await solverOf(state.subproblem).step(state.inner)) as DescentState
      return { ...state, iteration: state.iteration + 1, inner, point: inner.point, value: inner.value }
    },
    terminate: ({ reason }) => reason,
    record: ({ iteration, value, inner, conditions }) => ({
      iteration,
      value,
      size: inner.search.size,
      accepted: inner.accepted,
      decrement: inner.decrement,
      optimality: worstOf(conditions),
    }),
  }
}

const failure = ({ feasibility, complementarity }: Conditions) => Math.max(feasibility, complementarity)
