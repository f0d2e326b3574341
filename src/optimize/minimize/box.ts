import type { Box } from '../leastSquares/reflective.js'

/** The nearest point of the box. */
export const clamp = (x: Float64Array, { lower, upper }: Box): Float64Array =>
  x.map((xi, i) => Math.min(Math.max(xi, lower[i]!), upper[i]!))

/** max_i |g_i| min(max(|x_i|, 1), room_i) / max(|f|, 1), room_i how far x_i can go down the gradient: 0 at a minimum within the box. */
export function projectedGradient(
  { value, gradient }: { readonly value: number; readonly gradient: Float64Array },
  point: Float64Array,
  { lower, upper }: Box,
): number {
  let largest = 0
  point.forEach((x, i) => {
    const g = gradient[i]!
    const room = g > 0 ? x - lower[i]! : upper[i]! - x
    if (g !== 0) largest = Math.max(largest, Math.abs(g) * Math.min(Math.max(Math.abs(x), 1), room))
  })
  return largest / Math.max(Math.abs(value), 1)
}
