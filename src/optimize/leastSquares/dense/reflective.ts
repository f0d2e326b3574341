import { norm } from '../../../linalg/vector.js'
import type { Box } from '../../box.js'
import type { Descent } from '../../descent.js'
import { after } from '../../solver.js'
import { affineScaling } from '../bounds/affineScaling.js'
import { stepInside } from '../bounds/stepInside.js'
import type { LeastSquaresModel } from '../model.js'
import { dampedPath, initialRadius } from './descents.js'
import { withinRadius } from './radius.js'
import { grownScale, imageOf, optimality, type Scale, ScaledProblem, unitsAt } from './scaled.js'

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
