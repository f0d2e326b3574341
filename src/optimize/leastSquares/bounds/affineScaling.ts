import { norm } from '../../../linalg/vector.js'
import type { Box } from '../../box.js'
import { times } from '../../elementwise.js'
import type { LeastSquaresModel } from '../model.js'

/** How parameters are measured within bounds. */
export interface AffineScaling {
  /** What each parameter is multiplied by. */
  readonly unit: Float64Array
  /** |weights z|^2 is added to the sum of squares in scaled parameters z = unit x. */
  readonly weights: Float64Array
  /** What the gradient counts of each parameter for optimality: less the nearer the bound is that it drives it to. */
  readonly freedom: Float64Array
}

/**
 * Parameters measured by the root of their distance to the bound that the gradient drives them to (Coleman and Li 1996),
 * on top of their units `plain`, so that the region of steps bends away from it.
 */
export function affineScaling(
  plain: Float64Array,
  { gradient, residual }: Pick<LeastSquaresModel, 'gradient' | 'residual'>,
  point: Float64Array,
  { lower, upper }: Box,
): AffineScaling {
  /** In scaled parameters; infinite where there is no bound ahead. */
  const ahead = gradient.map((g, j) => {
    const distance = g < 0 ? upper[j]! - point[j]! : g > 0 ? point[j]! - lower[j]! : Infinity
    return plain[j]! * Math.max(distance, Math.abs(point[j]!) * Number.EPSILON)
  })
  const size = norm(residual)
  return {
    unit: plain.map((u, j) => (ahead[j]! < Infinity ? u / Math.sqrt(ahead[j]!) : u)),
    weights: gradient.map((g, j) => (ahead[j]! < Infinity ? Math.sqrt(Math.abs(g) / plain[j]!) : 0)),
    freedom: ahead.map((a) => Math.min(1, a / size)),
  }
}

/** [image; weights z]: what a step z does to residuals, and to what is added to them. */
export function extended(
  image: Float64Array,
  scaling: AffineScaling | undefined,
  z: Float64Array,
): Float64Array {
  if (!scaling) return image
  const whole = new Float64Array(image.length + z.length)
  whole.set(image)
  whole.set(times(scaling.weights, z), image.length)
  return whole
}
