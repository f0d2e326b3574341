import { blockOf, productOf } from './block.js'

/** Products and sums of square matrices in row-major order, for kernels. */

export const product = (x: Float64Array, y: Float64Array, n: number): Float64Array =>
  productOf(blockOf(x, n, n), blockOf(y, n, n)).data

/** sum_i factors_i terms_i, and `shift` on the diagonal. */
export function combine(
  n: number,
  shift: number,
  factors: readonly number[],
  terms: readonly Float64Array[],
): Float64Array {
  const sum = new Float64Array(n * n)
  terms.forEach((term, i) => {
    const factor = factors[i] as number
    for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] as number) + factor * (term[k] as number)
  })
  for (let i = 0; i < n; i++) sum[i * (n + 1)] = (sum[i * (n + 1)] as number) + shift
  return sum
}

/** The largest sum of magnitudes of a row. */
export function rowNorm(x: Float64Array, n: number): number {
  let norm = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += Math.abs(x[i * n + j] as number)
    if (!(sum <= norm)) norm = sum
  }
  return norm
}
