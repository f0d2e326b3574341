import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts } from '../products.js'
import { axpy, dot, norm, type Vector } from '../vector.js'
import { runTogether, type Solution, type SolveOptions, type Solver } from './solver.js'
import { checkSystem, type Outcome, solveSquare, type Task } from './system.js'

export interface ConjugateGradientOptions extends SolveOptions {
  /** A symmetric positive definite operator near A^-1. */
  readonly preconditioner?: LinearOperator
  /** Where to start. Default 0. */
  readonly start?: Vector
}

/**
 * x with A x = b for symmetric positive definite A, by preconditioned conjugate gradients (Hestenes and Stiefel 1952;
 * Golub and Van Loan, Matrix Computations, 11.5). Meeting p^T A p <= 0 it stops and hands out p, as truncated Newton
 * methods need.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function conjugateGradient(
  operator: LinearOperator,
  b: Vector,
  options: ConjugateGradientOptions = {},
): Promise<Solution> {
  const [solution] = await conjugateGradients(operator, [b], options)
  return solution!
}

/** {@link conjugateGradient} for several right-hand sides, whose products go through the operator together. */
export async function conjugateGradients(
  operator: LinearOperator,
  rightHandSides: readonly Vector[],
  options: ConjugateGradientOptions = {},
): Promise<Solution[]> {
  const where = 'conjugateGradient'
  const n = requireSquare(operator, where)
  const { preconditioner, start, signal } = options
  const limits = checkSystem(operator, rightHandSides, options, where)
  if (preconditioner && (preconditioner.rows !== n || preconditioner.columns !== n))
    throw new Error(
      `${where}: preconditioner is ${preconditioner.rows} by ${preconditioner.columns}, expected ${n} by ${n}`,
    )
  const products = countProducts(operator, where, signal)
  const conditioned = preconditioner && countProducts(preconditioner, `${where}: preconditioner`, signal)
  return runTogether(
    rightHandSides.map((b) =>
      solveSquare(b, start, limits, options, (task) => iterate(task, Boolean(conditioned))),
    ),
    { operator: products, ...(conditioned && { preconditioner: conditioned }) },
  )
}

function* iterate({ residual: r, goal, limits, report }: Task, conditioned: boolean): Solver<Outcome> {
  const x = new Float64Array(r.length)
  let direction: Float64Array = new Float64Array(r.length)
  let before = 1
  for (let steps = 0; ; steps++) {
    const residual = norm(r)
    if (steps > 0) report(steps, residual)
    if (residual <= goal) return { x, steps, reason: 'converged' }
    if (steps === limits.maxSteps) return { x, steps, reason: 'step limit' }
    const z = conditioned ? yield { by: 'preconditioner', vector: r } : r.slice()
    const size = dot(r, z)
    if (!(size > 0)) return { x, steps, reason: 'indefinite preconditioner' }
    axpy(size / before, direction, z)
    direction = z
    before = size
    const image = yield { by: 'operator', vector: direction }
    const curvature = dot(direction, image)
    if (!(curvature > 0))
      return { x, steps, reason: 'negative curvature', negativeCurvature: direction.slice() }
    axpy(size / curvature, direction, x)
    axpy(-size / curvature, image, r)
  }
}
