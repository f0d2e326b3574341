import type { StructuredOperator } from '../../linalg/index.js'
import { requireFloat } from '../../linalg/operators/operator.js'
import { requirePositive } from '../../linalg/products.js'
import { axpy, divide, dot } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/index.js'
import { showShape } from '../../tensor/shape.js'
import { structuredLowRank } from './lowRank.js'
import { asDType, float64 } from './values.js'

/**
 * The empirical Fisher F = damping I + (1/m) sum_i g_i g_i^T of the rows of `gradients` [m, d], as M-FAC has it
 * (Frantar, Kurtic, Alistarh 2021, section 3.1): O(d m^2) to prepare `inverse()`, then O(d m) for a product with it and
 * O(m) for an element of its diagonal.
 */
export function staticMFac(gradients: Tensor, damping: number): StructuredOperator {
  const where = 'staticMFac'
  const [m, d] = gradients.shape
  if (gradients.shape.length !== 2 || !m || !d)
    throw new Error(`${where}: gradients has shape ${showShape(gradients.shape)}, expected [m, d]`)
  const dtype = requireFloat(gradients.dtype, `${where}: gradients`)
  requirePositive(damping, 'damping', where)
  const diagonal = (value: number) => new Float64Array(d).fill(value)
  return {
    ...structuredLowRank(diagonal(damping), np.multiply(gradients, 1 / Math.sqrt(m))),
    inverse(extra = 0) {
      const total = damping + extra
      requirePositive(total, 'the sum of dampings', where)
      return structuredLowRank(diagonal(1 / total), asDType(inverseRows(gradients, total), dtype), -1)
    },
  }
}

/**
 * The rows v_i of F^-1 = I / damping - sum_i v_i v_i^T by rank-one updates (Sherman and Morrison): h_i = F_(i-1)^-1 g_i
 * and v_i = h_i / sqrt(m + g_i . h_i).
 */
function inverseRows(gradients: Tensor, damping: number): Tensor {
  const [m, d] = gradients.shape as [number, number]
  const g = float64(gradients).data as Float64Array
  const rows = new Float64Array(m * d)
  const row = (of: Float64Array, i: number) => of.subarray(i * d, (i + 1) * d)
  for (let i = 0; i < m; i++) {
    const [gradient, v] = [row(g, i), row(rows, i)]
    axpy(1 / damping, gradient, v)
    for (let j = 0; j < i; j++) axpy(-dot(row(rows, j), gradient), row(rows, j), v)
    divide(v, Math.sqrt(m + dot(gradient, v)))
  }
  return new Tensor(rows, [m, d])
}
