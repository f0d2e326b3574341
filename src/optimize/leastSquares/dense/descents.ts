import { dot, norm } from '../../../linalg/vector.js'
import { type Factors, factorDamped, solveFactored, solveTransposed } from './qr.js'
import { type DampedPath, type PathPoint, withinRadius } from './radius.js'
import { imageOf, type ScaledProblem, scaledDescent } from './scaled.js'

/** Gauss and Newton's step, shortened to the part that a search asks for. */
export const gaussNewton = scaledDescent('Gauss-Newton', {
  initialSize: () => 1,
  step: (problem, size) =>
    size >= 1 ? problem.step(problem.full, 1, true) : problem.step(times(size, problem.full), size, false),
})

/** |A z - b|^2 + |z|^2 / size minimised: Levenberg's step with the damping 1 / size, in Marquardt's scale. */
export const dampedGaussNewton = scaledDescent('damped Gauss-Newton', {
  initialSize: () => 1e4,
  step: (problem, size) =>
    problem.step(solveFactored(factorDamped(problem.factors, Math.sqrt(1 / size))), size, false),
})

/** As far as the point is from 0, in its own scale; near 0 as far as would change the residuals by a thousandth. */
export const initialRadius = ({ size, residualSize }: ScaledProblem) =>
  Math.max(size, 1e-3 * residualSize) || 1

/** The z that minimises |A z - b| among those of length `size` at most (Levenberg 1944, Marquardt 1963, More 1978). */
export const levenbergMarquardt = scaledDescent('Levenberg-Marquardt', {
  initialSize: initialRadius,
  step(problem, size) {
    const { z, isFull } = withinRadius(dampedPath(problem), size)
    return problem.step(z, Math.min(size, norm(z)), isFull)
  },
})

/** Powell's path from the steepest descent's minimum to the full step, up to length `size` (Powell 1970). */
export const dogleg = scaledDescent('dogleg', {
  initialSize: initialRadius,
  step(problem, size) {
    const { full, gradient } = problem
    const length = norm(full)
    if (length <= size) return problem.step(full, length, true)
    const cauchy = cauchyPoint(problem)
    if (norm(cauchy) >= size) return problem.step(times(-size / norm(gradient), gradient), size, false)
    const along = full.map((x, j) => x - cauchy[j]!)
    const t = toRadius(cauchy, along, size)
    return problem.step(
      cauchy.map((x, j) => x + t * along[j]!),
      size,
      false,
    )
  },
})

/** The positive t at which |from + t along| = radius, for a point within. */
export function toRadius(from: Float64Array, along: Float64Array, radius: number): number {
  const [aa, fa] = [dot(along, along), dot(from, along)]
  const rest = radius * radius - dot(from, from)
  return rest / (fa + Math.sqrt(fa * fa + aa * rest))
}

const times = (t: number, x: Float64Array) => x.map((value) => t * value)

/** The minimum along the gradient. */
function cauchyPoint({ factors, gradient }: ScaledProblem): Float64Array {
  const curvature = norm(imageOf(factors, gradient)) ** 2
  return times(curvature > 0 ? -dot(gradient, gradient) / curvature : 0, gradient)
}

/** The damped steps of a problem, by the factors of A with the damping below it. */
export function dampedPath({ factors, full, gradient }: ScaledProblem): DampedPath {
  return {
    gradient,
    full: new FactoredPoint(factors, full),
    at(lambda) {
      const damped = factorDamped(factors, Math.sqrt(lambda))
      return new FactoredPoint(damped, solveFactored(damped))
    },
  }
}

class FactoredPoint implements PathPoint {
  constructor(
    private readonly factors: Factors,
    readonly z: Float64Array,
  ) {}

  slope(): number {
    const { factors, z } = this
    if (factors.rank < factors.columns) return Number.POSITIVE_INFINITY
    return (norm(solveTransposed(factors, z)) / norm(z)) ** 2
  }
}
