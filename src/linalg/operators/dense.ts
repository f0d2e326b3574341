import { allocate } from '../../tensor/dtype.js'
import { showShape } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { countProducts, type Progress, requireCount } from '../products.js'
import type { Vector } from '../vector.js'
import { blockSize, type LinearOperator, operatorDType, requireFloat } from './operator.js'

/** The operator of a matrix [rows, columns], float64 or float32; sums are accumulated in float64. */
export function denseOperator(matrix: Tensor): LinearOperator {
  const [rows, columns] = matrix.shape
  if (matrix.shape.length !== 2 || rows === undefined || columns === undefined)
    throw new Error(`denseOperator: matrix has shape ${showShape(matrix.shape)}, expected [rows, columns]`)
  const a = matrix.data
  return {
    rows,
    columns,
    dtype: requireFloat(matrix.dtype, 'denseOperator: matrix'),
    apply(vectors) {
      const k = blockSize(vectors, columns, 'denseOperator')
      const x = vectors.data
      const y = allocate(vectors.dtype, k * rows)
      for (let v = 0; v < k; v++)
        for (let i = 0; i < rows; i++) {
          let sum = 0
          for (let j = 0; j < columns; j++) sum += a[i * columns + j]! * x[v * columns + j]!
          y[v * rows + i] = sum
        }
      return new Tensor(y, [k, rows])
    },
    applyTranspose(vectors) {
      const k = blockSize(vectors, rows, 'denseOperator')
      const y = allocate(vectors.dtype, k * columns)
      const sum = new Float64Array(columns)
      for (let v = 0; v < k; v++) {
        sum.fill(0)
        for (let i = 0; i < rows; i++) {
          const x = vectors.data[v * rows + i]!
          for (let j = 0; j < columns; j++) sum[j] = sum[j]! + x * a[i * columns + j]!
        }
        y.set(sum, v * columns)
      }
      return new Tensor(y, [k, columns])
    },
  }
}

/** diag(d): the product d_i v_i, in the dtype of `diagonal`. */
export function diagonalOperator(diagonal: Vector): LinearOperator {
  const n = diagonal.length
  const apply = (vectors: Tensor) => {
    blockSize(vectors, n, 'diagonalOperator')
    const y = allocate(vectors.dtype, vectors.size)
    for (let i = 0; i < y.length; i++) y[i] = diagonal[i % n]! * vectors.data[i]!
    return new Tensor(y, vectors.shape)
  }
  const dtype = diagonal instanceof Float32Array ? 'float32' : 'float64'
  return { rows: n, columns: n, dtype, apply, applyTranspose: apply }
}

export interface DenseOptions {
  /** Columns found by one call of the operator. Default 64. */
  readonly block?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress) => void
}

/**
 * The matrix [rows, columns] of an operator, in its dtype, from one product with each unit vector.
 * @throws on products that are not finite; the signal's reason when aborted.
 */
export async function toDense(operator: LinearOperator, options: DenseOptions = {}): Promise<Tensor> {
  const { rows, columns } = operator
  const { block = 64, signal, onStep } = options
  requireCount(block, 'block', 'toDense')
  const products = countProducts(operator, 'toDense', signal)
  const matrix = allocate(operatorDType(operator), rows * columns)
  for (let from = 0; from < columns; from += block) {
    const to = Math.min(from + block, columns)
    const images = await products.apply(Array.from({ length: to - from }, (_, i) => unit(columns, from + i)))
    for (let j = from; j < to; j++)
      for (let i = 0; i < rows; i++) matrix[i * columns + j] = images[(j - from) * rows + i]!
    onStep?.({ done: to, total: columns })
  }
  return new Tensor(matrix, [rows, columns])
}

function unit(n: number, i: number): Float64Array {
  const e = new Float64Array(n)
  e[i] = 1
  return e
}
