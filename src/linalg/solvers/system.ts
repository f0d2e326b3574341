import { type LinearOperator, operatorDType } from '../operators/operator.js'
import { requireCount, requirePositive } from '../products.js'
import { axpy, norm, type Vector } from '../vector.js'
import { describe, type Solution, type SolveOptions, type SolveReason, type Solver } from './solver.js'

/** What a solver is asked for: from x = 0, |residual - A x| <= goal. */
export interface Task {
  /** The right-hand side, which may be overwritten. */
  readonly residual: Float64Array
  readonly goal: number
  readonly limits: Limits
  /** Tells of a step with its |residual|. */
  readonly report: (step: number, residual: number) => void
}

/** Options with their defaults. */
export interface Limits {
  readonly tolerance: number
  readonly maxSteps: number
}

export interface Outcome {
  readonly x: Float64Array
  readonly steps: number
  readonly reason: SolveReason
  readonly negativeCurvature?: Float64Array
}

/** The limits of a solve. @throws on bad options and right-hand sides that do not fit the operator. */
export function checkSystem(
  operator: LinearOperator,
  rightHandSides: readonly Vector[],
  options: SolveOptions,
  where: string,
): Limits {
  const { tolerance = 1e-6, maxSteps = 10 * operator.columns } = options
  requirePositive(tolerance, 'tolerance', where)
  requireCount(maxSteps, 'maxSteps', where)
  for (const b of rightHandSides) {
    if (b.length !== operator.rows)
      throw new Error(
        `${where}: the right-hand side has ${b.length} elements, expected ${operator.rows}, the operator's rows`,
      )
    if (!Number.isFinite(norm(b)))
      throw new Error(`${where}: the right-hand side has norm ${norm(b)}, expected finite numbers`)
  }
  return { tolerance, maxSteps }
}

/** The task that a right-hand side of norm > 0 sets, relative to that norm. */
export function taskOf(residual: Float64Array, scale: number, limits: Limits, options: SolveOptions): Task {
  const { tolerance, maxSteps } = limits
  return {
    residual,
    goal: tolerance * scale,
    limits,
    report: (step, residual) => options.onStep?.({ done: step, total: maxSteps, residual: residual / scale }),
  }
}

/** Solves the square system A x = b by `method` from `start`, and checks the result with a product of its own. */
export function* solveSquare(
  b: Vector,
  start: Vector | undefined,
  limits: Limits,
  options: SolveOptions,
  method: (task: Task) => Solver<Outcome>,
): Solver<Omit<Solution, 'products'>> {
  const scale = norm(b)
  if (scale === 0) return trivial(start?.length ?? b.length, limits)
  const residual = Float64Array.from(b)
  if (start) axpy(-1, yield { by: 'operator', vector: start }, residual)
  const { x, steps, reason, ...rest } = yield* method(taskOf(residual, scale, limits, options))
  if (start) axpy(1, start, x)
  const left = Float64Array.from(b)
  axpy(-1, yield { by: 'operator', vector: x }, left)
  return { x, steps, ...rest, ...verdict(reason, norm(left) / scale, norm(left) / scale, limits) }
}

/** The solution 0 of a right-hand side 0. */
export function trivial(unknowns: number, limits: Limits): Omit<Solution, 'products'> {
  return { x: new Float64Array(unknowns), steps: 0, ...verdict('converged', 0, 0, limits) }
}

/** How a solve ended, given the residual and the figure that `tolerance` bounds, both as measured at the end. */
export function verdict(reason: SolveReason, residual: number, figure: number, limits: Limits) {
  // A factor of 10 for rounding in the recurrence.
  const judged = reason === 'converged' && figure > 10 * limits.tolerance ? 'inaccurate products' : reason
  const converged = judged === 'converged' || judged === 'least squares'
  return { residual, converged, reason: judged, message: describe(judged, residual, limits) }
}

/** What is negligible beside 1 in an operator's products. */
export function unitRoundoff(operator: LinearOperator): number {
  return operatorDType(operator) === 'float32' ? 2 ** -24 : 2 ** -53
}
