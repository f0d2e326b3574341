/**
 * The Euclidean distance from a point to the convex hull of vertices, by Frank-Wolfe with pairwise steps, which
 * converges linearly on polytopes (Lacoste-Julien and Jaggi 2015).
 */
export function distanceToHull(
  point: readonly number[],
  vertices: readonly (readonly number[])[],
  steps = 500,
): number {
  const shifted = vertices.map((vertex) => vertex.map((value, i) => value - point[i]!))
  const weights = shifted.map((_, k) => (k === 0 ? 1 : 0))
  const x = [...shifted[0]!]
  for (let step = 0; step < steps; step++) {
    const heights = shifted.map((vertex) => vertex.reduce((sum, value, i) => sum + value * x[i]!, 0))
    const toward = heights.indexOf(Math.min(...heights))
    const active = heights.map((height, k) => (weights[k]! > 0 ? height : Number.NEGATIVE_INFINITY))
    const away = active.indexOf(Math.max(...active))
    const gap = heights[away]! - heights[toward]!
    if (gap < 1e-14) break
    const direction = shifted[toward]!.map((value, i) => value - shifted[away]![i]!)
    const length = Math.min(weights[away]!, gap / direction.reduce((sum, value) => sum + value * value, 0))
    weights[toward]! += length
    weights[away]! -= length
    direction.forEach((value, i) => {
      x[i]! += length * value
    })
  }
  return Math.hypot(...x)
}
