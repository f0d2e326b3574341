import { axpy, dot, norm } from '../../../linalg/vector.js'
import type { Box } from '../../box.js'
import type { Descent } from '../../descent.js'
import { divided, largestRatio, times } from '../../elementwise.js'
import { after } from '../../solver.js'
import { affineScaling, extended } from '../bounds/affineScaling.js'
import { stepInside } from '../bounds/stepInside.js'
import { type PathPoint, withinRadius } from '../dense/radius.js'
import { grownScale, optimality, type Scale, unitsAt } from '../dense/scaled.js'
import type { NormalPattern } from './normalMatrix.js'
import { scaledNormal } from './scaledNormal.js'
import type { SparseModel } from './sparseModel.js'
import { multiply, multiplyTransposed } from './sparseRows.js'

/**
 * Levenberg, Marquardt and More's step as {@link levenbergMarquardt} takes it, within a box {@link reflective}'s, by sparse
 * Cholesky factorisations of the normal equations instead of an orthogonal one of the Jacobian. Where rounding in these
 * spoils the full step, that down the gradient takes its place.
 */
export function sparseTrustRegion(pattern: NormalPattern, box?: Box): Descent<SparseModel, Scale> {
  return {
    name: box ? 'sparse trust-region reflective' : 'sparse Levenberg-Marquardt',
    remember: grownScale,
    prepare(model, point, scale) {
      const { residual, jacobian } = model
      const plain = unitsAt(model, scale)
      const bent = box && affineScaling(plain, model, point, box)
      const unit = bent?.unit ?? plain
      const normal = bent ? scaledNormal(pattern, model, times(bent.weights, unit)) : model.normal
      const gradient = divided(model.gradient, unit)
      const downhill = gradient.map((g) => -g)
      const image = (z: Float64Array) => extended(multiply(jacobian, divided(z, unit)), bent, z)
      const predictedBy = (z: Float64Array) => {
        const moved = image(z)
        return dot(downhill, z) - dot(moved, moved) / 2
      }
      const inverse = (damping?: Float64Array) => {
        const solve = normal.solver(damping)
        return (y: Float64Array) => times(solve(times(y, unit)), unit)
      }

      const undamped = inverse()
      const newton = undamped(downhill)
      axpy(1, undamped(left(newton)), newton)
      const steepest = image(gradient)
      const part = dot(gradient, gradient) / (dot(steepest, steepest) || 1)
      const cauchy = downhill.map((d) => part * d)
      const [promised, least] = [predictedBy(newton), predictedBy(cauchy)]
      const isComplete = normal.rank === point.length && promised >= least
      const full = promised >= least ? newton : cauchy
      const decrement = Math.max(promised, least)

      /** What the normal equations leave of the gradient after a step: solved for again, it refines it (Bjorck 1987). */
      function left(z: Float64Array): Float64Array {
        const moved = image(z)
        const pulled = divided(
          multiplyTransposed(jacobian, moved.subarray(0, residual.length), z.length),
          unit,
        )
        return downhill.map((d, j) => d - pulled[j]! - (bent ? bent.weights[j]! ** 2 * z[j]! : 0))
      }
      const pathPoint = (z: Float64Array, solve: typeof undamped, isRegular: boolean): PathPoint => ({
        z,
        slope: () => (isRegular ? dot(z, solve(z)) / dot(z, z) : Number.POSITIVE_INFINITY),
      })
      const path = {
        gradient,
        full: pathPoint(full, undamped, isComplete),
        at(lambda: number) {
          const solve = inverse(unit.map((u) => lambda * u * u))
          return pathPoint(solve(downhill), solve, true)
        },
      }
      const size = norm(times(point, unit))
      const optimal = optimality(model, point, bent?.freedom)
      return {
        initialSize: Math.max(size, 1e-3 * norm(residual)) || 1,
        decrement,
        relative: isComplete ? largestRatio(full, point, unit) : Number.POSITIVE_INFINITY,
        optimality: optimal,
        step(radius) {
          const { z: free, isFull } = withinRadius(path, radius)
          const place = box && { point, unit, box, radius, optimality: optimal }
          return after(place && stepInside({ gradient, image }, place, free), (inside) => {
            const z = inside?.z ?? free
            return {
              move: divided(z, unit),
              predicted: inside?.predicted ?? (isFull ? decrement : predictedBy(z)),
              size: Math.min(radius, norm(z)),
              full: isFull && !inside,
              relative: norm(z) / size,
            }
          })
        },
      }
    },
  }
}
