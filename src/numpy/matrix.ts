import { cast, select } from '../ops/arithmetic.js'
import { reduceSum, reshape, transpose } from '../ops/broadcast.js'
import { pad, slice } from '../ops/slice.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis, range } from '../tensor/shape.js'
import { Tensor, tensor } from '../tensor/tensor.js'
import { type ArrayLike, toNumeric, toTensor, toValue } from './convert.js'

export interface DiagonalOptions {
  /** How many columns above (or, negative, rows below) the main diagonal. Default 0. */
  readonly offset?: number | undefined
  /** Rows run along this axis. Default 0. */
  readonly axis1?: number | undefined
  /** Columns run along this axis. Default 1. */
  readonly axis2?: number | undefined
}

/**
 * The diagonal x[i, i + offset] of the matrices along axes axis1 and axis2; it becomes the last axis.
 * @throws when x has fewer than two axes, or both are the same.
 */
export function diagonal(x: ArrayLike, options: DiagonalOptions = {}): Tensor {
  return toTensor(diagonalOf('diagonal', toValue(x), options))
}

function diagonalOf(where: string, x: Value, { offset = 0, axis1 = 0, axis2 = 1 }: DiagonalOptions): Value {
  const rank = x.shape.length
  if (rank < 2) throw new Error(`${where}: got ${showType(x)}, expected at least two axes`)
  const [rows, columns] = [normalizeAxis(axis1, rank, where), normalizeAxis(axis2, rank, where)]
  if (rows === columns)
    throw new Error(`${where}: axis1 and axis2 are both ${axis1}, expected two different axes`)
  const lead = range(rank).filter((axis) => axis !== rows && axis !== columns)
  const arranged = transpose(x, [...lead, rows, columns])
  const [n, m] = arranged.shape.slice(-2) as [number, number]
  const shape = arranged.shape.slice(0, -2)
  const count = Math.max(0, Math.min(n + Math.min(offset, 0), m - Math.max(offset, 0)))
  // In row-major order the next element of a diagonal is one row and one column on.
  const start = count === 0 ? 0 : offset >= 0 ? offset : -offset * m
  const limit = count === 0 ? 0 : start + (count - 1) * (m + 1) + 1
  const none = shape.map(() => 0)
  return slice(
    reshape(arranged, [...shape, n * m]),
    [...none, start],
    [...shape, limit],
    [...shape.map(() => 1), m + 1],
  )
}

/** sum_i x[i, i + offset]: the trace of the matrices along axes axis1 and axis2. */
export function trace(x: ArrayLike, options: DiagonalOptions = {}): Tensor {
  const along = diagonalOf('trace', toNumeric(x), options)
  return toTensor(reduceSum(along, [along.shape.length - 1]))
}

/**
 * Of a vector [n] the square matrix with it on the diagonal `offset`; of a matrix that diagonal.
 * @throws for any other number of axes.
 */
export function diag(x: ArrayLike, { offset = 0 }: { readonly offset?: number } = {}): Tensor {
  const value = toValue(x)
  if (value.shape.length === 2) return diagonal(x, { offset })
  if (value.shape.length !== 1) throw new Error(`diag: got ${showType(value)}, expected one or two axes`)
  const n = value.shape[0] as number
  const size = n + Math.abs(offset)
  if (n === 0) return toTensor(cast(new Tensor(new Float64Array(size * size), [size, size]), value.dtype))
  const low = offset >= 0 ? offset : -offset * size
  const high = size * size - low - ((n - 1) * (size + 1) + 1)
  return toTensor(reshape(pad(value, [low], [high], [size]), [size, size]))
}

/** x with zeros above the diagonal `offset` of its last two axes. @throws when x has fewer than two. */
export function tril(x: ArrayLike, { offset = 0 }: { readonly offset?: number } = {}): Tensor {
  return triangle('tril', x, (row, column) => column <= row + offset)
}

/** x with zeros below the diagonal `offset` of its last two axes. @throws when x has fewer than two. */
export function triu(x: ArrayLike, { offset = 0 }: { readonly offset?: number } = {}): Tensor {
  return triangle('triu', x, (row, column) => column >= row + offset)
}

function triangle(where: string, x: ArrayLike, keeps: (row: number, column: number) => boolean): Tensor {
  const value = toNumeric(x)
  if (value.shape.length < 2) throw new Error(`${where}: got ${showType(value)}, expected at least two axes`)
  const [n, m] = value.shape.slice(-2) as [number, number]
  const mask = Uint8Array.from({ length: n * m }, (_, i) => Number(keeps(Math.floor(i / m), i % m)))
  return toTensor(select(new Tensor(mask, [n, m]), value, tensor(0, { dtype: value.dtype })))
}
