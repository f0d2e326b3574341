import { transposeOperator } from '../operators/algebra.js'
import type { LinearOperator } from '../operators/operator.js'
import { countProducts } from '../products.js'
import { axpy, divide, norm, type Vector } from '../vector.js'
import { runTogether, type Solution, type SolveOptions, type Solver } from './solver.js'
import { checkSystem, type Limits, type Outcome, type Task, taskOf, trivial, verdict } from './system.js'

export interface LsmrOptions extends SolveOptions {
  /** d in min |b - A x|^2 + d^2 |x|^2. Default 0. */
  readonly damping?: number
}

/**
 * x of least |b - A x|^2 + damping^2 |x|^2 for any A that has products with its transpose (Fong and Saunders 2011);
 * without damping, of all least-squares solutions the shortest. It stops when the system is solved to `tolerance`, or
 * when |A^T (b - A x) - damping^2 x| <= tolerance |A^T b|.
 *
 * @throws on bad options, an operator without `applyTranspose`, and products that are not finite; the signal's reason
 * when aborted.
 */
export async function lsmr(
  operator: LinearOperator,
  b: Vector,
  options: LsmrOptions = {},
): Promise<Solution> {
  const [solution] = await lsmrTogether(operator, [b], options)
  return solution!
}

/** {@link lsmr} for several right-hand sides, whose products go through the operator together. */
export async function lsmrTogether(
  operator: LinearOperator,
  rightHandSides: readonly Vector[],
  options: LsmrOptions = {},
): Promise<Solution[]> {
  const { damping = 0, signal } = options
  const limits = checkSystem(operator, rightHandSides, options, 'lsmr')
  if (!(damping >= 0 && Number.isFinite(damping)))
    throw new Error(`lsmr: damping is ${damping}, expected a finite number >= 0`)
  return runTogether(
    rightHandSides.map((b) => solve(b, operator.columns, damping, limits, options)),
    {
      operator: countProducts(operator, 'lsmr', signal),
      transpose: countProducts(transposeOperator(operator), 'lsmr', signal),
    },
  )
}

function* solve(
  b: Vector,
  unknowns: number,
  damping: number,
  limits: Limits,
  options: SolveOptions,
): Solver<Omit<Solution, 'products'>> {
  const scale = norm(b)
  if (scale === 0) return trivial(unknowns, limits)
  const task = taskOf(Float64Array.from(b), scale, limits, options)
  const { x, steps, reason } = yield* iterate(task, unknowns, damping)
  const left = Float64Array.from(b)
  axpy(-1, yield { by: 'operator', vector: x }, left)
  const residual = norm(left) / scale
  return { x, steps, ...verdict(reason, residual, Math.hypot(norm(left), damping * norm(x)) / scale, limits) }
}

/**
 * Golub and Kahan's bidiagonalisation A V = U B, and two series of rotations that make B, then the transposed factor,
 * triangular. Names as in the paper, section 2.8; r follows x by A h and A hBar, so that its length is known.
 */
function* iterate(task: Task, unknowns: number, damping: number): Solver<Outcome> {
  const { residual: r, goal, limits, report } = task
  const x = new Float64Array(unknowns)
  const u = r.slice()
  let beta = norm(u)
  divide(u, beta)
  let v = yield { by: 'transpose', vector: u }
  let alpha = norm(v)
  if (alpha === 0) return { x, steps: 0, reason: 'least squares' }
  divide(v, alpha)

  const h = v.slice()
  const hBar = new Float64Array(unknowns)
  const imageOfH = new Float64Array(r.length)
  const imageOfHBar = new Float64Array(r.length)
  let [zetaBar, alphaBar, rho, rhoBar, cBar, sBar, theta] = [alpha * beta, alpha, 1, 1, 1, 0, 0]
  const normalGoal = limits.tolerance * zetaBar
  for (let steps = 1; steps <= limits.maxSteps; steps++) {
    const image = yield { by: 'operator', vector: v }
    scaleAndAdd(-theta / rho, imageOfH, image)
    scaleAndAdd(-alpha, u, image)
    beta = norm(u)
    if (beta > 0) {
      divide(u, beta)
      const next = yield { by: 'transpose', vector: u }
      axpy(-beta, v, next)
      v = next
      alpha = norm(v)
      if (alpha > 0) divide(v, alpha)
    }

    const [rhoOld, rhoBarOld] = [rho, rhoBar]
    const alphaHat = Math.hypot(alphaBar, damping)
    rho = Math.hypot(alphaHat, beta)
    theta = (beta / rho) * alpha
    alphaBar = (alphaHat / rho) * alpha
    const thetaBar = sBar * rho
    rhoBar = Math.hypot(cBar * rho, theta)
    const zeta = ((cBar * rho) / rhoBar) * zetaBar
    zetaBar *= -theta / rhoBar
    ;[cBar, sBar] = [(cBar * rho) / rhoBar, theta / rhoBar]

    const turn = (-thetaBar * rho) / (rhoOld * rhoBarOld)
    const advance = zeta / (rho * rhoBar)
    scaleAndAdd(turn, hBar, h)
    scaleAndAdd(turn, imageOfHBar, imageOfH)
    axpy(advance, hBar, x)
    axpy(-advance, imageOfHBar, r)
    scaleAndAdd(-theta / rho, h, v)

    const residual = Math.hypot(norm(r), damping * norm(x))
    report(steps, residual)
    if (residual <= goal) return { x, steps, reason: 'converged' }
    if (Math.abs(zetaBar) <= normalGoal) return { x, steps, reason: 'least squares' }
  }
  return { x, steps: limits.maxSteps, reason: 'step limit' }
}

/** y = a y + x, in place. */
function scaleAndAdd(a: number, y: Float64Array, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = a * y[i]! + x[i]!
}
