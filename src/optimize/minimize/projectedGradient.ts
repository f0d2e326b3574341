import type { Box } from '../box.js'

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
