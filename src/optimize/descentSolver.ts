import { axpy } from '../linalg/vector.js'
import type { Descent, LocalModel, Objective, Step, Steps } from './descent.js'
import type { Reason } from './reason.js'
import type { Search, SearchState } from './search.js'
import type { IterationState, Solver } from './solver.js'

export interface DescentState<Memory = unknown> extends IterationState {
  readonly search: SearchState
  readonly memory: Memory
  readonly accepted: boolean
  readonly decrement: number
  readonly optimality: number
}

export interface DescentSolverOptions {
  /** Ends where the full step promises to reduce the value by less than this part of it, squared. Default 0. */
  readonly tolerance?: number
}

/** Reductions below this part of the value drown in its rounding. */
const rounding = 1e-13
/** Decrements below this part of the value are those of points next to a minimum. */
const nearby = 1e-10
/** Full steps below this part of the point, whose effect on the value may drown in rounding. */
const smallStep = 1e-8
/** Decrements below this part of the value leave nothing to gain but rounding. */
const exact = 1e-18
/** Where nothing improves the point, it is a minimum if its gradient or the full step are this small. */
const satisfactory = 1e-6
/** Steps below this part of the point do not move it. */
const noStep = 2 ** -52

/**
 * A solver that at each step asks `descent` where to go and `search` how far and whether to stay.
 *
 * Close to a minimum the value cannot tell any more which of two points is better; there full steps are taken as long
 * as they lessen the decrement, which brings out all digits that the derivatives hold.
 */
export function descentSolver<Model extends LocalModel, Memory>(
  objective: Objective<Model>,
  descent: Descent<Model, Memory>,
  search: Search,
  start: Float64Array,
  { tolerance = 0 }: DescentSolverOptions = {},
): Solver<DescentState<Memory>> {
  type State = DescentState<Memory>
  let here: { readonly point: Float64Array; readonly steps: Steps } | undefined

  const stepsAt = async ({ point, memory }: State): Promise<Steps> => {
    if (here?.point !== point)
      here = { point, steps: await descent.prepare(await objective.linearize(point), point, memory) }
    return here.steps
  }

  /** The state at a point just reached, or nothing where the derivatives are not finite. */
  const arrive = async (
    point: Float64Array,
    before: Pick<State, 'iteration' | 'search'> & { readonly memory?: Memory },
  ): Promise<State | undefined> => {
    const model = await objective.linearize(point)
    if (!Number.isFinite(model.value) || !model.gradient.every(Number.isFinite)) return undefined
    const memory = await descent.remember(model, point, before.memory)
    const steps = await descent.prepare(model, point, memory)
    here = { point, steps }
    const { iteration, search } = before
    const { decrement, optimality } = steps
    return {
      iteration,
      search,
      point,
      value: model.value,
      memory,
      accepted: true,
      decrement,
      optimality,
    }
  }

  /** Takes a step whose effect on the value drowns in rounding if it lessens the decrement; else tries a shorter one. */
  const polish = async (state: State, steps: Steps, step: Step, trial: Float64Array): Promise<State> => {
    const next = await arrive(trial, {
      ...state,
      iteration: state.iteration + 1,
      search: search.start(state.search.size),
    })
    if (next && next.decrement < steps.decrement) return next
    here = { point: state.point, steps }
    const done = steps.decrement <= exact * Math.abs(state.value) || step.relative <= noStep
    return rejected(state, shorter(state.search, step), done ? settled(steps) : undefined)
  }

  const rejected = (state: State, search: SearchState, reason?: Reason): State => ({
    ...state,
    ...(reason && { reason }),
    iteration: state.iteration + 1,
    accepted: false,
    search,
  })

  return {
    async init() {
      const state = await arrive(start, { iteration: 0, search: { size: Number.NaN } })
      if (!state) throw new Error(await explainStart(objective, start))
      return { ...state, search: search.start((await stepsAt(state)).initialSize) }
    },
    async step(state) {
      const steps = await stepsAt(state)
      const step = await steps.step(state.search.size)
      const trial = state.point.slice()
      axpy(1, step.move, trial)
      const value = Math.abs(state.value)
      const lost = step.predicted <= rounding * value && steps.decrement <= nearby * value
      if (lost || (step.full && steps.relative <= smallStep)) return polish(state, steps, step, trial)
      const reduction = state.value - (await objective.value(trial))
      if (reduction === Number.POSITIVE_INFINITY) return rejected(state, state.search, 'unbounded')
      const { accepted, state: next } = await search.update(state.search, step, reduction, () =>
        objective.linearize(trial),
      )
      const arrived = accepted
        ? await arrive(trial, { ...state, iteration: state.iteration + 1, search: next })
        : undefined
      if (arrived) return arrived
      const stuck = step.relative <= noStep ? settled(steps) : undefined
      return rejected(state, accepted ? shorter(state.search, step) : next, stuck)
    },
    terminate({ reason, decrement, value }) {
      if (reason) return reason
      return decrement <= tolerance ** 2 * Math.abs(value) ? 'optimal' : undefined
    },
    record: ({ iteration, value, search, accepted, decrement, optimality }) => {
      return { iteration, value, size: search.size, accepted, decrement, optimality }
    },
  }
}

const shorter = (search: SearchState, step: Step): SearchState => ({ ...search, size: step.size / 4 })

/** What a point is that no step improves any more. */
function settled({ optimality, relative }: Steps): Reason {
  return optimality <= satisfactory || relative <= satisfactory ? 'precision' : 'stalled'
}

async function explainStart(objective: Objective<LocalModel>, start: Float64Array): Promise<string> {
  const { value, gradient } = await objective.linearize(start)
  const where = `start [${start.slice(0, 8).join(', ')}${start.length > 8 ? ', ...' : ''}]`
  if (!Number.isFinite(value))
    return `${where}: the function is ${value} there, expected a finite number; start at a point of its domain`
  const at = gradient.findIndex((x) => !Number.isFinite(x))
  return (
    `${where}: the derivative by parameter ${at} is ${gradient[at]} there, expected a finite number; ` +
    'start away from points where the function has no derivative'
  )
}
