import type { Reason } from './reason.js'

/** An answer at once (the JavaScript engine) or later (ONNX Runtime). */
export type Awaitable<T> = T | Promise<T>

/** f of an answer: at once where the answer is there, so that small problems never wait. */
export function after<A, B>(value: Awaitable<A>, f: (value: A) => Awaitable<B>): Awaitable<B> {
  return value instanceof Promise ? value.then(f) : f(value)
}

/** Where an iteration stands: plain data, so that it can be stored and continued with the same digits. */
export interface IterationState {
  /** Trial points so far, accepted or not. */
  readonly iteration: number
  readonly point: Float64Array
  readonly value: number
  /** Why the iteration ended, once it has. */
  readonly reason?: Reason
}

/** A method that goes from state to state. Nothing it knows is kept elsewhere than in its state. */
export interface Solver<State extends IterationState> {
  /** The state at the start. @throws when the value or the derivatives there are not finite. */
  init(): Awaitable<State>
  step(state: State): Awaitable<State>
  /** Why to stop here, if so. */
  terminate(state: State): Reason | undefined
  /** What goes into the history. */
  record(state: State): HistoryRow
}

export interface HistoryRow {
  readonly iteration: number
  readonly value: number
  /** The search's size: trust-region radius, inverse damping, or step length. */
  readonly size: number
  /** Whether the trial point was taken. */
  readonly accepted: boolean
  /** The reduction that a step without limit promises. */
  readonly decrement: number
  /** The gradient without units. */
  readonly optimality: number
}

export interface RunOptions<State> {
  /** Trial points at most. Default 1000. */
  readonly maxSteps?: number
  readonly signal?: AbortSignal
  /** Called with the state after each step; what it was last given can be continued from. */
  readonly onStep?: (state: State) => void
}

export interface Run<State> {
  readonly state: State
  readonly history: readonly HistoryRow[]
}

/** Milliseconds after which other work, such as the timer of an abort, gets its turn. */
const breath = 50

/** Lets other work have its turn from time to time, where there is a signal. @throws the signal's reason when aborted. */
export function breathing(signal: AbortSignal | undefined): () => Awaitable<void> {
  let rested = performance.now()
  return () => {
    signal?.throwIfAborted()
    if (!signal || performance.now() - rested <= breath) return
    return new Promise<void>((resolve) => setTimeout(resolve)).then(() => {
      rested = performance.now()
      signal.throwIfAborted()
    })
  }
}

/**
 * Runs a solver from `from`, or its start, until it terminates or has made `maxSteps` steps.
 * @throws the signal's reason when aborted.
 */
export async function runSolver<State extends IterationState>(
  solver: Solver<State>,
  { maxSteps = 1000, signal, onStep }: RunOptions<State> = {},
  from?: State,
): Promise<Run<State>> {
  if (!(maxSteps >= 0)) throw new Error(`maxSteps: got ${maxSteps}, expected 0 or more`)
  signal?.throwIfAborted()
  const first = from ? resumed(from) : solver.init()
  let state = first instanceof Promise ? await first : first
  const history = [solver.record(state)]
  const end = state.iteration + maxSteps
  const breathe = breathing(signal)
  for (;;) {
    const reason = solver.terminate(state) ?? (state.iteration >= end ? 'maxSteps' : undefined)
    if (reason) return { state: Object.assign({}, state, { reason }), history }
    const next = solver.step(state)
    state = next instanceof Promise ? await next : next
    history.push(solver.record(state))
    onStep?.(state)
    const pause = breathe()
    if (pause) await pause
  }
}

/** @throws when a state to continue from is none of a problem with so many parameters. */
export function checkState(state: IterationState | undefined, parameters: number): void {
  if (state && state.point?.length !== parameters)
    throw new Error(
      `state: is of ${state.point?.length ?? 'no'} parameters, expected ${parameters}: the state of an earlier run of the same problem`,
    )
}

/** A state without the reason for which it once ended. */
function resumed<State extends IterationState>({ reason: _, ...state }: State): State {
  return state as State
}

/** Solves a prepared problem once, and frees what it holds. */
export async function solveOnce<Options, Result>(
  problem: { solve(options: Options): Promise<Result>; dispose(): Promise<void> },
  options: Options,
): Promise<Result> {
  try {
    return await problem.solve(options)
  } finally {
    await problem.dispose()
  }
}
