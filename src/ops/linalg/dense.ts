/** Plain products and sums of square matrices in row-major order, for kernels. */

/** Rows of y that are used for all rows of x while they are in the cache. */
const blockRows = 64

export function product(x: Float64Array, y: Float64Array, n: number): Float64Array {
  const z = new Float64Array(n * n)
  for (let from = 0; from < n; from += blockRows) {
    const to = Math.min(from + blockRows, n)
    for (let i = 0; i < n; i++) {
      let k = from
      for (; k + 3 < to; k += 4) addRows(z, i * n, x, i * n + k, y, k * n, n)
      for (; k < to; k++) {
        const factor = x[i * n + k] as number
        for (let j = 0; j < n; j++)
          z[i * n + j] = (z[i * n + j] as number) + factor * (y[k * n + j] as number)
      }
    }
  }
  return z
}

/** Adds four rows of y, times four numbers of x that follow each other, to a row of z. */
function addRows(
  z: Float64Array,
  zAt: number,
  x: Float64Array,
  xAt: number,
  y: Float64Array,
  yAt: number,
  n: number,
): void {
  const [a, b, c, d] = [x[xAt] as number, x[xAt + 1] as number, x[xAt + 2] as number, x[xAt + 3] as number]
  if (a === 0 && b === 0 && c === 0 && d === 0) return
  for (let j = 0; j < n; j++) {
    const at = yAt + j
    z[zAt + j] =
      (z[zAt + j] as number) +
      (a * (y[at] as number) +
        b * (y[at + n] as number) +
        c * (y[at + 2 * n] as number) +
        d * (y[at + 3 * n] as number))
  }
}

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
