import { Tensor } from '../../tensor/tensor.js'
import type { Objective } from '../descent.js'
import { type DescentState, descentSolver } from '../descentSolver.js'
import { type LossName, lossNamed, type RobustLoss } from '../leastSquares/residuals/loss.js'
import { type Reason, reasons } from '../reason.js'
import { damping } from '../search.js'
import { type HistoryRow, type RunOptions, runSolver, type Solver } from '../solver.js'
import { blockDerivatives } from './blockDerivatives.js'
import { type BlockProblem, type Observations, observationsOf } from './blockProblem.js'
import { type BlockMemory, blockMemory } from './memory.js'
import { type NormalEquations, normalEquations, type Robust } from './normalEquations.js'
import { reducedPattern } from './reducedPattern.js'
import { schurDescent } from './schurDescent.js'

export interface BlockLeastSquaresOptions extends RunOptions<DescentState<null>> {
  /** Counts observations less whose residuals together are large. Default `linear`. */
  readonly loss?: LossName | RobustLoss
  /** The length of an observation's residuals from which it counts less. Default 1. */
  readonly lossScale?: number
  /** Ends when a step reduces the value by less than this part of it. Default 1e-6. */
  readonly tolerance?: number
  /** The state of an earlier result, or one given to `onStep`, to continue from with the same digits. */
  readonly state?: DescentState<null>
}

export interface BlockLeastSquaresResult {
  /** [cameras, a] */
  readonly cameras: Tensor
  /** [points, b] */
  readonly points: Tensor
  /** Half the sum of squares of the residuals, after the loss. */
  readonly value: number
  readonly converged: boolean
  readonly reason: Reason
  /** What the reason means. */
  readonly message: string
  /** How often residuals and their derivatives were computed, always together. */
  readonly evaluations: number
  readonly iterations: number
  /** Its `decrement` is not known, NaN. */
  readonly history: readonly HistoryRow[]
  readonly memory: BlockMemory
  readonly state: DescentState<null>
}

/**
 * The cameras and points that minimise half the sum of squares of all residuals, or of rho(|r|^2) for each observation
 * with a robust loss, by Levenberg and Marquardt's method with Schur elimination of the points and a sparse Cholesky
 * factorisation of what is left (bundle adjustment: Brown 1958; Triggs, McLauchlan, Hartley, Fitzgibbon 2000; Agarwal,
 * Snavely, Seitz, Szeliski 2010). The residual is traced once and differentiated exactly, for all observations at once.
 *
 * That it does not converge is a result: see `converged`, `reason` and `message`.
 *
 * @throws on bad input: wrong shapes and lengths, indices that name no block, fewer residuals than parameters, a start where residuals are not finite;
 * the signal's reason when aborted.
 */
export async function blockLeastSquares(
  problem: BlockProblem,
  options: BlockLeastSquaresOptions = {},
): Promise<BlockLeastSquaresResult> {
  const { tolerance = 1e-6, state: before, ...run } = options
  const observations = observationsOf(problem)
  const derivatives = blockDerivatives(problem.residual, observations)
  checkCount(derivatives.residuals * observations.camera.length, observations.start.length)
  const reduced = reducedPattern(observations)
  const { objective, evaluations } = blockObjective(observations, derivatives.at, robustOf(options))
  const solver = descentSolver(objective, schurDescent(observations, reduced), damping(), observations.start)
  const { state, history } = await runSolver(endingAt(tolerance, solver), run, before)
  const { cameras, points } = observations
  const split = cameras.count * cameras.size
  const { converged, sentence } = reasons[state.reason!]
  return {
    cameras: new Tensor(state.point.slice(0, split), [cameras.count, cameras.size]),
    points: new Tensor(state.point.slice(split), [points.count, points.size]),
    value: state.value,
    converged,
    reason: state.reason!,
    message: sentence,
    evaluations: evaluations(),
    iterations: state.iteration,
    history,
    memory: blockMemory(observations, reduced),
    state,
  }
}

function checkCount(residuals: number, parameters: number): void {
  if (residuals < parameters)
    throw new Error(
      `residual: got ${residuals} residuals for ${parameters} parameters, expected at least as many; ` +
        'add observations, or leave out blocks that few observe',
    )
}

function robustOf({ loss = 'linear', lossScale = 1 }: BlockLeastSquaresOptions): Robust | undefined {
  if (!(lossScale > 0)) throw new Error(`lossScale: got ${lossScale}, expected a number above 0`)
  return loss === 'linear' ? undefined : { loss: lossNamed(loss), scale: lossScale }
}

/** Values come with derivatives: most trial points are taken, and then need them. */
function blockObjective(
  observations: Observations,
  derivativesAt: ReturnType<typeof blockDerivatives>['at'],
  robust: Robust | undefined,
): { readonly objective: Objective<NormalEquations>; evaluations(): number } {
  let count = 0
  let latest: { readonly x: Float64Array; readonly equations: NormalEquations } | undefined
  const linearize = (x: Float64Array, spare?: NormalEquations) => {
    if (latest?.x === x) return latest.equations
    count++
    const equations = normalEquations(observations, derivativesAt(x), robust, spare)
    latest = { x, equations }
    return equations
  }
  return {
    objective: { value: (x, spare) => linearize(x, spare).value, linearize },
    evaluations: () => count,
  }
}

/** The solver that also ends when a step that was taken reduced the value by less than a part of it. */
function endingAt(tolerance: number, solver: Solver<DescentState<null>>): Solver<DescentState<null>> {
  return {
    ...solver,
    async step(state) {
      const next = await solver.step(state)
      const small = next.accepted && state.value - next.value <= tolerance * state.value
      return small && !next.reason ? { ...next, reason: 'tolerance' } : next
    },
  }
}
