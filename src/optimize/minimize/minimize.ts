import type { CompileOptions } from '../../engines/index.js'
import { isProgram, type Program } from '../../program/program.js'
import { Tensor } from '../../tensor/tensor.js'
import { jvp, type Like, type Tensored, vjp } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import {
  type ConstrainedOptions,
  type ConstrainedResult,
  prepareConstrained,
} from '../constrained/minimizeConstrained.js'
import { onNumbers, onVector } from '../onVector.js'
import { type ParameterOptions, type Parameters, parameters, startFrom } from '../parameters.js'
import { type Reason, reasons } from '../reason.js'
import {
  checkState,
  type HistoryRow,
  type IterationState,
  type RunOptions,
  runSolver,
  solveOnce,
} from '../solver.js'
import {
  oneOf,
  plainFunction,
  type ScalarFunction,
  type TracedCurvature,
  tracedFunction,
} from './functions.js'
import { chooseMethod, type DescentMethod, type MinimizeMethodName, type SolverMethod } from './methods.js'
import { type FunctionEvaluations, functionObjective } from './objective.js'
import { projectedGradient } from './projectedGradient.js'
import { curvesDown } from './saddle.js'

export interface MinimizeOptions
  extends ParameterOptions,
    Omit<CompileOptions, 'signal'>,
    RunOptions<IterationState> {
  /**
   * Default: with exact derivatives and up to 200 parameters `trustRegionNewton`, within bounds `projectedNewton`; else
   * `lbfgs`, within bounds `lbfgsb`. Or any descent with any search.
   */
  readonly method?: MinimizeMethodName | DescentMethod | SolverMethod
  /**
   * How derivatives are found: by tracing the function (default), by finite differences, or the gradient by a function
   * that returns it as one vector. The function is then called with numbers and arrays of them instead of tensors.
   */
  // biome-ignore lint/suspicious/noExplicitAny: its argument is the function's
  readonly gradient?: 'exact' | 'finiteDifferences' | ((parameters: any) => ArrayLike<number>)
  /**
   * A matrix [n, n] of the parameters that takes the place of the Hessian: Gauss and Newton's, Fisher's. Traced; n counts
   * the parameters that vary.
   */
  // biome-ignore lint/suspicious/noExplicitAny: its argument is the function's
  readonly curvature?: (parameters: any) => Tensor
  /** The same by its products, (parameters, v) -> a tree as v, such as `ggn(model, loss)`. */
  // biome-ignore lint/suspicious/noExplicitAny: its arguments are the function's
  readonly curvatureProduct?: (parameters: any, v: any) => unknown
  /**
   * Ends where a full step promises to reduce the function by less than this part, squared, of its value or of what it
   * has fallen since the start. Methods without derivatives end where their points are this close. Default 1e-10 and 1e-8.
   */
  readonly tolerance?: number
  /** The state of an earlier result, or one given to `onStep`, to continue from with the same digits. */
  readonly state?: IterationState
  readonly constraints?: undefined
}

export interface MinimizeResult<P> {
  /** The parameters, a tree of tensors as that of the start. */
  readonly point: P
  /** The parameters that varied, and their values. */
  readonly names: readonly string[]
  readonly values: Float64Array
  readonly value: number
  /** Of the parameters that varied. */
  readonly gradient: Float64Array
  /** max_i |g_i| min(max(|x_i|, 1), room_i) / max(|f|, 1), room_i how far bounds let x_i go down the gradient g. */
  readonly optimality: number
  readonly converged: boolean
  readonly reason: Reason
  readonly message: string
  readonly method: string
  readonly derivatives: ScalarFunction['derivatives']
  readonly evaluations: FunctionEvaluations
  readonly iterations: number
  readonly history: readonly HistoryRow[]
  readonly state: IterationState
}

/**
 * The parameters that minimise a function, at least nearby. `f` is a function of tensors that returns one number, traced
 * once and differentiated exactly; or, with `gradient`, of numbers; or a program of one vector. Small problems run as
 * JavaScript, large ones on ONNX Runtime.
 *
 * With `constraints`, lower <= c(parameters) <= upper, the least value under them, with their multipliers.
 *
 * That it does not converge is a result: see `converged`, `reason` and `message`. With exact derivatives and up to 200
 * parameters the Hessian at the end tells minima from saddles.
 *
 * @throws on bad input: a start that is not finite, outside its bounds or where the function is not finite, unknown
 * names; the signal's reason when aborted.
 */
export async function minimize<A extends Arguments>(
  f: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: ConstrainedOptions,
): Promise<ConstrainedResult<Tensored<A[0]>>>
export async function minimize<A extends Arguments>(
  f: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options?: MinimizeOptions,
): Promise<MinimizeResult<Tensored<A[0]>>>
export async function minimize<A extends Arguments>(
  f: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: MinimizeOptions | ConstrainedOptions = {},
): Promise<MinimizeResult<Tensored<A[0]>> | ConstrainedResult<Tensored<A[0]>>> {
  if (options.constraints) return solveOnce(await prepareConstrained(f, start, options), options)
  return solveOnce(await prepareMinimize(f, start, options), options)
}

/** What may differ from solution to solution of one prepared problem. */
export interface MinimizeSolveOptions
  extends Pick<MinimizeOptions, 'method' | 'tolerance' | 'state'>,
    RunOptions<IterationState> {
  /** Another start: the values of the parameters that vary. */
  readonly start?: ArrayLike<number>
}

/** A problem traced and compiled, to be solved many times. */
export interface PreparedMinimize<P> {
  readonly parameters: Parameters<P>
  solve(options?: MinimizeSolveOptions): Promise<MinimizeResult<P>>
  /** Frees what ONNX Runtime holds. */
  dispose(): Promise<void>
}

/** Traces and compiles a problem once; each solution then costs its iterations only. See {@link minimize}. */
export async function prepareMinimize<A extends Arguments>(
  f: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: MinimizeOptions = {},
): Promise<PreparedMinimize<Tensored<A[0]>>> {
  type P = Tensored<A[0]>
  if (options.constraints !== undefined)
    throw new Error('constraints: prepareMinimize takes none; see prepareConstrained')
  const given = parameters<P>(start as Like<P>, options)
  const scalar = await scalarOf(f, given, options)
  return {
    parameters: given,
    dispose: scalar.dispose,
    async solve({ start = given.start, tolerance, state: before, method, ...run } = {}) {
      if (tolerance !== undefined && !(tolerance >= 0))
        throw new Error(`tolerance: got ${tolerance}, expected 0 or more`)
      const objective = functionObjective(scalar)
      const from = startFrom(start, given)
      checkState(before, from.length)
      const derivativeFree = method === 'nelderMead' || method === 'consensus' || typeof method === 'function'
      const problem = {
        objective,
        start: from,
        box: given,
        tolerance: tolerance ?? (derivativeFree ? 1e-8 : 1e-10),
      }
      const { name, solver } = chooseMethod(method, problem, scalar.derivatives === 'exact')
      const { state, history } = await runSolver(solver, run, before)
      const evaluations = { ...objective.evaluations }
      const model = await objective.linearize(state.point)
      const { gradient } = model
      const checked = reasons[state.reason!].converged && scalar.hessian
      const reason = checked && (await curvesDown(model, state.point, given)) ? 'saddle' : state.reason!
      return {
        point: given.tree(new Tensor(state.point)),
        names: given.names,
        values: state.point,
        value: state.value,
        gradient,
        optimality: projectedGradient({ value: state.value, gradient }, state.point, given),
        converged: reasons[reason].converged,
        reason,
        message: reasons[reason].sentence,
        method: name,
        derivatives: scalar.derivatives,
        evaluations,
        iterations: state.iteration,
        history,
        state,
      }
    },
  }
}

function scalarOf(
  // biome-ignore lint/suspicious/noExplicitAny: its argument is what `given` makes
  f: ((...args: any) => unknown) | Program,
  given: Parameters<unknown>,
  options: MinimizeOptions,
): ScalarFunction | Promise<ScalarFunction> {
  const { gradient = 'exact' } = options
  if (isProgram(f) || gradient === 'exact') {
    const traced = onVector('f', f, given) as (x: Tensor) => Tensor
    return tracedFunction(traced, given.start, curvatureOf(given, options), options)
  }
  const value = oneOf(onNumbers('f', f, given))
  if (gradient === 'finiteDifferences') return plainFunction(value, given)
  if (typeof gradient !== 'function')
    throw new Error(
      `gradient: got ${JSON.stringify(gradient)}, expected exact, finiteDifferences or a function that returns it`,
    )
  const slopes = onNumbers('gradient', gradient, given)
  return plainFunction(value, given, (x) => given.columns('gradient', [slopes(x)]))
}

function curvatureOf(
  given: Parameters<unknown>,
  { curvature, curvatureProduct }: MinimizeOptions,
): TracedCurvature {
  return {
    matrix: curvature && ((x) => curvature(given.tree(x))),
    product:
      curvatureProduct &&
      ((x, v) => {
        const [point, direction] = jvp(given.tree as (x: Tensor) => Tensor, [x], [v])
        const [, pull] = vjp(given.tree as (x: Tensor) => Tensor, x)
        return pull(curvatureProduct(point, direction) as Tensor)[0]
      }),
  }
}
