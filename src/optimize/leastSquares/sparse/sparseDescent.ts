import { dot, norm } from '../../../linalg/vector.js'
import type { Descent } from '../../descent.js'
import { divided, largestRatio, times } from '../../elementwise.js'
import { type PathPoint, withinRadius } from '../radius.js'
import { grownScale, optimality, type Scale, unitsAt } from '../scaled.js'
import type { NormalPattern } from './normalMatrix.js'
import { scaledNormal } from './scaledNormal.js'
import type { SparseModel } from './sparseModel.js'
import { multiply } from './sparseRows.js'

/**
 * Levenberg, Marquardt and More's step as {@link levenbergMarquardt} takes it, by sparse Cholesky factorisations of the
 * normal equations instead of an orthogonal one of the Jacobian.
 */
export function sparseLevenbergMarquardt(pattern: NormalPattern): Descent<SparseModel, Scale> {
  return {
    name: 'sparse Levenberg-Marquardt',
    remember: grownScale,
    prepare(model, point, scale) {
      const { gradient, residual, jacobian } = model
      const units = unitsAt(model, scale)
      const normal = scaledNormal(pattern, model)
      const isComplete = normal.rank === point.length
      const downhill = gradient.map((g) => -g)
      const pathPoint = (damping?: Float64Array): PathPoint => {
        const solve = normal.solver(damping)
        const z = times(solve(downhill), units)
        const slope = () => dot(z, times(solve(times(z, units)), units)) / dot(z, z)
        return { z, slope: isComplete || damping ? slope : () => Number.POSITIVE_INFINITY }
      }
      const full = pathPoint()
      const path = {
        gradient: divided(gradient, units),
        full,
        at: (lambda: number) => pathPoint(units.map((u) => lambda * u * u)),
      }
      const predicted = (move: Float64Array) => {
        const image = multiply(jacobian, move)
        return -dot(gradient, move) - dot(image, image) / 2
      }
      const fullMove = divided(full.z, units)
      const size = norm(times(point, units))
      const decrement = predicted(fullMove)
      return {
        initialSize: Math.max(size, 1e-3 * norm(residual)) || 1,
        decrement,
        relative: isComplete ? largestRatio(fullMove, point) : Number.POSITIVE_INFINITY,
        optimality: optimality(model, point),
        step(radius) {
          const { z, isFull } = withinRadius(path, radius)
          const move = isFull ? fullMove : divided(z, units)
          return {
            move,
            predicted: isFull ? decrement : predicted(move),
            size: Math.min(radius, norm(z)),
            full: isFull,
            relative: norm(z) / size,
          }
        },
      }
    },
  }
}
