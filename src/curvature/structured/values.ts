import type { Vector } from '../../linalg/vector.js'
import { castTensor, type Tensor } from '../../tensor/tensor.js'

export type Float = 'float64' | 'float32'

export const float64 = (x: Tensor): Tensor => asDType(x, 'float64')

export const asDType = (x: Tensor, dtype: Float): Tensor => (x.dtype === dtype ? x : castTensor(x, dtype))

/** A copy of numbers as a vector of `dtype`. */
export const vectorOf = (values: ArrayLike<number>, dtype: Float): Vector =>
  dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values)

export function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total
}

/** sum_i log x_i. */
export const sumOfLogs = (values: Float64Array): number => sum(values.map(Math.log))

/** `eigenvalues` + `damping`. @throws when one is not positive. */
export function damped(eigenvalues: ArrayLike<number>, damping: number, where: string): Float64Array {
  const shifted = Float64Array.from(eigenvalues, (value) => value + damping)
  const bad = shifted.findIndex((value) => !(value > 0))
  if (bad >= 0)
    throw new Error(
      `${where}: eigenvalue ${bad} is ${shifted[bad]} with damping ${damping}, expected more than 0; raise the damping`,
    )
  return shifted
}
