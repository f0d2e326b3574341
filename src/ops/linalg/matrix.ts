import { showType, type Type, type Value } from '../../program/value.js'
import { allocate, type DType } from '../../tensor/dtype.js'
import { range, type Shape, sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { add, mul, select } from '../arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../broadcast.js'
import { expectDtype, floats } from '../define.js'
import { dot } from '../dot.js'

/** The axes before the last `core` ones, over which operations on matrices run one by one. */
export const leading = ({ shape }: Type, core = 2): Shape => shape.slice(0, shape.length - core)

/** Rows and columns of the matrices of a type. */
export const sidesOf = ({ shape }: Type): [rows: number, columns: number] =>
  shape.slice(-2) as [number, number]

/** @throws unless `x` holds matrices of floats: [..., rows, columns]. */
export function expectMatrix(name: string, x: Type): void {
  expectDtype(name, x, floats)
  if (x.shape.length < 2)
    throw new Error(`${name}: got ${showType(x)}, expected a matrix [..., rows, columns]`)
}

/** @throws unless `x` holds square matrices of floats: [..., n, n]. */
export function expectSquare(name: string, x: Type): void {
  expectMatrix(name, x)
  const [rows, columns] = sidesOf(x)
  if (rows !== columns) throw new Error(`${name}: got ${showType(x)}, expected a square matrix [..., n, n]`)
}

/**
 * Runs a kernel on each of `count` matrices, in double precision. The kernel gets copies of its own, which it may
 * overwrite, and returns the elements of each output.
 */
export function eachMatrix(
  count: number,
  inputs: readonly Tensor[],
  outputs: readonly Type[],
  kernel: (...matrices: Float64Array[]) => ArrayLike<number>[],
): Tensor[] {
  const results = outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)))
  for (let k = 0; k < count; k++) {
    const matrices = inputs.map(({ data }) => {
      const size = data.length / count
      return Float64Array.from(data.subarray(k * size, (k + 1) * size))
    })
    kernel(...matrices).forEach((part, i) => {
      results[i]?.set(part, k * part.length)
    })
  }
  return results.map((data, i) => new Tensor(data, (outputs[i] as Type).shape))
}

/** x^T of each matrix. */
export function transposed(x: Value): Value {
  const rank = x.shape.length
  return transpose(x, [...range(rank - 2), rank - 1, rank - 2])
}

/** The products of matrices with the same leading axes. */
export function matmul(x: Value, y: Value): Value {
  const rank = x.shape.length
  const lead = range(rank - 2)
  return dot(x, y, [[rank - 1], [rank - 2]], [lead, lead])
}

/** (x + x^T) / 2. */
export const symmetricPart = (x: Value): Value => mul(add(x, transposed(x)), 0.5)

/** 1 where `keeps(row, column)`, as a mask of bools. */
function mask(rows: number, columns: number, keeps: (row: number, column: number) => boolean): Tensor {
  const data = new Uint8Array(rows * columns)
  for (let i = 0; i < data.length; i++) data[i] = Number(keeps(Math.floor(i / columns), i % columns))
  return new Tensor(data, [rows, columns])
}

/** x with zeros outside of a triangle; `strict` leaves out the diagonal as well. */
export function triangle(x: Value, lower: boolean, strict = false): Value {
  const least = strict ? 1 : 0
  return select(
    mask(...sidesOf(x), (i, j) => (lower ? i - j : j - i) >= least),
    x,
    0,
  )
}

/** The identity in the dtype of `like`, for each of its leading axes. */
export function identityLike(like: Value): Value {
  const [, n] = sidesOf(like)
  return broadcastTo(identity(n, like.dtype), [...leading(like), n, n])
}

export function identity(n: number, dtype: DType): Tensor {
  const data = allocate(dtype, n * n)
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1
  return new Tensor(data, [n, n])
}

/** The diagonal of each square matrix: [..., n]. */
export function diagonalOf(x: Value): Value {
  const [n] = sidesOf(x)
  return reduceSum(
    select(
      mask(n, n, (i, j) => i === j),
      x,
      0,
    ),
    [x.shape.length - 1],
  )
}

/** x[..., 1, n]: a vector that scales the columns of a matrix. */
export const asRow = (x: Value): Value => reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) as number])

/** x[..., n, 1]: a vector that scales the rows of a matrix. */
export const asColumn = (x: Value): Value => reshape(x, [...x.shape, 1])

/** Every input with the batch as axis 0, as operations need whose inputs share their leading axes. */
export function spreadBatch(inputs: readonly Value[], batched: readonly boolean[], size: number): Value[] {
  return inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])))
}
