/** A power of two near the largest magnitude, by which numbers are divided so that squares neither overflow nor underflow. */
export function scaleOf(...arrays: readonly Float64Array[]): number {
  let largest = 0
  for (const array of arrays) for (const x of array) largest = Math.max(largest, Math.abs(x))
  return largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)), -1000)
}

export function divideBy(x: Float64Array, divisor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) / divisor
}
