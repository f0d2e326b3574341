import type { CompileOptions } from '../../engines/index.js'
import { isProgram, type Program } from '../../program/program.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Like, Tensored } from '../../transforms/index.js'
import type { Arguments } from '../../transforms/stage.js'
import { refuse } from '../descentSolver.js'
import { oneOf } from '../minimize/functions.js'
import type { FunctionEvaluations } from '../minimize/objective.js'
import { viewFor } from '../minimize/quadratic.js'
import { onNumbers, onVector } from '../onVector.js'
import { type ParameterOptions, type Parameters, parameters, startFrom } from '../parameters.js'
import { type Reason, reasons } from '../reason.js'
import { checkState, type HistoryRow, type IterationState, type RunOptions, runSolver } from '../solver.js'
import { type Conditions, conditionsAt, violations, worstOf } from './conditions.js'
import { type Constraint, type Constraints, constraintsOf } from './constraints.js'
import { type ConstrainedFunction, plainConstrained, tracedConstrained } from './functions.js'
import { type LagrangianModel, lagrangianOf } from './lagrangian.js'
import { type ConstrainedMethodOptions, chooseConstrainedMethod } from './methods.js'
import { limitsOf } from './problem.js'
import { scaled, scaledEnds, scalingAt, typicalSizes, unscaledMultipliers } from './scaling.js'
import { verdict } from './verdict.js'

export interface ConstrainedOptions
  extends ParameterOptions,
    ConstrainedMethodOptions,
    Omit<CompileOptions, 'signal'>,
    RunOptions<IterationState> {
  /** lower <= c(parameters) <= upper each; beside them, `bounds` on the parameters themselves. */
  readonly constraints: readonly Constraint[]
  /**
   * How derivatives are found: by tracing function and constraints (default), or by finite differences; they are then
   * called with numbers and arrays of them instead of tensors.
   */
  readonly gradient?: 'exact' | 'finiteDifferences'
  /**
   * Ends where all {@link Conditions} hold to this. Default 1e-10. They are measured by the sizes of function, constraints
   * and parameters, the latter by at least as much as at the start, so that units do not matter.
   */
  readonly tolerance?: number
  /** The state of an earlier result, or one given to `onStep`, to continue from with the same digits. */
  readonly state?: IterationState
}

export interface ConstrainedResult<P> {
  /** The parameters, a tree of tensors as that of the start. */
  readonly point: P
  /** The parameters that varied, and their values. */
  readonly names: readonly string[]
  readonly values: Float64Array
  readonly value: number
  /** Of all constraints one after another: what each element is called, its value and its multiplier. */
  readonly constraintNames: readonly string[]
  readonly constraintValues: Float64Array
  /**
   * l with grad f + J^T l + boundMultipliers = 0 at a minimum: above 0 where the upper end holds the function back, below
   * where the lower does, 0 where neither. The function's least value falls by l per unit by which such an end is raised.
   */
  readonly multipliers: Float64Array
  /** The same for the bounds of the parameters that varied. */
  readonly boundMultipliers: Float64Array
  /** The largest violation, in the constraints' own units. */
  readonly violation: number
  readonly conditions: Conditions
  /** The worst of them. */
  readonly optimality: number
  readonly converged: boolean
  readonly reason: Reason
  readonly message: string
  readonly method: string
  readonly derivatives: ConstrainedFunction['derivatives']
  readonly evaluations: FunctionEvaluations
  readonly iterations: number
  readonly history: readonly HistoryRow[]
  readonly state: IterationState
}

/** What may differ from solution to solution of one prepared problem. */
export interface ConstrainedSolveOptions
  extends ConstrainedMethodOptions,
    Pick<ConstrainedOptions, 'tolerance' | 'state'>,
    RunOptions<IterationState> {
  /** Another start: the values of the parameters that vary. */
  readonly start?: ArrayLike<number>
}

export interface PreparedConstrained<P> {
  readonly parameters: Parameters<P>
  solve(options?: ConstrainedSolveOptions): Promise<ConstrainedResult<P>>
  /** Frees what ONNX Runtime holds. */
  dispose(): Promise<void>
}

/** Traces and compiles a function with constraints; see {@link minimize}. */
export async function prepareConstrained<A extends Arguments>(
  f: ((...args: A) => unknown) | Program,
  start: Like<A[0]>,
  options: ConstrainedOptions,
): Promise<PreparedConstrained<Tensored<A[0]>>> {
  type P = Tensored<A[0]>
  const given = parameters<P>(start as Like<P>, options)
  const plain = options.gradient === 'finiteDifferences'
  if (!plain && (options.gradient ?? 'exact') !== 'exact')
    throw new Error(
      `gradient: got ${JSON.stringify(options.gradient) ?? 'a function'}, expected exact or finiteDifferences with constraints`,
    )
  const constraints = constraintsOf(options.constraints, given, plain)
  const scalar = functionOf(f, given, constraints, options)
  return {
    parameters: given,
    dispose: scalar.dispose,
    async solve({ start: wanted = given.start, tolerance = 1e-10, state: before, ...run } = {}) {
      if (!(tolerance >= 0)) throw new Error(`tolerance: got ${tolerance}, expected 0 or more`)
      const from = startFrom(wanted, given)
      checkState(before, from.length)
      const start = await lagrangianOf(scalar).at(from, new Float64Array(constraints.lower.length))
      checkStart(start)
      const dense = viewFor(from.length) === 'dense'
      const typical = await typicalSizes(start, constraints, dense)
      const scaling = await scalingAt(start, typical)
      const lagrangian = lagrangianOf(scaled(scalar, scaling))
      const limits = limitsOf({ ...scaledEnds(constraints, scaling), typical })
      const exact = scalar.derivatives === 'exact'
      const problem = {
        lagrangian,
        start: from,
        limits,
        box: given,
        tolerance,
        size: scaling.size,
        dense,
        exact,
        signal: run.signal,
      }
      const { name, solver } = chooseConstrainedMethod(run, problem)
      const { state, history } = await runSolver(solver, run, before)
      const evaluations = { ...lagrangian.evaluations }
      const { multipliers } = state as IterationState & { readonly multipliers: Float64Array }
      const model = await lagrangian.at(state.point, multipliers)
      const there = await limits.at(model)
      const conditions = conditionsAt(model, there, given)
      const { value, constraints: values } = await scalar.values(state.point)
      const ended = await verdict(state.reason!, model, there, given, conditions, { dense, exact })
      return {
        point: given.tree(new Tensor(state.point)),
        names: given.names,
        values: state.point,
        value,
        constraintNames: constraints.names,
        constraintValues: values,
        multipliers: unscaledMultipliers(multipliers, scaling),
        boundMultipliers: model.gradient.map((g) => -g / scaling.objective),
        violation: violations(values, constraints).reduce((most, v) => Math.max(most, Math.abs(v)), 0),
        conditions,
        optimality: worstOf(conditions),
        converged: reasons[ended.reason].converged,
        ...ended,
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

function functionOf(
  // biome-ignore lint/suspicious/noExplicitAny: its argument is what `given` makes
  f: ((...args: any) => unknown) | Program,
  given: Parameters<unknown>,
  { traced, plain, lower }: Constraints,
  options: ConstrainedOptions,
): ConstrainedFunction {
  if (options.gradient === 'finiteDifferences' && !isProgram(f))
    return plainConstrained(oneOf(onNumbers('f', f, given)), plain, given)
  const objective = onVector('f', f, given) as (x: Tensor) => Tensor
  return tracedConstrained(objective, traced, given.start, lower.length, options)
}

function checkStart({ value, gradient }: LagrangianModel): void {
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite)) refuse('start', { value, gradient })
}
