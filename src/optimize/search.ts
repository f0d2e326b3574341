import type { LocalModel, Step } from './descent.js'
import type { Awaitable } from './solver.js'

/** The numbers that a search keeps; `size` is what its descent is asked for. */
export interface SearchState {
  readonly size: number
  /** By how much the next rejection divides the size, where that grows. */
  readonly shrink?: number
  /** The part of a line that holds the point searched for. */
  readonly bracket?: Bracket
}

/** Two places of a line search; where `high` is absent the line has been seen to fall as far as `low`. */
export interface Bracket {
  readonly low: LinePoint
  readonly high?: LinePoint
}

/** A place on a line: how far, by how much the value has risen, and its slope there. */
export interface LinePoint {
  readonly size: number
  readonly rise: number
  readonly slope: number
}

/** How far to go, and whether a trial point is taken. Combines with any {@link Descent}. */
export interface Search {
  readonly name: string
  start(initialSize: number): SearchState
  /**
   * `reduction`: by how much the value fell; not finite where it cannot be computed at the trial point. `trial`: the
   * function there with its gradient, computed only if asked for.
   */
  update(
    state: SearchState,
    step: Step,
    reduction: number,
    trial: () => Awaitable<LocalModel>,
  ): Awaitable<{ accepted: boolean; state: SearchState }>
}

export interface TrustRegionOptions {
  /** Least part of the predicted reduction for which a point is taken. Default 1e-4. */
  readonly accept?: number
  /** Below this part the region shrinks to a quarter of the step, above `high` it may grow. Default 0.25. */
  readonly low?: number
  /** Default 0.75. */
  readonly high?: number
  /** To how many steps' length it grows. Default 2. */
  readonly growth?: number
}

/** The classical trust region (Conn, Gould, Toint 2000, algorithm 6.1.1). */
export function trustRegion({
  accept = 1e-4,
  low = 0.25,
  high = 0.75,
  growth = 2,
}: TrustRegionOptions = {}): Search {
  return {
    name: 'trust region',
    start: (initialSize) => ({ size: initialSize }),
    update({ size }, step, reduction) {
      const ratio = reduction / step.predicted
      const accepted = ratio > accept
      if (!(ratio >= low)) return { accepted, state: { size: step.size / 4 } }
      return { accepted, state: { size: ratio > high && !step.full ? growth * step.size : size } }
    },
  }
}

export interface DampingOptions {
  /** Least part of the predicted reduction for which a point is taken. Default 1e-3. */
  readonly accept?: number
}

/**
 * Damping 1 / size that falls smoothly with the quality of the model and grows ever faster with rejections (Nielsen
 * 1999; Madsen, Nielsen, Tingleff 2004, equation 2.21).
 */
export function damping({ accept = 1e-3 }: DampingOptions = {}): Search {
  return {
    name: 'damping',
    start: (initialSize) => ({ size: initialSize, shrink: 2 }),
    update({ size, shrink = 2 }, step, reduction) {
      const ratio = reduction / step.predicted
      if (!(ratio > accept)) return { accepted: false, state: { size: size / shrink, shrink: 2 * shrink } }
      return { accepted: true, state: { size: size / Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3), shrink: 2 } }
    },
  }
}

export interface BacktrackingOptions {
  /** Least part of the predicted reduction for which a point is taken (Armijo's condition). Default 1e-4. */
  readonly accept?: number
  /** By how much a rejected step is shortened. Default 0.5. */
  readonly factor?: number
}

/** Line search: the full step first at every point, then ever shorter ones until the function falls enough. */
export function backtracking({ accept = 1e-4, factor = 0.5 }: BacktrackingOptions = {}): Search {
  return {
    name: 'backtracking',
    start: (initialSize) => ({ size: initialSize }),
    update({ size }, step, reduction) {
      const accepted = reduction > accept * step.predicted
      return { accepted, state: { size: accepted ? 1 : factor * Math.min(size, step.size) } }
    },
  }
}
