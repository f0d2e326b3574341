/**
 * How every long computation here is stopped and continued. After each step `onCheckpoint` is given all that is known
 * so far; the same call with that as `checkpoint` goes on from there and ends with the digits of an uninterrupted run.
 *
 * A checkpoint is plain data (numbers, strings, typed arrays, objects and arrays of these): it survives
 * `structuredClone` and can be written to a file. It shares typed arrays with the computation, which never writes to
 * them again, so that taking one copies no vectors. It holds no state of a random generator: every random vector is
 * addressed by the seed and the number of its probe or step.
 */
export interface Resumable<State extends OfRun> {
  /** Where to go on, from `onCheckpoint` of an earlier run. */
  readonly checkpoint?: State | undefined
  readonly onCheckpoint?: ((checkpoint: State) => void) | undefined
}

export interface OfRun {
  /** The computation and those of its options that a continued run must share. */
  readonly run: Run
}

export interface Checkpoint extends OfRun {
  readonly products: number
}

export interface Run {
  readonly method: string
  readonly [option: string]: string | number
}

/** @throws when `checkpoint` is of another computation than `run`. */
export function requireSameRun(checkpoint: OfRun | undefined, run: Run, where: string): void {
  if (!checkpoint) return
  for (const [option, value] of Object.entries(run))
    if (checkpoint.run?.[option] !== value)
      throw new Error(
        `${where}: checkpoint is of a run with ${option} ${checkpoint.run?.[option]}, expected ${value}; ` +
          'continue with the options of the run that was stopped',
      )
}
