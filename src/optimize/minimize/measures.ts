import { norm } from '../../linalg/vector.js'
import type { Steps } from '../descent.js'
import { largestRatio } from '../elementwise.js'
import type { FunctionModel } from './model.js'

/** max_i |g_i| max(|x_i|, 1) / max(|f|, 1): the relative gradient (Dennis and Schnabel 1983, section 7.2). */
export function relativeGradient(
  { value, gradient }: Pick<FunctionModel, 'value' | 'gradient'>,
  point: Float64Array,
): number {
  let largest = 0
  gradient.forEach((g, i) => {
    largest = Math.max(largest, Math.abs(g) * Math.max(Math.abs(point[i]!), 1))
  })
  return largest / Math.max(Math.abs(value), 1)
}

/** |move| / |point|. */
export function relativeLength(move: Float64Array, point: Float64Array): number {
  const length = norm(move)
  return length === 0 ? 0 : length / norm(point)
}

/** What a descent says of a point, given its full step and the reduction that this promises. */
export function measures(
  model: FunctionModel,
  point: Float64Array,
  full: Float64Array,
  decrement: number,
): Pick<Steps, 'decrement' | 'relative' | 'optimality'> {
  return { decrement, relative: largestRatio(full, point), optimality: relativeGradient(model, point) }
}
