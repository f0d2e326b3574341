import { reshape } from '../ops/broadcast.js'
import { moveAxis } from '../ops/gather.js'
import { argTopK, takeLast } from '../ops/reduce.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, toNumeric, toTensor } from './convert.js'

export interface SortOptions {
  /** Default -1, the last. null sorts the raveled array. */
  readonly axis?: number | null | undefined
  readonly descending?: boolean | undefined
}

/** The argument with the axis to sort along last. */
function prepare(where: string, x: ArrayLike, axis: number | null): { rows: Value; along: number } {
  const value = toNumeric(x)
  if (axis === null) return { rows: reshape(value, [sizeOf(value.shape)]), along: 0 }
  const along = normalizeAxis(axis, value.shape.length, where)
  return { rows: moveAxis(value, along, value.shape.length - 1), along }
}

const last = (x: Value) => x.shape.length - 1

/** The elements in rising order along `axis`; differentiable, each derivative moves with its element. */
export function sort(x: ArrayLike, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  const { rows, along } = prepare('sort', x, axis)
  const sorted = takeLast(rows, argTopK(rows, rows.shape.at(-1) as number, descending))
  return toTensor(moveAxis(sorted, last(rows), along))
}

/** The positions, int32, that sort x along `axis`; the earlier of equals first. */
export function argsort(x: ArrayLike, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  const { rows, along } = prepare('argsort', x, axis)
  return toTensor(moveAxis(argTopK(rows, rows.shape.at(-1) as number, descending), last(rows), along))
}

export interface TopKOptions {
  /** Default -1, the last. */
  readonly axis?: number | undefined
  /** false finds the smallest. Default true. */
  readonly largest?: boolean | undefined
}

/**
 * The `k` largest elements along `axis` from the largest down, and their positions (int32); of equals the
 * earlier first. The values are differentiable.
 * @throws when k is not 0..n.
 */
export function topK(
  x: ArrayLike,
  k: number,
  { axis = -1, largest = true }: TopKOptions = {},
): { values: Tensor; indices: Tensor } {
  const { rows, along } = prepare('topK', x, axis)
  const n = rows.shape.at(-1) as number
  if (!Number.isInteger(k) || k < 0 || k > n)
    throw new Error(`topK: k is ${k}, expected 0 to ${n} for ${showType(toNumeric(x))} along axis ${axis}`)
  const found = argTopK(rows, k, largest)
  return {
    values: toTensor(moveAxis(takeLast(rows, found), last(rows), along)),
    indices: toTensor(moveAxis(found, last(rows), along)),
  }
}
