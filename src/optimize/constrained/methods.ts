import type { IterationState, Solver } from '../solver.js'
import { augmentedLagrangian } from './augmentedLagrangian.js'
import { direct } from './direct.js'
import type { KktSolver } from './kkt.js'
import { krylov } from './krylov.js'
import type { ConstrainedProblem } from './problem.js'
import { sketched } from './sketched.js'
import { sqp } from './sqp.js'

const kktSolvers = { direct: () => direct, krylov, sketched: () => sketched() }

export type KktSolverName = keyof typeof kktSolvers

export interface ConstrainedMethodOptions {
  /**
   * `sqp`, for equations only, without bounds: Newton's steps on the Lagrangian with an exact augmented Lagrangian for
   * merit; the default there. `augmentedLagrangian`: minimises one after another; for every kind of constraints.
   */
  readonly method?: 'sqp' | 'augmentedLagrangian'
  /**
   * How `sqp` solves its linear equations: `direct` by null space, the default up to 200 parameters; `krylov` by
   * conjugate gradients along the constraints, preconditioned by their sparse Jacobian, by MINRES where that is too dense;
   * `sketched` by random projections, or {@link sketched} with options.
   */
  readonly kktSolver?: KktSolverName | KktSolver
}

/** @throws when a name is unknown, or the method does not fit the problem. */
export function chooseConstrainedMethod(
  { method, kktSolver }: ConstrainedMethodOptions,
  problem: ConstrainedProblem,
): { readonly name: string; readonly solver: Solver<IterationState> } {
  const { limits, box, dense } = problem
  const equations = limits.lower.every((low, j) => low === limits.upper[j])
  const name = method ?? (equations && !box.bounded ? 'sqp' : 'augmentedLagrangian')
  if (name === 'augmentedLagrangian') {
    if (kktSolver !== undefined)
      throw new Error('kktSolver: got one for augmentedLagrangian, expected it for sqp alone; leave it out')
    return { name, solver: augmentedLagrangian(problem) as Solver<never> }
  }
  if (name !== 'sqp')
    throw new Error(
      `method: got ${JSON.stringify(name)}, expected sqp or augmentedLagrangian with constraints`,
    )
  if (!equations || box.bounded)
    throw new Error(
      `method: sqp takes equations alone, got ${equations ? 'bounds' : 'inequalities'}; expected augmentedLagrangian`,
    )
  const chosen = kktSolver ?? (dense ? 'direct' : 'krylov')
  if (typeof chosen === 'string' && !Object.hasOwn(kktSolvers, chosen))
    throw new Error(
      `kktSolver: got ${JSON.stringify(chosen)}, expected one of ${Object.keys(kktSolvers).join(', ')}`,
    )
  const solver = typeof chosen === 'string' ? kktSolvers[chosen]() : chosen
  if (typeof solver.prepare !== 'function')
    throw new Error(
      `kktSolver: got an object of ${Object.keys(solver).join(', ') || 'nothing'}, expected a name, or sketched(...)`,
    )
  return { name: `${name}, ${solver.name}`, solver: sqp(solver, problem) as Solver<never> }
}
