import { norm } from '../../linalg/vector.js'
import type { Descent } from '../descent.js'
import { after } from '../solver.js'
import { affineScaling } from './bounds/affineScaling.js'
import { stepInside } from './bounds/stepInside.js'
import { dampedPath, initialRadius } from './descents.js'
import type { LeastSquaresModel } from './model.js'
import { withinRadius } from './radius.js'
import { grownScale, imageOf, optimality, type Scale, ScaledProblem, unitsAt } from './scaled.js'

export interface Box {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/**
 * Steps that stay inside bounds (Coleman and Li 1996; Branch, Coleman and Li 1999) within a trust region: see
 * {@link affineScaling} and {@link stepInside}.
 */
export function reflective(box: Box): Descent<LeastSquaresModel, Scale> {
  return {
    name: 'trust-region reflective',
    remember: grownScale,
    prepare(model, point, scale, spare) {
      const { unit, weights, freedom } = affineScaling(unitsAt(model, scale), model, point, box)
      const problem = new ScaledProblem(model, point, unit, { weights, spare })
      const { factors, gradient, decrement, relative } = problem
      const quadratic = { gradient, image: (z: Float64Array) => imageOf(factors, z) }
      const optimal = optimality(model, point, freedom)
      return {
        problem,
        decrement,
        relative,
        optimality: optimal,
        initialSize: initialRadius(problem),
        step(radius) {
          const { z, isFull } = withinRadius(dampedPath(problem), radius)
          const place = { point, unit, box, radius, optimality: optimal }
          return after(stepInside(quadratic, place, z), (inside) => {
            const chosen = inside?.z ?? z
            return problem.step(chosen, Math.min(radius, norm(chosen)), isFull && !inside)
          })
        },
      }
    },
  }
}

/** A start on a bound moved inside by a small part of the box, or of 1. */
export function insideBox(start: Float64Array, { lower, upper }: Box): Float64Array {
  return start.map((x, j) => {
    const [low, high] = [lower[j]!, upper[j]!]
    const room = 1e-10 * Math.min(Math.max(1, Math.abs(x)), high - low)
    return Math.min(Math.max(x, low + room), high - room)
  })
}
