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

export interface DescentSolverOptions<Model = never> {
  /** Ends where the full step promises to reduce the value by less than this part of it, squared. Default 0. */
  readonly tolerance?: number
  /** What an earlier solver of the same objective and descent left behind. */
  readonly memory?: DescentMemory<Model>
}

/** Models and steps that are needed no more, to be overwritten. */
export type DescentMemory<Model> = readonly { readonly model?: Model | undefined; readonly steps: Steps }[]

/** Reductions below this part of the value drown in its rounding. */
const rounding = 1e-13
/** Decrements below this part of the value are those of points next to a minimum. */
export const nearby = 1e-10
/** Full steps below this part of the point, whose effect on the value may drown in rounding. */
const smallStep = 1e-8
/** Decrements below this part of the value leave nothing to gain but rounding. */
const exact = 1e-18
/** Full steps that leave more than this part of the decrement bring out no more digits. */
const progress = 0.99
/** Where nothing improves the point, it is a minimum if its gradient or the full step are this small. */
export const satisfactory = 1e-6
/** Steps below this part of the point do not move it. */
const noStep = 2 ** -52

/** A point with what is known of the function there. */
interface Place<Model> {
  readonly point: Float64Array
  readonly model: Model
  readonly steps: Steps
}

/** Where a step leads, not yet looked at. */
export interface Trial<Model> {
  readonly point: Float64Array
  readonly step: Step
  readonly from: Place<Model>
}

/** A solver whose steps come in two parts, so that a function can be evaluated at the trials of many at once. */
export interface DescentSolver<Model, State extends IterationState> extends Solver<State> {
  propose(state: State): Awaitable<Trial<Model>>
  /** The state after a trial. */
  decide(state: State, trial: Trial<Model>): Awaitable<State>
  /** The function near the point of a state. */
  model(state: State): Awaitable<Model>
  /** What the next solver may overwrite when this one is done with: all but the model at its point. */
  leave(): DescentMemory<Model>
}

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
  { tolerance = 0, memory: [first, second] = [] }: DescentSolverOptions<Model> = {},
): DescentSolver<Model, DescentState<Memory>> {
  type State = DescentState<Memory>
  let here: Place<Model> | undefined
  let spare: DescentMemory<Model>[number] | undefined = first

  const prepare = (model: Model, point: Float64Array, memory: Memory): Awaitable<Place<Model>> =>
    after(descent.prepare(model, point, memory, spare?.steps), (steps) => {
      spare = here ?? second
      here = { point, model, steps }
      return here
    })

  const goBack = (place: Place<Model>): void => {
    if (here !== place) spare = here
    here = place
  }

  const placeOf = ({ point, memory }: State): Awaitable<Place<Model>> =>
    here?.point === point
      ? here
      : after(objective.linearize(point, spare?.model), (model) => prepare(model, point, memory))

  /** The state at a point just reached, or nothing where the derivatives are not finite. */
  const arrive = (
    point: Float64Array,
    { iteration, search: chosen, memory: before }: Arrival<Memory>,
  ): Awaitable<State | undefined> =>
    after(objective.linearize(point, spare?.model), (model) => {
      const { value, gradient } = model
      if (!Number.isFinite(value) || !allFinite(gradient)) return undefined
      return after(descent.remember(model, point, before), (memory) =>
        after(prepare(model, point, memory), ({ steps: { decrement, optimality, initialSize } }) => {
          const kept = chosen ?? search.start(initialSize)
          return { iteration, search: kept, point, value, memory, accepted: true, decrement, optimality }
        }),
      )
    })

  /**
   * Takes a step whose effect on the value drowns in rounding if it lessens the decrement, and has the search go on as if
   * it had reduced the value as promised; else tries a shorter one.
   */
  const polish = (state: State, { point, step, from }: Trial<Model>): Awaitable<State> =>
    after(
      search.update(state.search, step, step.predicted, () => objective.linearize(point, spare?.model)),
      (kept) =>
        after(
          arrive(point, arrival(state, kept.accepted ? kept.state : search.start(state.search.size))),
          (next) => {
            const { decrement } = from.steps
            if (next && next.decrement < progress * decrement) return next
            goBack(from)
            const done = decrement <= exact * Math.abs(state.value) || step.relative <= noStep
            return rejected(state, shorter(state.search, step), done ? settled(from.steps) : undefined)
          },
        ),
    )

  /** Has the search decide on a step by what it reduces. */
  const judge = (state: State, { point, step, from }: Trial<Model>, reduction: number): Awaitable<State> => {
    if (reduction === Number.POSITIVE_INFINITY) return rejected(state, state.search, 'unbounded')
    const decision = search.update(state.search, step, reduction, () =>
      objective.linearize(point, spare?.model),
    )
    return after(decision, ({ accepted, state: next }) =>
      after(accepted ? arrive(point, arrival(state, next)) : undefined, (arrived) => {
        if (arrived) return arrived
        const stuck = step.relative <= noStep ? settled(from.steps) : undefined
        return rejected(state, accepted ? shorter(state.search, step) : next, stuck)
      }),
    )
  }

  const propose = (state: State): Awaitable<Trial<Model>> =>
    after(placeOf(state), (from) =>
      after(from.steps.step(state.search.size), (step) => {
        return { point: sum(state.point, step.move), step, from }
      }),
    )

  const decide = (state: State, trial: Trial<Model>): Awaitable<State> => {
    if (same(trial.point, state.point)) return rejected(state, state.search, settled(trial.from.steps))
    const { decrement, relative } = trial.from.steps
    const { predicted, full } = trial.step
    const value = Math.abs(state.value)
    const lost = predicted <= rounding * value && decrement <= nearby * value
    if (lost || (full && relative <= smallStep)) return polish(state, trial)
    return after(objective.value(trial.point, spare?.model), (reached) =>
      judge(state, trial, state.value - reached),
    )
  }

  const rejected = (state: State, search: SearchState, reason?: Reason): State => {
    const { point, value, memory, decrement, optimality } = state
    const iteration = state.iteration + 1
    const next = { iteration, search, point, value, memory, accepted: false, decrement, optimality }
    return reason ? { reason, ...next } : next
  }

  return {
    init: () =>
      after(arrive(start, { iteration: 0 }), (state) => {
        return state ?? after(objective.linearize(start), (model) => refuse(named(start), model))
      }),
    propose,
    decide,
    model: (state) => after(placeOf(state), ({ model }) => model),
    leave: () => [spare, here && { steps: here.steps }].filter((x) => x !== undefined),
    step: (state) => after(propose(state), (trial) => decide(state, trial)),
    terminate({ reason, decrement, value }) {
      if (reason) return reason
      return decrement <= tolerance ** 2 * Math.abs(value) ? 'optimal' : undefined
    },
    record: ({ iteration, value, search, accepted, decrement, optimality }) => {
      return { iteration, value, size: search.size, accepted, decrement, optimality }
    },
  }
}

/** What is known of a point before it is reached; of the start neither what to search with nor a memory. */
type Arrival<Memory> = Pick<DescentState<Memory>, 'iteration'> &
  Partial<Pick<DescentState<Memory>, 'search' | 'memory'>>

const arrival = <Memory>(state: DescentState<Memory>, search: SearchState): Arrival<Memory> => {
  return { iteration: state.iteration + 1, search, memory: state.memory }
}

function sum(x: Float64Array, y: Float64Array): Float64Array {
  const z = new Float64Array(x.length)
  for (let i = 0; i < z.length; i++) z[i] = x[i]! + y[i]!
  return z
}

function same(x: Float64Array, y: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false
  return true
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

const named = (start: Float64Array) =>
  `start [${start.slice(0, 8).join(', ')}${start.length > 8 ? ', ...' : ''}]`

/** @throws always: value or gradient are not finite at a start. */
export function refuse(where: string, { value, gradient }: LocalModel): never {
  if (!Number.isFinite(value))
    throw new Error(
      `${where}: the function is ${value} there, expected a finite number; start at a point of its domain`,
    )
  const at = gradient.findIndex((x) => !Number.isFinite(x))
  throw new Error(
    `${where}: the derivative by parameter ${at} is ${gradient[at]} there, expected a finite number; ` +
      'start away from points where the function has no derivative',
  )
}
