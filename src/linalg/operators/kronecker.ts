import { allocate } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { compose } from './algebra.js'
import { blockSize, type LinearOperator, requireSameDType } from './operator.js'

/**
 * A (x) B, with the matrix elements A_ik B_jl at row (i, j) and column (k, l). Vectors are matrices X row by row:
 * (A (x) B) vec(X) = vec(A X B^T), so for a weight [out, in] A acts on outputs and B on inputs. One call of each.
 */
export function kroneckerOperator(left: LinearOperator, right: LinearOperator): LinearOperator {
  const where = 'kroneckerOperator'
  const dtype = requireSameDType([left, right], where)
  const rows = [left.rows, right.rows] as const
  const columns = [left.columns, right.columns] as const
  return {
    rows: left.rows * right.rows,
    columns: left.columns * right.columns,
    dtype,
    ...compose([left, right], ([byLeft, byRight], transposed) => {
      const [[p, q], [r, s]] = transposed ? [rows, columns] : [columns, rows]
      return async (x) => {
        const k = blockSize(x, p * q, where)
        const half = swapLast(await byRight!(new Tensor(x.data, [k * p, q])), k, p, s)
        const whole = swapLast(await byLeft!(new Tensor(half, [k * s, p])), k, s, r)
        return new Tensor(whole, [k, r * s])
      }
    }),
  }
}

/** The transposes [k, n, m] of k matrices [m, n]. */
function swapLast(x: Tensor, k: number, m: number, n: number): Tensor['data'] {
  const y = allocate(x.dtype, x.size)
  for (let v = 0; v < k; v++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) y[(v * n + j) * m + i] = x.data[(v * m + i) * n + j]!
  return y
}
