/** Bounds of a vector, infinite where there are none. */
export interface Box {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/** The nearest point of the box. */
export const clamp = (x: Float64Array, { lower, upper }: Box): Float64Array =>
  x.map((xi, i) => Math.min(Math.max(xi, lower[i]!), upper[i]!))

/** A start on a bound moved inside by a small part of the box, or of 1. */
export function insideBox(start: Float64Array, { lower, upper }: Box): Float64Array {
  return start.map((x, j) => {
    const [low, high] = [lower[j]!, upper[j]!]
    const room = 1e-10 * Math.min(Math.max(1, Math.abs(x)), high - low)
    return Math.min(Math.max(x, low + room), high - room)
  })
}
