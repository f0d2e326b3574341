import { dot, norm } from '../../linalg/vector.js'
import type { Descent } from '../descent.js'
import { dampedPath, initialRadius, toRadius } from './descents.js'
import type { LeastSquaresModel } from './model.js'
import { withinRadius } from './radius.js'
import {
  grownScale,
  imageOf,
  optimality,
  predictedReduction,
  type Scale,
  type ScaledProblem,
  scaledProblem,
  unitsAt,
} from './scaled.js'

export interface Box {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/**
 * Steps that stay inside bounds (Coleman and Li 1996; Branch, Coleman and Li 1999): parameters are measured by the root
 * of their distance to the bound that the gradient drives them to, which bends the region away from it. A step that
 * leaves the box is cut short, reflected at the bound that it meets, or replaced by steepest descent, whichever promises
 * most.
 */
export function reflective({ lower, upper }: Box): Descent<LeastSquaresModel, Scale> {
  return {
    name: 'trust-region reflective',
    remember: grownScale,
    prepare(model, point, scale, spare) {
      const { gradient, residual } = model
      const plain = unitsAt(model, scale)
      // The distance to the bound ahead, in scaled parameters; infinite where there is none.
      const ahead = gradient.map((g, j) => {
        const distance = g < 0 ? upper[j]! - point[j]! : g > 0 ? point[j]! - lower[j]! : Infinity
        return plain[j]! * Math.max(distance, Math.abs(point[j]!) * Number.EPSILON)
      })
      const unit = plain.map((u, j) => (ahead[j]! < Infinity ? u / Math.sqrt(ahead[j]!) : u))
      const weights = gradient.map((g, j) => (ahead[j]! < Infinity ? Math.sqrt(Math.abs(g) / plain[j]!) : 0))
      const problem = scaledProblem(model, point, unit, { weights, spare })
      const weighted = ahead.map((a) => Math.min(1, a / norm(residual)))
      const box = { lower, upper }
      return {
        problem,
        ...problem.measures,
        optimality: optimality(model, point, weighted),
        initialSize: initialRadius(problem),
        step(size) {
          const { z, isFull } = withinRadius(dampedPath(problem), size)
          const inside = withinBox({ problem, point, unit, box, size }, z)
          return problem.step(inside ?? z, Math.min(size, norm(inside ?? z)), isFull && !inside)
        },
      }
    },
  }
}

interface Place {
  readonly problem: ScaledProblem
  readonly point: Float64Array
  readonly unit: Float64Array
  readonly box: Box
  readonly size: number
}

/** The part of the way to a bound that is gone at least: all of it would end on the bound. */
const mostApproach = 0.995

/** What replaces a step z that leaves the box; nothing for one that does not. */
function withinBox(place: Place, z: Float64Array): Float64Array | undefined {
  const { problem, size } = place
  const stride = toBox(place, new Float64Array(z.length), z)
  if (stride.length > 1) return undefined
  const theta = Math.max(mostApproach, 1 - problem.measures.optimality)
  const cut = z.map((x) => theta * stride.length * x)
  const steepest = problem.gradient.map((g) => -g)
  const origin = new Float64Array(z.length)
  const room = Math.min(theta * toBox(place, origin, steepest).length, size / norm(steepest))
  const candidates = [cut, minimumAlong(problem, origin, steepest, 0, room)]
  const reflected = reflection(place, z, stride, theta)
  if (reflected) candidates.push(reflected)
  const promised = candidates.map((x) => predictedReduction(problem.factors, x))
  return candidates[promised.indexOf(Math.max(...promised))]!
}

/** From where z meets the bound on, mirrored there, to the best point of the rest of the way. */
function reflection(place: Place, z: Float64Array, { length, hits }: Stride, theta: number) {
  const { problem, size } = place
  const met = z.map((x) => length * x)
  const mirrored = z.map((x, j) => (hits[j] ? -x : x))
  if (norm(met) >= size) return undefined
  const [bound, radius] = [toBox(place, met, mirrored).length, toRadius(met, mirrored, size)]
  const far = Math.min(theta * bound, radius)
  const near = ((1 - theta) * length) / Math.min(bound, radius)
  return far >= near ? minimumAlong(problem, met, mirrored, near, far) : undefined
}

interface Stride {
  /** The t at which from + t along meets the box. */
  readonly length: number
  /** The parameters that it meets the box with. */
  readonly hits: readonly boolean[]
}

function toBox({ point, unit, box }: Place, from: Float64Array, along: Float64Array): Stride {
  const lengths = Array.from(along, (a, j) => {
    if (a === 0) return Infinity
    const end = a > 0 ? box.upper[j]! : box.lower[j]!
    return Math.max(0, ((end - point[j]!) * unit[j]! - from[j]!) / a)
  })
  const length = Math.min(...lengths)
  return { length, hits: lengths.map((x) => x === length) }
}

/** The minimum of the model on from + t along, low <= t <= high. */
function minimumAlong(
  { factors, gradient }: ScaledProblem,
  from: Float64Array,
  along: Float64Array,
  low: number,
  high: number,
): Float64Array {
  const image = imageOf(factors, along)
  const slope = dot(gradient, along) + dot(imageOf(factors, from), image)
  const curvature = dot(image, image)
  const best = curvature > 0 ? -slope / curvature : slope < 0 ? high : low
  const t = Math.min(Math.max(best, low), high)
  return from.map((x, j) => x + t * along[j]!)
}

/** A start on a bound moved inside by a small part of the box, or of 1. */
export function insideBox(start: Float64Array, { lower, upper }: Box): Float64Array {
  return start.map((x, j) => {
    const [low, high] = [lower[j]!, upper[j]!]
    const room = 1e-10 * Math.min(Math.max(1, Math.abs(x)), high - low)
    return Math.min(Math.max(x, low + room), high - room)
  })
}
