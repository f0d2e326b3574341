import type { Products, Progress } from '../products.js'
import type { Vector } from '../vector.js'

export type SolveReason =
  | 'converged'
  | 'least squares'
  | 'step limit'
  | 'negative curvature'
  | 'indefinite preconditioner'
  | 'inaccurate products'

export interface Solution {
  readonly x: Float64Array
  /** |b - A x| / |b|, computed with a product of its own; 0 when b is 0. */
  readonly residual: number
  readonly steps: number
  /** Products with A and, where the method needs it, A^T; not those with the preconditioner. */
  readonly products: number
  readonly converged: boolean
  readonly reason: SolveReason
  /** `reason` as a sentence. */
  readonly message: string
  /** A vector p with p^T A p <= 0, where one was met. */
  readonly negativeCurvature?: Float64Array
}

export interface SolveProgress extends Progress {
  /** |b - A x| / |b| as the recurrence has it. */
  readonly residual: number
}

export interface SolveOptions {
  /** Wanted |b - A x| / |b|. Default 1e-6. */
  readonly tolerance?: number
  /** Default 10 times the number of unknowns. */
  readonly maxSteps?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: SolveProgress) => void
}

/** A product that a solver waits for. */
export interface Request {
  readonly by: 'operator' | 'transpose' | 'preconditioner'
  readonly vector: Vector
}

/** One right-hand side's solver: it yields each product it needs and is resumed with the result. */
export type Solver<R> = Generator<Request, R, Float64Array>

/**
 * Runs solvers of one method side by side, so that the products that they wait for at the same time go through the
 * operator in one block.
 */
export async function runTogether<R>(
  solvers: readonly Solver<R>[],
  products: Readonly<Partial<Record<Request['by'], Products>>>,
): Promise<(R & { readonly products: number })[]> {
  const counts = solvers.map(() => 0)
  const states = solvers.map((solver) => solver.next())
  for (;;) {
    const waiting = states.flatMap((state, i) => (state.done ? [] : [{ i, request: state.value }]))
    const [first] = waiting
    if (!first) break
    const { by } = first.request
    const together = waiting.filter(({ request }) => request.by === by)
    const images = await products[by]!.apply(together.map(({ request }) => request.vector))
    const length = images.length / together.length
    together.forEach(({ i }, at) => {
      if (by !== 'preconditioner') counts[i]!++
      states[i] = solvers[i]!.next(images.subarray(at * length, (at + 1) * length))
    })
  }
  return states.map((state, i) => ({ ...(state.value as R), products: counts[i]! }))
}

/** A reason as a sentence. */
export function describe(
  reason: SolveReason,
  residual: number,
  { tolerance, maxSteps }: { readonly tolerance: number; readonly maxSteps: number },
): string {
  const reached = `the residual is ${residual.toExponential(1)} of the right-hand side`
  switch (reason) {
    case 'converged':
      return `Converged: ${reached}.`
    case 'least squares':
      return `Converged to a least-squares solution: ${reached}.`
    case 'step limit':
      return `Not converged in ${maxSteps} steps: ${reached}, wanted ${tolerance}; raise maxSteps or tolerance, or give a preconditioner.`
    case 'negative curvature':
      return `Stopped at a vector p with p^T A p <= 0, so the operator is not positive definite: ${reached}; add damping, or use minres.`
    case 'indefinite preconditioner':
      return `Stopped at a vector r with r^T M r <= 0, so the preconditioner is not positive definite: ${reached}.`
    case 'inaccurate products':
      return `The recurrence reached ${tolerance}, but ${reached}: products are too inaccurate for this tolerance; raise it, or use float64.`
  }
}
