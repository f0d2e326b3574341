import type { LocalModel } from '../descent.js'
import type { Awaitable } from '../solver.js'

/** A function near a point: its value, its gradient, and its curvature for those who ask. */
export interface FunctionModel extends LocalModel {
  /** The curvature matrix [n, n], row by row: the Hessian, or what was given instead. */
  matrix(): Awaitable<Float64Array>
  /** The curvature matrix times `v`. */
  product(v: Float64Array): Awaitable<Float64Array>
}
