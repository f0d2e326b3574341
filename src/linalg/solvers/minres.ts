import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts } from '../products.js'
import { axpy, divide, dot, norm, type Vector } from '../vector.js'
import { runTogether, type Solution, type SolveOptions, type Solver } from './solver.js'
import { checkSystem, type Outcome, solveSquare, type Task, unitRoundoff } from './system.js'

export interface MinresOptions extends SolveOptions {
  /** Where to start. Default 0. */
  readonly start?: Vector
}

/**
 * x of least |b - A x| for symmetric A, indefinite or singular (Paige and Saunders 1975). Of a singular system
 * without a solution it finds a least-squares solution, recognised by |A r| <= tolerance |A| |r| with r = b - A x. No
 * tolerance below the square root of rounding (1e-8, in float32 2e-4) is used for that, since the method reaches no
 * less (Choi, Paige, Saunders 2011): a system with a larger condition number may be taken for one without a solution.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function minres(
  operator: LinearOperator,
  b: Vector,
  options: MinresOptions = {},
): Promise<Solution> {
  const [solution] = await minresTogether(operator, [b], options)
  return solution!
}

/** {@link minres} for several right-hand sides, whose products go through the operator together. */
export async function minresTogether(
  operator: LinearOperator,
  rightHandSides: readonly Vector[],
  options: MinresOptions = {},
): Promise<Solution[]> {
  requireSquare(operator, 'minres')
  const limits = checkSystem(operator, rightHandSides, options, 'minres')
  const products = countProducts(operator, 'minres', options.signal)
  const stationary = Math.max(limits.tolerance, Math.sqrt(unitRoundoff(operator)))
  return runTogether(
    rightHandSides.map((b) =>
      solveSquare(b, options.start, limits, options, (task) => iterate(task, stationary)),
    ),
    { operator: products },
  )
}

/**
 * Lanczos makes A V = V T; rotations (c, s) make T triangular, column by column, and x moves along the columns of
 * V R^-1. Names as in the paper's successors: after step k, `phi` is |r_k|, and |A r_k-1| / |r_k-1| is the length of
 * the last column before its rotation.
 */
function* iterate(task: Task, stationary: number): Solver<Outcome> {
  const { residual: start, goal, limits, report } = task
  const n = start.length
  const x = new Float64Array(n)
  let phi = norm(start)
  if (phi <= goal) return { x, steps: 0, reason: 'converged' }
  let earlier: Float64Array = new Float64Array(n)
  let v: Float64Array = start
  divide(v, phi)
  let [wEarlier, w] = [new Float64Array(n), new Float64Array(n)]
  let [beta, epsilon, deltaBar, c, s] = [0, 0, 0, -1, 0]
  let size = 0
  for (let steps = 0; steps < limits.maxSteps; ) {
    const next = yield { by: 'operator', vector: v }
    axpy(-beta, earlier, next)
    const alpha = dot(v, next)
    axpy(-alpha, v, next)
    const before = beta
    beta = norm(next)
    size = Math.max(size, Math.hypot(before, alpha, beta))

    const delta = c * deltaBar + s * alpha
    const gammaBar = s * deltaBar - c * alpha
    const oldEpsilon = epsilon
    epsilon = s * beta
    deltaBar = -c * beta
    // |A r| / |r| of the x before this step.
    const root = Math.hypot(gammaBar, deltaBar)
    if (root <= stationary * size) return { x, steps, reason: 'least squares' }
    const gamma = Math.hypot(gammaBar, beta)
    c = gammaBar / gamma
    s = beta / gamma

    const direction = v.slice()
    axpy(-oldEpsilon, wEarlier, direction)
    axpy(-delta, w, direction)
    divide(direction, gamma)
    ;[wEarlier, w] = [w, direction]
    axpy(c * phi, direction, x)
    phi *= s
    steps++
    report(steps, phi)
    if (phi <= goal) return { x, steps, reason: 'converged' }
    ;[earlier, v] = [v, next]
    divide(v, beta)
  }
  return { x, steps: limits.maxSteps, reason: 'step limit' }
}
