import type { Box } from '../leastSquares/reflective.js'

/** The nearest point of the box. */
export const clamp = (x: Float64Array, { lower, upper }: Box): Float64Array =>
  x.map((xi, i) => Math.min(Math.max(xi, lower[i]!), upper[i]!))

/** max_i |p_i| max(|x_i|, 1) / max(|f|, 1) for the projected gradient p = x - P(x - g): 0 at a minimum within the box. */
export function projectedGradient(
  { value, gradient }: { readonly value: number; readonly gradient: Float64Array },
  point: Float64Array,
  { lower, upper }: Box,
): number {
  let largest = 0
  point.forEach((x, i) => {
    const g = gradient[i]!
    const room = g > 0 ? x - lower[i]! : upper[i]! - x
    largest = Math.max(largest, Math.min(Math.abs(g), room) * Math.max(Math.abs(x), 1))
  })
  return largest / Math.max(Math.abs(value), 1)
}
