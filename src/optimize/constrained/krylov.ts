import type { NormalPattern } from '../leastSquares/sparse/normalMatrix.js'
import { constraintPreconditioner, curvatureSizes, gramPattern } from './constraintPreconditioner.js'
import type { KktSolver } from './kkt.js'
import { minresSteps } from './minresSteps.js'
import { projectedSteps } from './projectedSteps.js'

/**
 * Solves with products of the Hessian alone, by conjugate gradients with a constraint preconditioner; by MINRES without one
 * where the constraints are too many and too dense for it.
 */
export function krylov(): KktSolver {
  let pattern: NormalPattern | 'dense' | undefined
  return {
    name: 'krylov',
    async prepare(system) {
      const jacobian = await system.model.jacobian()
      pattern ??= gramPattern(jacobian, system.model.point.length) ?? 'dense'
      if (pattern === 'dense') return minresSteps(system)
      const sizes = await curvatureSizes(system.model)
      return projectedSteps(system, sizes, constraintPreconditioner(jacobian, sizes, pattern))
    },
  }
}
