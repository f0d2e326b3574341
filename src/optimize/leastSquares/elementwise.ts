export const times = (x: Float64Array, y: Float64Array) => x.map((value, j) => value * y[j]!)
export const divided = (x: Float64Array, y: Float64Array) => x.map((value, j) => value / y[j]!)

/** The largest change of a parameter relative to itself. */
export function largestRatio(move: Float64Array, point: Float64Array): number {
  let largest = 0
  for (let j = 0; j < move.length; j++)
    if (move[j] !== 0) largest = Math.max(largest, Math.abs(move[j]! / point[j]!))
  return largest
}
