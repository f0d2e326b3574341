import { addToLower, blockOf, partOf, transposedBlock } from './block.js'

/** Columns that change those behind them together, as one product of matrices. */
const panel = 32

/**
 * L [n, n], 0 above the diagonal, of (a + a^T) / 2 = L L^T.
 * @throws when a pivot is not positive.
 */
export function cholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) l[i * n + j] = ((a[i * n + j] as number) + (a[j * n + i] as number)) / 2
  const whole = blockOf(l, n, n)
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(first + panel, n)
    factorColumns(l, n, first, end)
    const left = partOf(whole, [end, n], [first, end])
    addToLower(partOf(whole, [end, n], [end, n]), left, transposedBlock(left), -1)
  }
  for (let i = 0; i < n; i++) l.fill(0, i * n + i + 1, (i + 1) * n)
  return l
}

/** Row by row (Cholesky-Banachiewicz), so that inner loops are dot products of rows. */
function factorColumns(l: Float64Array, n: number, first: number, end: number): void {
  for (let i = first; i < n; i++)
    for (let j = first; j <= i && j < end; j++) {
      let sum = l[i * n + j] as number
      for (let k = first; k < j; k++) sum -= (l[i * n + k] as number) * (l[j * n + k] as number)
      if (i !== j) l[i * n + j] = sum / (l[j * n + j] as number)
      else if (sum > 0) l[i * n + i] = Math.sqrt(sum)
      else
        throw new Error(
          `cholesky: the matrix is not positive definite: pivot ${i} of ${n} is ${sum}, expected more than 0; ` +
            'add a small multiple of the identity, or use eigh',
        )
    }
}
