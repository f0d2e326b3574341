import type { CompileOptions } from '../../engines/index.js'
import { isProgram, type Program } from '../../program/program.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Like, Tensored } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import { insideBox } from '../box.js'
import { type DescentMemory, type DescentState, descentSolver } from '../descentSolver.js'
import { onNumbers, onVector } from '../onVector.js'
import { type ParameterOptions, type Parameters, parameters, startFrom } from '../parameters.js'
import { type Reason, reasons } from '../reason.js'
import { checkState, type HistoryRow, type RunOptions, runSolver, solveOnce } from '../solver.js'
import { type Method, type MethodName, methodNamed } from './dense/methods.js'
import { factorScaled, undetermined as undeterminedBy } from './dense/rank.js'
import type { Scale } from './dense/scaled.js'
import { type ProfileOptions, profileIntervals } from './errors/profile.js'
import { checkNotDense, type Formulation, needsDense } from './formulation.js'
import { productFormulation } from './matrixFree/productFormulation.js'
import type { LeastSquaresModel } from './model.js'
import { type Evaluations, leastSquaresObjective, type Treatment } from './objective.js'
import { differenceColumns } from './residuals/differences.js'
import { type LossName, lossNamed, type RobustLoss } from './residuals/loss.js'
import { type Noise, whitener } from './residuals/noise.js'
import { plainResiduals, type Residuals, tracedResiduals } from './residuals/residuals.js'
import { sparseFormulation } from './sparse/sparseFormulation.js'
import { worthSparse } from './sparse/worthSparse.js'

export interface LeastSquaresOptions
  extends ParameterOptions,
    Omit<CompileOptions, 'signal'>,
    RunOptions<DescentState<Scale>> {
  /** Default `levenbergMarquardt`, with bounds `trustRegionReflective`; or any descent with any search. */
  readonly method?: MethodName | Method
  /**
   * How derivatives are found. By tracing the residual: `exact` (default) holds them as `sparse` does where that costs
   * clearly less, else as `dense` does; `matrixFree` knows only products of the Jacobian with vectors, for problems whose
   * steps even sparse factors are too large for. By finite differences, or by a function that returns the rows of the
   * Jacobian: the residual is then called with numbers and arrays of them instead of tensors.
   *
   * Sparse and matrix-free problems have no `covariance` or choice of method. Sparse ones tell what the data do not
   * determine only to half of all digits; matrix-free ones do not tell, and know no errors of parameters.
   */
  readonly jacobian?:
    | 'exact'
    | 'dense'
    | 'sparse'
    | 'matrixFree'
    | 'finiteDifferences'
    // biome-ignore lint/suspicious/noExplicitAny: its argument is the residual's
    | ((parameters: any) => ArrayLike<ArrayLike<number>>)
  /** Standard deviations of the residuals, which they are divided by. */
  readonly sigma?: number | ArrayLike<number> | Tensor
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
  return solveOnce(await prepareLeastSquares(residual, start, options), options)
}

/** What may differ from solution to solution of one prepared problem. */
export interface SolveOptions
  extends Pick<LeastSquaresOptions, 'tolerance' | 'state'>,
    RunOptions<DescentState<Scale>> {
  /** Another start: the values of the parameters that vary. */
  readonly start?: ArrayLike<number>
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
  const formulation = await formulationOf(residual, given, options)
  const { residuals, search, undetermined } = formulation
  checkCount(residuals.rows, given.names)
  const { method } = options
  const treatment = treatmentOf(options, residuals.rows)
  let memory: DescentMemory<LeastSquaresModel> = []
  return {
    parameters: given,
    dispose: residuals.dispose,
    profile: (result, options) =>
      profileIntervals({ residuals, treatment, method, box: given }, result, options),
    async solve(options = {}) {
      const { start = given.start, tolerance = 0, state: before } = options
      if (!(tolerance >= 0)) throw new Error(`tolerance: got ${tolerance}, expected 0 or more`)
      const from = insideBox(startFrom(start, given), given)
      checkState(before, from.length)
      const objective = formulation.objective(treatment)
      const descent = formulation.descent(options.signal)
      const solver = descentSolver(objective, descent, search, from, { tolerance, memory })
      // Solutions at the same time have memory of their own.
      memory = []
      const { state, history } = await runSolver(solver, options, before)
      const model = await solver.model(state)
      memory = solver.leave()
      const { evaluations } = objective
      const solution = { values: state.point, state, history, model, evaluations }
      return toResult(given, residuals, solution, undetermined?.(model))
    },
  }
}

/** @throws when there are fewer residuals than parameters. */
export function checkCount(rows: number, names: readonly string[]): void {
  if (rows < names.length)
    throw new Error(
      `residual: got ${rows} residuals for ${names.length} parameters (${names.slice(0, 8).join(', ')}), ` +
        'expected at least as many; fix parameters, or add residuals that say what is known of them',
    )
}

/** What is done to residuals before their squares are summed. */
export function treatmentOf(
  options: Noise & Pick<LeastSquaresOptions, 'loss' | 'lossScale'>,
  rows: number,
): Treatment {
  const { loss = 'linear', lossScale = 1 } = options
  if (!(lossScale > 0)) throw new Error(`lossScale: got ${lossScale}, expected a number above 0`)
  return { whiten: whitener(options, rows), loss: loss === 'linear' ? undefined : lossNamed(loss), lossScale }
}

interface Solution {
  readonly values: Float64Array
  readonly state: DescentState<Scale>
  readonly history: readonly HistoryRow[]
  readonly model: LeastSquaresModel
  readonly evaluations: Evaluations
}

/** What a run came to, in words too. */
export function toResult<P>(
  given: Parameters<P>,
  residuals: Residuals,
  solution: Solution,
  free: readonly number[] = undeterminedBy(factorScaled(solution.model.columns, residuals.rows)),
): LeastSquaresResult<P> {
  const { values, state, history, model, evaluations } = solution
  const reason = state.reason!
  const { converged, sentence } = reasons[reason]
  const loose = free.map((i) => given.names[i]!)
  const warning = () =>
    `Here the residuals do not depend on ${loose.join(', ')} alone or on a combination of them: they are not determined.`
  return {
    point: given.tree(new Tensor(values)),
    names: given.names,
    values,
    value: state.value,
    converged,
    reason,
    message: loose.length > 0 ? `${sentence} ${warning()}` : sentence,
    undetermined: loose,
    derivatives: residuals.derivatives,
    evaluations,
    iterations: state.iteration,
    history,
    state,
    model,
    parameters: given,
  }
}

async function formulationOf(
  // biome-ignore lint/suspicious/noExplicitAny: its argument is what `given` makes
  residual: ((...args: any) => unknown) | Program,
  given: Parameters<unknown>,
  options: LeastSquaresOptions,
): Promise<Formulation> {
  const { jacobian = 'exact' } = options
  const { start } = given
  const dense = (residuals: Residuals): Formulation => {
    const { descent, search } = methodNamed(options.method, given)
    const objective = (treatment: Treatment) => leastSquaresObjective(residuals, treatment)
    return { residuals, objective, descent: () => descent, search }
  }
  if (!isProgram(residual) && (jacobian === 'finiteDifferences' || typeof jacobian === 'function')) {
    const f = onNumbers('residual', residual, given)
    if (jacobian === 'finiteDifferences')
      return dense(plainResiduals(f, start, (x) => differenceColumns(f, x, given), 'finite differences'))
    return dense(
      plainResiduals(f, start, (x) => given.columns('jacobian', jacobian(given.numbers(x))), 'given'),
    )
  }
  const f = onVector('residual', residual, given)
  if (jacobian === 'sparse' || jacobian === 'matrixFree') {
    checkNotDense(jacobian, options)
    return jacobian === 'sparse'
      ? sparseFormulation(f, given, options)
      : productFormulation(f, given, options)
  }
  if (jacobian !== 'exact' && jacobian !== 'dense')
    throw new Error(
      `jacobian: got ${jacobian}, expected exact, dense, sparse or matrixFree; finiteDifferences or a function for a residual of numbers`,
    )
  const sparsity = jacobian === 'exact' && !needsDense(options) ? worthSparse(f, start) : undefined
  if (sparsity) return sparseFormulation(f, given, options, sparsity)
  return dense(await tracedResiduals(f, start, options))
}
