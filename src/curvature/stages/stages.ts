import type { Progress } from '../../linalg/products.js'

/** The computation and those of its options that a continued run must share. */
export type RunOptions = Readonly<Record<string, string | number>>

/** What a computation in stages knows so far, as plain data: results of finished stages, states of begun ones. */
export interface StagesCheckpoint {
  /** What it is computed from; a continued run must share it. */
  readonly of: string
  readonly run: RunOptions
  readonly finished: Readonly<Record<string, FinishedStage>>
  readonly running: Readonly<Record<string, RunningStage>>
}

interface FinishedStage {
  readonly options: RunOptions
  readonly result: unknown
  readonly seconds: number
}

interface RunningStage {
  readonly state: unknown
  /** Spent before `state`. */
  readonly seconds: number
}

/** How far a computation in stages has come: `fraction` of the present stage. */
export interface StageProgress {
  readonly stage: string
  readonly fraction: number
}

export interface StagesOptions {
  readonly checkpoint?: StagesCheckpoint | undefined
  readonly onCheckpoint?: ((checkpoint: StagesCheckpoint) => void) | undefined
  readonly onStep?: ((progress: StageProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a stage hands to the computation that it runs. */
export interface StageRun<State> {
  readonly checkpoint?: State
  readonly onCheckpoint: (state: State) => void
  readonly onStep: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface Stages {
  /**
   * The result of a stage, plain data: at once where the checkpoint has it, else by `work`, which goes on from its state.
   * @throws where the checkpoint's stage had other options.
   */
  run<T, State = unknown>(
    name: string,
    options: RunOptions,
    work: (run: StageRun<State>) => Promise<T>,
  ): Promise<T>
  /** Gives a stage that has not begun a state to begin from. */
  prepare(name: string, state: unknown): void
  /** Seconds of each finished stage, over all runs. */
  seconds(): Record<string, number>
}

/**
 * A long computation cut into named stages. After each step of each stage `onCheckpoint` gets all that is known; the same
 * computation with that as `checkpoint` goes on from there and ends with the digits of an uninterrupted run. Stages that
 * the stopped run did not have may be added.
 * @throws when the checkpoint is of another run.
 */
export function stagesOf(of: string, run: RunOptions, options: StagesOptions): Stages {
  const { checkpoint, onCheckpoint, onStep, signal } = options
  if (checkpoint) requireSame(of, { of: checkpoint.of, ...checkpoint.run }, { of, ...run })
  const finished: Record<string, FinishedStage> = { ...checkpoint?.finished }
  const running: Record<string, RunningStage> = { ...checkpoint?.running }
  const save = () => onCheckpoint?.({ of, run, finished: { ...finished }, running: { ...running } })
  return {
    async run(name, stageOptions, work) {
      const done = finished[name]
      if (done) {
        requireSame(`${of}: ${name}`, done.options, stageOptions)
        return done.result as never
      }
      const begun = running[name]
      const started = performance.now()
      const seconds = () => (begun?.seconds ?? 0) + (performance.now() - started) / 1000
      signal?.throwIfAborted()
      onStep?.({ stage: name, fraction: 0 })
      const result = await work({
        ...(begun && { checkpoint: begun.state as never }),
        onCheckpoint(state) {
          running[name] = { state, seconds: seconds() }
          save()
        },
        onStep: ({ done, total }) => onStep?.({ stage: name, fraction: done / Math.max(1, total) }),
        ...(signal && { signal }),
      })
      delete running[name]
      finished[name] = { options: stageOptions, result, seconds: seconds() }
      save()
      return result
    },
    prepare(name, state) {
      if (!finished[name]) running[name] ??= { state, seconds: 0 }
    },
    seconds: () => Object.fromEntries(Object.entries(finished).map(([name, stage]) => [name, stage.seconds])),
  }
}

function requireSame(where: string, stopped: RunOptions, now: RunOptions): void {
  const option = Object.keys({ ...stopped, ...now }).find((key) => stopped[key] !== now[key])
  if (option !== undefined)
    throw new Error(
      `${where}: the checkpoint is of a run with ${option} ${stopped[option] ?? 'not given'}, this one has ` +
        `${now[option] ?? 'none'}; continue with the data and options of the run that was stopped, or begin anew without it`,
    )
}
