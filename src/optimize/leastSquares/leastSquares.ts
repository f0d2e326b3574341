import type { CompileOptions } from '../../engines/index.js'
import { evaluate, isProgram, type Program } from '../../program/program.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Like, Tensored } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import { type DescentState, descentSolver } from '../descentSolver.js'
import { type ParameterOptions, type Parameters, parameters } from '../parameters.js'
import { type Reason, reasons } from '../reason.js'
import { type HistoryRow, type RunOptions, runSolver } from '../solver.js'
import { differenceColumns } from './differences.js'
import { type LossName, lossNamed, type RobustLoss } from './loss.js'
import { type Method, type MethodName, methodNamed } from './methods.js'
import type { LeastSquaresModel } from './model.js'
import { whitener } from './noise.js'
import { type Evaluations, leastSquaresObjective } from './objective.js'
import { type ProfileOptions, profileIntervals } from './profile.js'
import { factorScaled, undetermined } from './rank.js'
import { insideBox } from './reflective.js'
import { plainResiduals, type Residuals, tracedResiduals } from './residuals.js'
import type { Scale } from './scaled.js'

export interface LeastSquaresOptions
  extends ParameterOptions,
    Omit<CompileOptions, 'signal'>,
    RunOptions<DescentState<Scale>> {
  /** Default `levenbergMarquardt`, with bounds `trustRegionReflective`; or any descent with any search. */
  readonly method?: MethodName | Method
  /**
   * How derivatives are found: by tracing the residual (default), by finite differences, or by a function that returns
   * the rows of the Jacobian. The residual is then called with numbers and arrays of them instead of tensors.
   */
  // biome-ignore lint/suspicious/noExplicitAny: its argument is the residual's
  readonly jacobian?: 'exact' | 'finiteDifferences' | ((parameters: any) => ArrayLike<ArrayLike<number>>)
  /** Standard deviations of the residuals, which they are divided by. */
  readonly sigma?: number | ArrayLike<number>
  /** The covariance of the residuals, row by row. */
  readonly covariance?: ArrayLike<ArrayLike<number>>
  /** Counts large residuals less. Default `linear`. */
  readonly loss?: LossName | RobustLoss
  /** The size, in units of sigma where that is given, from which residuals count less. Default 1. */
  readonly lossScale?: number
  /**
   * Ends where a full step would reduce the length of the residuals by less than this part, squared. Default 0: all
   * digits.
   */
  readonly tolerance?: number
  /** The state of an earlier result, or one given to `onStep`, to continue from with the same digits. */
  readonly state?: DescentState<Scale>
}

export interface LeastSquaresResult<P> {
  /** The parameters, a tree of tensors as that of the start. */
  readonly point: P
  /** The parameters that varied, and their values. */
  readonly names: readonly string[]
  readonly values: Float64Array
  /** Half the sum of squares of the residuals in units of sigma, after the loss. */
  readonly value: number
  readonly converged: boolean
  readonly reason: Reason
  /** What the reason means, and which parameters the data do not determine. */
  readonly message: string
  readonly undetermined: readonly string[]
  readonly derivatives: Residuals['derivatives']
  readonly evaluations: Evaluations
  readonly iterations: number
  readonly history: readonly HistoryRow[]
  readonly state: DescentState<Scale>
  /** The residuals in units of sigma and their Jacobian, with the weights of a robust loss. */
  readonly model: LeastSquaresModel
  readonly parameters: Parameters<P>
}

/**
 * The parameters that minimise the sum of squares of residuals, sum_i rho(r_i^2) / 2 with a robust loss. `residual` is a
 * function of tensors, traced once and differentiated exactly; or, with `jacobian`, of numbers; or a program of one
 * vector. Small problems run as JavaScript, large ones on ONNX Runtime.
 *
 * That it does not converge is a result: see `converged`, `reason` and `message`.
 *
 * @throws on bad input: a start that is not finite, outside its bounds or where residuals are not finite, fewer
 * residuals than parameters, errors of other lengths, unknown names; the signal's reason when aborted.
 */
export async function leastSquares<A extends Arguments>(
  residual: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: LeastSquaresOptions = {},
): Promise<LeastSquaresResult<Tensored<A[0]>>> {
  const problem = await prepareLeastSquares(residual, start, options)
  try {
    return await problem.solve(options)
  } finally {
    await problem.dispose()
  }
}

/** What may differ from solution to solution of one prepared problem. */
export interface SolveOptions
  extends Pick<LeastSquaresOptions, 'tolerance' | 'state'>,
    RunOptions<DescentState<Scale>> {
  /** Another start: the values of the parameters that vary. */
  readonly start?: Float64Array
}

/** A problem traced and compiled, to be solved many times. */
export interface LeastSquaresProblem<P> {
  readonly parameters: Parameters<P>
  solve(options?: SolveOptions): Promise<LeastSquaresResult<P>>
  /** Intervals of the parameters that varied from the profile of the likelihood. See {@link profileIntervals}. */
  profile(result: LeastSquaresResult<P>, options?: ProfileOptions): Promise<[lower: number, upper: number][]>
  /** Frees what ONNX Runtime holds. */
  dispose(): Promise<void>
}

/** Traces and compiles a problem once; each solution then costs its iterations only. See {@link leastSquares}. */
export async function prepareLeastSquares<A extends Arguments>(
  residual: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: LeastSquaresOptions = {},
): Promise<LeastSquaresProblem<Tensored<A[0]>>> {
  type P = Tensored<A[0]>
  const given = parameters<P>(start as Like<P>, options)
  const residuals = await residualsOf(residual, given, options)
  if (residuals.rows < given.names.length)
    throw new Error(
      `residual: got ${residuals.rows} residuals for ${given.names.length} parameters (${given.names.slice(0, 8).join(', ')}), ` +
        'expected at least as many; fix parameters, or add residuals that say what is known of them',
    )
  const { method, loss = 'linear', lossScale = 1 } = options
  const { descent, search } = methodNamed(method, given)
  if (!(lossScale > 0)) throw new Error(`lossScale: got ${lossScale}, expected a number above 0`)
  const treatment = {
    whiten: whitener(options, residuals.rows),
    loss: loss === 'linear' ? undefined : lossNamed(loss),
    lossScale,
  }
  return {
    parameters: given,
    dispose: residuals.dispose,
    profile: (result, options) =>
      profileIntervals({ residuals, treatment, method, box: given }, result, options),
    async solve({ start: from = given.start, tolerance = 0, state: before, ...run } = {}) {
      const objective = leastSquaresObjective(residuals, treatment)
      const solver = descentSolver(objective, descent, search, insideBox(from, given), { tolerance })
      const { state, history } = await runSolver(solver, run, before)
      const model = await objective.linearize(state.point)
      return toResult(given, residuals, { state, history, model, evaluations: objective.evaluations })
    },
  }
}

interface Solution {
  readonly state: DescentState<Scale>
  readonly history: readonly HistoryRow[]
  readonly model: LeastSquaresModel
  readonly evaluations: Evaluations
}

function toResult<P>(given: Parameters<P>, residuals: Residuals, solution: Solution): LeastSquaresResult<P> {
  const { state, model } = solution
  const reason = state.reason!
  const { converged, sentence } = reasons[reason]
  const loose = undetermined(factorScaled(model.columns, residuals.rows)).map((i) => given.names[i]!)
  const warning = `Here the residuals do not depend on ${loose.join(', ')} alone or on a combination of them: they are not determined.`
  return {
    ...solution,
    point: given.tree(new Tensor(state.point)),
    names: given.names,
    values: state.point,
    value: state.value,
    converged,
    reason,
    message: loose.length > 0 ? `${sentence} ${warning}` : sentence,
    undetermined: loose,
    derivatives: residuals.derivatives,
    iterations: state.iteration,
    parameters: given,
  }
}

function residualsOf(
  // biome-ignore lint/suspicious/noExplicitAny: its argument is what `given` makes
  residual: ((...args: any) => unknown) | Program,
  given: Parameters<unknown>,
  { jacobian = 'exact', ...options }: LeastSquaresOptions,
): Residuals | Promise<Residuals> {
  if (isProgram(residual))
    return tracedResiduals((x) => evaluate(residual, [given.tree(x) as Tensor])[0], given.start, options)
  if (jacobian === 'exact') return tracedResiduals((x) => residual(given.tree(x)), given.start, options)
  const f = (x: Float64Array) => Float64Array.from(residual(given.numbers(x)) as ArrayLike<number>)
  if (jacobian === 'finiteDifferences') {
    return plainResiduals(f, given.start, (x) => differenceColumns(f, x, given), 'finite differences')
  }
  return plainResiduals(f, given.start, (x) => given.columns(jacobian(given.numbers(x))), 'given')
}
