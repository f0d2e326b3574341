import { dot, norm } from '../../linalg/vector.js'
import { factorDamped, solveFactored, solveTransposed } from './qr.js'
import { imageOf, type ScaledProblem, scaledDescent } from './scaled.js'

/** Gauss and Newton's step, shortened to the part that a search asks for. */
export const gaussNewton = scaledDescent('Gauss-Newton', ({ full, step }) => ({
  initialSize: 1,
  step: (size) => (size >= 1 ? step(full, 1, true) : step(times(size, full), size, false)),
}))

/** |A z - b|^2 + |z|^2 / size minimised: Levenberg's step with the damping 1 / size, in Marquardt's scale. */
export const dampedGaussNewton = scaledDescent('damped Gauss-Newton', ({ factors, step }) => ({
  initialSize: 1e4,
  step: (size) => step(solveFactored(factorDamped(factors, Math.sqrt(1 / size))), size, false),
}))

/** The z that minimises |A z - b| among those of length `size` at most (Levenberg 1944, Marquardt 1963, More 1978). */
export const levenbergMarquardt = scaledDescent('Levenberg-Marquardt', (problem) => ({
  initialSize: initialRadius(problem),
  step(size) {
    const { z, full } = withinRadius(problem, size)
    return problem.step(z, Math.min(size, norm(z)), full)
  },
}))

/** Powell's path from the steepest descent's minimum to the full step, up to length `size` (Powell 1970). */
export const dogleg = scaledDescent('dogleg', (problem) => {
  const { full, gradient, step } = problem
  const length = norm(full)
  const cauchy = cauchyPoint(problem)
  return {
    initialSize: initialRadius(problem),
    step(size) {
      if (length <= size) return step(full, length, true)
      if (norm(cauchy) >= size) return step(times(-size / norm(gradient), gradient), size, false)
      const along = full.map((x, j) => x - cauchy[j]!)
      const t = toRadius(cauchy, along, size)
      return step(
        cauchy.map((x, j) => x + t * along[j]!),
        size,
        false,
      )
    },
  }
})

/** As far as the point is from 0, in its own scale; near 0 as far as would change the residuals by a thousandth. */
export const initialRadius = ({ size, residualSize }: ScaledProblem) =>
  Math.max(size, 1e-3 * residualSize) || 1

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

/** How closely steps keep to the radius. */
const radiusTolerance = 0.1
const mostIterations = 30

/**
 * The full step if it is within the radius; else the damped one of that length, to 10 %, by Newton's method for
 * 1 / |z(damping)|, which is nearly linear (More 1978, section 5).
 */
export function withinRadius(
  { factors, full, gradient }: ScaledProblem,
  radius: number,
): { readonly z: Float64Array; readonly full: boolean } {
  const length = norm(full)
  if (length <= radius * (1 + radiusTolerance)) return { z: full, full: true }
  const complete = factors.rank === factors.columns
  const slope = complete ? (norm(solveTransposed(factors, full)) / length) ** 2 : Number.POSITIVE_INFINITY
  let low = (length - radius) / radius / slope
  let high = norm(gradient) / radius
  let lambda = low || 1e-3 * high
  for (let iteration = 0; ; iteration++) {
    if (!(lambda > low && lambda < high)) lambda = Math.max(1e-3 * high, Math.sqrt(low * high))
    const damped = factorDamped(factors, Math.sqrt(lambda))
    const z = solveFactored(damped)
    const excess = norm(z) - radius
    if (Math.abs(excess) <= radiusTolerance * radius || iteration === mostIterations)
      return { z, full: false }
    if (excess > 0) low = lambda
    else high = lambda
    lambda += (excess / radius) * (norm(z) / norm(solveTransposed(damped, z))) ** 2
  }
}
