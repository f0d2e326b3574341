import { addProduct, blockOf, partOf, transposedBlock } from './block.js'
import { solveTriangular } from './triangular.js'

/** Columns that change those behind them together, as one product of matrices. */
const panel = 32

/**
 * The factors of P a = L U, over `a` [n, n]: U on and above the diagonal, L, whose diagonal is 1, below it; and the rows of
 * `a` in the order of P a. Partial pivoting; of a singular matrix U has a 0 on its diagonal.
 */
export function factorize(a: Float64Array, n: number): { packed: Float64Array; order: number[] } {
  const order = Array.from({ length: n }, (_, i) => i)
  const whole = blockOf(a, n, n)
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(first + panel, n)
    factorColumns(a, n, first, end, order)
    const right = partOf(whole, [first, end], [end, n])
    solveTriangular(partOf(whole, [first, end], [first, end]), right, { lower: true, unit: true })
    addProduct(partOf(whole, [end, n], [end, n]), partOf(whole, [end, n], [first, end]), right, -1)
  }
  return { packed: a, order }
}

/** Eliminates columns first..end - 1, changes only these, and swaps whole rows. */
function factorColumns(a: Float64Array, n: number, first: number, end: number, order: number[]): void {
  for (let k = first; k < end; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++)
      if (Math.abs(a[i * n + k] as number) > Math.abs(a[pivot * n + k] as number)) pivot = i
    if (pivot !== k) {
      const row = a.slice(k * n, (k + 1) * n)
      a.copyWithin(k * n, pivot * n, (pivot + 1) * n)
      a.set(row, pivot * n)
      ;[order[k], order[pivot]] = [order[pivot] as number, order[k] as number]
    }
    const top = a[k * n + k] as number
    if (top === 0) continue
    for (let i = k + 1; i < n; i++) {
      const factor = (a[i * n + k] as number) / top
      a[i * n + k] = factor
      for (let j = k + 1; j < end; j++)
        a[i * n + j] = (a[i * n + j] as number) - factor * (a[k * n + j] as number)
    }
  }
}

/**
 * X [n, m] with A X = b, or A^T X = b, from the factors of P A = L U; overwrites b.
 * @throws when a pivot is 0.
 */
export function solveFactored(
  packed: Float64Array,
  order: ArrayLike<number>,
  b: Float64Array,
  n: number,
  transpose = false,
): Float64Array {
  for (let i = 0; i < n; i++)
    if (packed[i * (n + 1)] === 0)
      throw new Error(
        `solve: the matrix is singular: pivot ${i} of ${n} is 0; solve a least-squares problem by svd, ` +
          'or add a small multiple of the identity',
      )
  const m = n === 0 ? 0 : b.length / n
  const factors = blockOf(packed, n, n)
  const row = (x: Float64Array, i: number) => x.subarray(i * m, (i + 1) * m)
  const x = b.slice()
  if (!transpose) {
    for (let i = 0; i < n; i++) row(x, i).set(row(b, order[i] as number))
    solveTriangular(factors, blockOf(x, n, m), { lower: true, unit: true })
    solveTriangular(factors, blockOf(x, n, m), { lower: false, unit: false })
    return x
  }
  solveTriangular(transposedBlock(factors), blockOf(b, n, m), { lower: true, unit: false })
  solveTriangular(transposedBlock(factors), blockOf(b, n, m), { lower: false, unit: true })
  for (let i = 0; i < n; i++) row(x, order[i] as number).set(row(b, i))
  return x
}
