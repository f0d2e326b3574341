export const times = (x: Float64Array, y: Float64Array) => x.map((value, j) => value * y[j]!)

/** x / y, written into `z` where that is given. */
export function divided(
  x: Float64Array,
  y: Float64Array,
  z: Float64Array = new Float64Array(x.length),
): Float64Array {
  for (let j = 0; j < z.length; j++) z[j] = x[j]! / y[j]!
  return z
}

/** The largest change of a parameter relative to itself; `move` is in parameters times `unit` where that is given. */
export function largestRatio(move: Float64Array, point: Float64Array, unit?: Float64Array): number {
  let largest = 0
  for (let j = 0; j < move.length; j++)
    if (move[j] !== 0) largest = Math.max(largest, Math.abs(move[j]! / (unit ? unit[j]! : 1) / point[j]!))
  return largest
}
