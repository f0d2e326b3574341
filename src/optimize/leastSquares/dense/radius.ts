import { norm } from '../../../linalg/vector.js'

/** z(lambda) = -(B + lambda I)^-1 g, whose length falls with lambda. */
export interface DampedPath {
  readonly gradient: Float64Array
  readonly full: PathPoint
  at(lambda: number): PathPoint
}

export interface PathPoint {
  readonly z: Float64Array
  /** z^T (B + lambda I)^-1 z / |z|^2, the relative rate at which |z| falls; infinite where B is singular. */
  slope(): number
}

/** How closely steps keep to the radius. */
const radiusTolerance = 0.1
const mostIterations = 30

/**
 * The full step if it is within the radius; else the damped one of that length, to 10 %, by Newton's method for
 * 1 / |z(lambda)|, which is nearly linear (More 1978, section 5).
 */
export function withinRadius(
  { gradient, full, at }: DampedPath,
  radius: number,
): { readonly z: Float64Array; readonly isFull: boolean } {
  const length = norm(full.z)
  if (length <= radius * (1 + radiusTolerance)) return { z: full.z, isFull: true }
  let low = (length - radius) / radius / full.slope()
  let high = norm(gradient) / radius
  let lambda = low || 1e-3 * high
  for (let iteration = 0; ; iteration++) {
    if (!(lambda > low && lambda < high)) lambda = Math.max(1e-3 * high, Math.sqrt(low * high))
    const near = at(lambda)
    const excess = norm(near.z) - radius
    if (Math.abs(excess) <= radiusTolerance * radius || iteration === mostIterations)
      return { z: near.z, isFull: false }
    if (excess > 0) low = lambda
    else high = lambda
    lambda += excess / radius / near.slope()
  }
}
