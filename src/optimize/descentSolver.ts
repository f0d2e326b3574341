import { axpy } from '../linalg/vector.js'
import type { Descent, LocalModel, Objective, Step, Steps } from './descent.js'
import type { Reason } from './reason.js'
import type { Search, SearchState } from './search.js'
import { type Awaitable, after, type IterationState, type Solver } from './solver.js'

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

  const prepare = (model: Model, point: Float64Array, memory: Memory): Awaitable<Steps> =>
    after(descent.prepare(model, point, memory), (steps) => {
      here = { point, steps }
      return steps
    })

  const stepsAt = ({ point, memory }: State): Awaitable<Steps> =>
    here?.point === point
      ? here.steps
      : after(objective.linearize(point), (model) => prepare(model, point, memory))

  /** The state at a point just reached, or nothing where the derivatives are not finite. */
  const arrive = (
    point: Float64Array,
    { iteration, search, memory: before }: Arrival<Memory>,
  ): Awaitable<State | undefined> =>
    after(objective.linearize(point), (model) => {
      const { value, gradient } = model
      if (!Number.isFinite(value) || !allFinite(gradient)) return undefined
      return after(descent.remember(model, point, before), (memory) =>
        after(prepare(model, point, memory), ({ decrement, optimality }) => {
          return { iteration, search, point, value, memory, accepted: true, decrement, optimality }
        }),
      )
    })

  /** Takes a step whose effect on the value drowns in rounding if it lessens the decrement; else tries a shorter one. */
  const polish = (state: State, steps: Steps, step: Step, trial: Float64Array): Awaitable<State> =>
    after(arrive(trial, arrival(state, search.start(state.search.size))), (next) => {
      if (next && next.decrement < steps.decrement) return next
      here = { point: state.point, steps }
      const done = steps.decrement <= exact * Math.abs(state.value) || step.relative <= noStep
      return rejected(state, shorter(state.search, step), done ? settled(steps) : undefined)
    })

  /** Has the search decide on a step by what it reduces. */
  const judge = (
    state: State,
    steps: Steps,
    step: Step,
    trial: Float64Array,
    reduction: number,
  ): Awaitable<State> => {
    if (reduction === Number.POSITIVE_INFINITY) return rejected(state, state.search, 'unbounded')
    const decision = search.update(state.search, step, reduction, () => objective.linearize(trial))
    return after(decision, ({ accepted, state: next }) =>
      after(accepted ? arrive(trial, arrival(state, next)) : undefined, (arrived) => {
        if (arrived) return arrived
        const stuck = step.relative <= noStep ? settled(steps) : undefined
        return rejected(state, accepted ? shorter(state.search, step) : next, stuck)
      }),
    )
  }

  const take = (state: State, steps: Steps, step: Step): Awaitable<State> => {
    const trial = state.point.slice()
    axpy(1, step.move, trial)
    const value = Math.abs(state.value)
    const lost = step.predicted <= rounding * value && steps.decrement <= nearby * value
    if (lost || (step.full && steps.relative <= smallStep)) return polish(state, steps, step, trial)
    return after(objective.value(trial), (reached) => judge(state, steps, step, trial, state.value - reached))
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
    step: (state) =>
      after(stepsAt(state), (steps) =>
        after(steps.step(state.search.size), (step) => take(state, steps, step)),
      ),
    terminate({ reason, decrement, value }) {
      if (reason) return reason
      return decrement <= tolerance ** 2 * Math.abs(value) ? 'optimal' : undefined
    },
    record: ({ iteration, value, search, accepted, decrement, optimality }) => {
      return { iteration, value, size: search.size, accepted, decrement, optimality }
    },
  }
}

/** What is known of a point before it is reached. */
type Arrival<Memory> = Pick<DescentState<Memory>, 'iteration' | 'search'> & { readonly memory?: Memory }

const arrival = <Memory>(state: DescentState<Memory>, search: SearchState): Arrival<Memory> => {
  return { iteration: state.iteration + 1, search, memory: state.memory }
}

function allFinite(x: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false
  return true
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
