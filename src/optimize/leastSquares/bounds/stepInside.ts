import { dot, norm } from '../../../linalg/vector.js'
import type { Box } from '../../box.js'
import { type Awaitable, after } from '../../solver.js'
import { toRadius } from '../dense/descents.js'

/** |A z|^2 / 2 + gradient^T z, what a sum of squares changes by with a step z in scaled parameters. */
export interface StepModel {
  readonly gradient: Float64Array
  /** A z, or another vector with the same inner products. */
  image(z: Float64Array): Awaitable<Float64Array>
}

/** Where a step starts, in parameters x = z / unit, and how far it may go. */
export interface Place {
  readonly point: Float64Array
  readonly unit: Float64Array
  readonly box: Box
  readonly radius: number
  readonly optimality: number
}

/** A step with its image. */
interface Ray {
  readonly z: Float64Array
  readonly image: Float64Array
}

export interface InsideStep {
  readonly z: Float64Array
  readonly predicted: number
}

/** The part of the way to a bound that is gone at least: all of it would end on the bound. */
const mostApproach = 0.995

/**
 * What replaces a step z that leaves the box: itself cut short, reflected at the bound that it meets, or steepest
 * descent, whichever promises most (Branch, Coleman and Li 1999). Nothing for a step that does not leave it.
 */
export function stepInside(
  { gradient, image }: StepModel,
  place: Place,
  z: Float64Array,
): Awaitable<InsideStep | undefined> {
  const { radius } = place
  const nowhere = new Float64Array(z.length)
  const { length, hits } = toBox(place, nowhere, z)
  if (length > 1) return undefined
  const steepest = gradient.map((g) => -g)
  const mirrored = z.map((x, j) => (hits[j] ? -x : x))
  return after(imagesOf([z, steepest, mirrored], image), ([along, down, back]) => {
    const theta = Math.max(mostApproach, 1 - place.optimality)
    const origin = { z: nowhere, image: new Float64Array(along!.image.length) }
    const room = Math.min(theta * toBox(place, nowhere, steepest).length, radius / norm(steepest))
    const candidates = [
      farther(origin, theta * length, along!),
      minimumAlong(gradient, origin, down!, 0, room),
    ]
    const met = farther(origin, length, along!)
    if (norm(met.z) < radius) {
      const [bound, end] = [toBox(place, met.z, mirrored).length, toRadius(met.z, mirrored, radius)]
      const far = Math.min(theta * bound, end)
      const near = ((1 - theta) * length) / Math.min(bound, end)
      if (far >= near) candidates.push(minimumAlong(gradient, met, back!, near, far))
    }
    const promised = candidates.map(
      ({ z, image }): InsideStep => ({ z, predicted: -dot(gradient, z) - dot(image, image) / 2 }),
    )
    return promised.reduce((best, step) => (step.predicted > best.predicted ? step : best))
  })
}

function imagesOf(steps: readonly Float64Array[], image: StepModel['image']): Awaitable<Ray[]> {
  return steps.reduce<Awaitable<Ray[]>>(
    (before, z) => after(before, (rays) => after(image(z), (image) => [...rays, { z, image }])),
    [],
  )
}

/** from + t along. */
function farther(from: Ray, t: number, along: Ray): Ray {
  const plus = (x: Float64Array, y: Float64Array) => x.map((value, j) => value + t * y[j]!)
  return { z: plus(from.z, along.z), image: plus(from.image, along.image) }
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
  const length = lengths.reduce((least, x) => Math.min(least, x), Infinity)
  return { length, hits: lengths.map((x) => x === length) }
}

/** The minimum of the model on from + t along, low <= t <= high. */
function minimumAlong(gradient: Float64Array, from: Ray, along: Ray, low: number, high: number): Ray {
  const slope = dot(gradient, along.z) + dot(from.image, along.image)
  const curvature = dot(along.image, along.image)
  const best = curvature > 0 ? -slope / curvature : slope < 0 ? high : low
  return farther(from, Math.min(Math.max(best, low), high), along)
}
