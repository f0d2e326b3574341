import type { Program } from '../../program/program.js'
import type { Like, Tensored } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import {
  type LeastSquaresOptions,
  type LeastSquaresResult,
  prepareLeastSquares,
} from '../leastSquares/leastSquares.js'
import type { ProductModel } from '../leastSquares/matrixFree/productModel.js'
import type { LeastSquaresModel } from '../leastSquares/model.js'
import type { SparseModel } from '../leastSquares/sparse/sparseModel.js'
import { multiply } from '../leastSquares/sparse/sparseRows.js'
import { type Reason, reasons } from '../reason.js'
import { type Awaitable, after } from '../solver.js'

/** As {@link leastSquares}: by default Newton's step in a trust region, from a sparse Jacobian where that costs less. */
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
  const problem = await prepareLeastSquares(equations, start, options)
  try {
    const atStart = await problem.solve({ maxSteps: 0 })
    const [m, n] = [atStart.model.residual.length, problem.parameters.names.length]
    if (m !== n)
      throw new Error(`equations: got ${m} for ${n} unknowns, expected as many of each; see leastSquares`)
    const { model, reason: ended, converged: _, message: __, ...result } = await problem.solve(options)
    const { residual } = model
    const terms = await termsOf(model, result.values)
    const holds = residual.every(
      (r, i) => Math.abs(r) <= satisfactory * Math.max(Math.abs(atStart.model.residual[i]!), terms[i]!),
    )
    const reason = holds ? 'solved' : ended === 'maxSteps' ? ended : 'noRoot'
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

/** How large the terms of each equation are: sum_j |J_ij x_j|; with products of the Jacobian alone |J x|. */
function termsOf(
  model: LeastSquaresModel | SparseModel | ProductModel,
  x: Float64Array,
): Awaitable<Float64Array> {
  if ('normal' in model)
    return multiply({ ...model.jacobian, values: model.jacobian.values.map(Math.abs) }, x.map(Math.abs))
  if ('jacobian' in model) return after(model.jacobian.multiply(x), (image) => image.map(Math.abs))
  const { columns, residual } = model
  return residual.map((_, i) =>
    x.reduce((sum, xj, j) => sum + Math.abs(columns[j * residual.length + i]! * xj), 0),
  )
}
