import type { Program } from '../../program/program.js'
import type { Like, Tensored } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import {
  type LeastSquaresOptions,
  type LeastSquaresResult,
  prepareLeastSquares,
} from '../leastSquares/leastSquares.js'
import { type Reason, reasons } from '../reason.js'

/** By default the method is `dogleg`: Newton's step in a trust region (Powell 1970); with bounds `trustRegionReflective`. */
export type RootOptions = Omit<LeastSquaresOptions, 'sigma' | 'covariance' | 'loss' | 'lossScale'>

export interface RootResult<P>
  extends Pick<
    LeastSquaresResult<P>,
    'point' | 'names' | 'values' | 'derivatives' | 'evaluations' | 'iterations' | 'history' | 'state'
  > {
  /** The equations' left sides at the point. */
  readonly residual: Float64Array
  readonly converged: boolean
  readonly reason: Reason
  readonly message: string
}

/** An equation holds if its residual is this part of what it was at the start, or of its terms. */
const satisfactory = 1e-8

/**
 * A solution of F(x) = 0 with as many equations as unknowns, by the steps of least squares on |F|^2 / 2. Where these end in
 * a minimum that is no solution, the result says so. Derivatives as in {@link leastSquares}.
 *
 * @throws on bad input, as leastSquares; and when there are not as many equations as unknowns.
 */
export async function root<A extends Arguments>(
  equations: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: RootOptions = {},
): Promise<RootResult<Tensored<A[0]>>> {
  const { method = options.bounds ? 'trustRegionReflective' : 'dogleg' } = options
  const problem = await prepareLeastSquares(equations, start, { ...options, method })
  try {
    const atStart = await problem.solve({ maxSteps: 0 })
    const [m, n] = [atStart.model.residual.length, problem.parameters.names.length]
    if (m !== n)
      throw new Error(`equations: got ${m} for ${n} unknowns, expected as many of each; see leastSquares`)
    const { model, reason: ended, converged: _, message: __, ...result } = await problem.solve(options)
    const { residual, columns } = model
    const holds = Array.from(residual, (r, i) => {
      const terms = result.values.reduce((sum, x, j) => sum + Math.abs(columns[j * m + i]! * x), 0)
      return Math.abs(r) <= satisfactory * Math.max(Math.abs(atStart.model.residual[i]!), terms)
    })
    const reason = holds.every(Boolean) ? 'solved' : ended === 'maxSteps' ? ended : 'noRoot'
    const { names, values, point, derivatives, evaluations, iterations, history, state } = result
    return {
      point,
      names,
      values,
      residual,
      converged: reasons[reason].converged,
      reason,
      message: reasons[reason].sentence,
      derivatives,
      evaluations,
      iterations,
      history,
      state,
    }
  } finally {
    await problem.dispose()
  }
}
