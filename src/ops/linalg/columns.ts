import type { Value } from '../../program/value.js'
import { reshape } from '../broadcast.js'
import { moveAxis } from '../gather.js'

/**
 * A map of the columns of [..., n, m], each by itself, over a batch of such matrices [size, ..., n, m]: all columns
 * side by side in one matrix, so that what the map does once for each matrix is not repeated.
 */
export function foldColumns(x: Value, map: (x: Value) => Value): Value {
  const rank = x.shape.length
  const [size, m] = [x.shape[0] as number, x.shape[rank - 1] as number]
  const beside = moveAxis(x, 0, rank - 2)
  const flat = map(reshape(beside, [...beside.shape.slice(0, -2), size * m]))
  return moveAxis(reshape(flat, beside.shape), rank - 2, 0)
}
