import type { LocalModel } from '../descent.js'
import { dotBetween, normBetween } from './dense/qr.js'

/** A sum of squares near a point: half of |residual + J move|^2, but for constants. */
export interface LeastSquaresModel extends LocalModel {
  readonly residual: Float64Array
  /** The Jacobian as columns, one after another: residual.length numbers for each parameter. */
  readonly columns: Float64Array
  /** The Euclidean length of each column. */
  readonly lengths: Float64Array
}

/** The Euclidean length of each column, written into `lengths` where that is given. */
export function columnLengths(
  columns: Float64Array,
  n: number,
  lengths: Float64Array = new Float64Array(n),
): Float64Array {
  const m = columns.length / n
  for (let j = 0; j < n; j++) lengths[j] = normBetween(columns, j * m, (j + 1) * m)
  return lengths
}

/** J^T y, written into `product` where that is given. */
export function transposedProduct(
  columns: Float64Array,
  y: Float64Array,
  n: number,
  product: Float64Array = new Float64Array(n),
): Float64Array {
  const m = y.length
  for (let j = 0; j < n; j++) product[j] = dotBetween(columns, j * m, y, 0, m)
  return product
}
