import { type DescentMemory, type DescentState, descentSolver, type Trial } from '../../descentSolver.js'
import type { Reason } from '../../reason.js'
import { type Awaitable, after, breathing } from '../../solver.js'
import type { Method } from '../dense/methods.js'
import type { Scale } from '../dense/scaled.js'
import type { LeastSquaresModel } from '../model.js'
import { leastSquaresObjective, type Treatment } from '../objective.js'
import type { Linearized } from '../residuals/residuals.js'
import type { BatchResiduals } from './batchResiduals.js'

/** Where a fit ended. */
export interface Ended {
  readonly state: DescentState<Scale>
  readonly reason: Reason
  readonly model: LeastSquaresModel
}

export interface Progress {
  /** Steps that all lanes have made together. */
  readonly steps: number
  /** How many of the fits have ended. */
  readonly finished: number
  readonly fits: number
}

interface FitOptions {
  readonly method: Method
  readonly treatment: Treatment
  readonly tolerance: number
  readonly maxSteps: number
}

export interface LockstepOptions extends FitOptions {
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((progress: Progress) => void) | undefined
}

/**
 * Runs a fit from each start, as many at a time as there are lanes. All lanes make a step together, with one evaluation
 * of their trial points; a lane whose fit has ended takes up the next. Each fit makes the steps that it would make alone.
 * `ended` is given where a fit ended, or the error that its start is.
 */
export async function lockstep(
  residuals: BatchResiduals,
  starts: readonly Float64Array[],
  ended: (fit: number, end: Ended | Error) => void,
  { signal, onStep, ...options }: LockstepOptions,
): Promise<void> {
  const fits = starts.length
  const n = starts[0]!.length
  const points = new Float64Array(residuals.lanes * n)
  const breathe = breathing(signal)
  let [next, finished] = [0, 0]

  const takeUp = (lane: number, before?: Fit): Fit | undefined => {
    if (next === fits) return undefined
    const fit = next++
    residuals.load(lane, fit)
    return beginFit(fit, starts[fit]!, residuals.rows, options, before?.leave())
  }

  const lanes = Array.from({ length: residuals.lanes }, (_, lane) => takeUp(lane))
  for (let steps = 1; finished < fits; steps++) {
    await breathe()
    lanes.forEach((fit, lane) => {
      if (fit) points.set(fit.next(), lane * n)
    })
    const at = await residuals.linearize(points)
    for (let lane = 0; lane < lanes.length; lane++) {
      const fit = lanes[lane]
      if (!fit) continue
      const outcome = advance(fit, (spare) => at(lane, spare))
      const end = outcome instanceof Promise ? await outcome : outcome
      if (!end) continue
      ended(fit.index, end)
      finished++
      lanes[lane] = takeUp(lane, fit)
    }
    onStep?.({ steps, finished, fits })
  }
}

/** A fit on its way. */
interface Fit {
  readonly index: number
  readonly started: () => boolean
  /** The point at which it waits for the residuals. */
  readonly next: () => Float64Array
  /** Goes on with the residuals there. */
  readonly advance: (at: (spare?: Linearized) => Linearized) => Awaitable<Ended | undefined>
  /** What the next fit may overwrite. */
  readonly leave: () => DescentMemory<LeastSquaresModel>
}

function beginFit(
  index: number,
  start: Float64Array,
  rows: number,
  { method, treatment, tolerance, maxSteps }: FitOptions,
  memory: DescentMemory<LeastSquaresModel> = [],
): Fit {
  let latest: (spare?: Linearized) => Linearized
  const residuals = {
    rows,
    derivatives: 'exact',
    together: true,
    residual: () => latest().residual,
    linearize: (_: Float64Array, spare?: Linearized) => latest(spare),
    dispose: async () => {},
  } as const
  const objective = leastSquaresObjective(residuals, treatment)
  const solver = descentSolver(objective, method.descent, method.search, start, { tolerance, memory })
  let state: DescentState<Scale> | undefined
  let trial: Trial<LeastSquaresModel> | undefined

  const goOn = (reached: DescentState<Scale>): Awaitable<Ended | undefined> => {
    state = reached
    const reason = solver.terminate(reached) ?? (reached.iteration >= maxSteps ? 'maxSteps' : undefined)
    if (reason) return after(solver.model(reached), (model) => ({ state: reached, reason, model }))
    return after(solver.propose(reached), (proposed) => {
      trial = proposed
      return undefined
    })
  }

  return {
    index,
    started: () => state !== undefined,
    leave: solver.leave,
    next: () => trial?.point ?? start,
    advance(at) {
      latest = at
      return after(state && trial ? solver.decide(state, trial) : solver.init(), goOn)
    },
  }
}

/** A start outside the function's domain is no reason to give up the other fits. */
function advance(fit: Fit, at: (spare?: Linearized) => Linearized): Awaitable<Ended | Error | undefined> {
  try {
    return fit.advance(at)
  } catch (error) {
    if (error instanceof Error && !fit.started()) return error
    throw error
  }
}
