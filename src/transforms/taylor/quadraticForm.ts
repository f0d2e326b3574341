/** sum_r weights[r] l_r l_r^T of linear forms l_r. */
export interface SquareSum {
  readonly rows: Float64Array[]
  readonly weights: number[]
}

/** Bunch and Parlett's bound: a diagonal pivot is taken unless an off-diagonal entry is this much larger. */
const alpha = (1 + Math.sqrt(17)) / 8

/**
 * A symmetric matrix (row-major, n x n) as a sum of squares of linear forms, as few as its rank: LDL^T with complete
 * pivoting (Bunch and Parlett 1971), its 2 x 2 blocks by their eigenvectors.
 */
export function sumOfSquares(matrix: Float64Array, n: number): SquareSum {
  const a = Float64Array.from(matrix)
  const at = (i: number, j: number) => a[i * n + j] as number
  const left = new Set(Array.from({ length: n }, (_, i) => i))
  const negligible = n * Number.EPSILON * a.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const rows: Float64Array[] = []
  const weights: number[] = []
  const take = (row: Float64Array, weight: number) => {
    for (const i of left)
      for (const j of left) a[i * n + j] = at(i, j) - weight * (row[i] as number) * (row[j] as number)
    rows.push(row)
    weights.push(weight)
  }
  for (;;) {
    let [p, q, r] = [-1, -1, -1]
    let [diagonal, other] = [negligible, negligible]
    for (const i of left) {
      if (Math.abs(at(i, i)) > diagonal) [p, diagonal] = [i, Math.abs(at(i, i))]
      for (const j of left)
        if (j < i && Math.abs(at(i, j)) > other) [q, r, other] = [i, j, Math.abs(at(i, j))]
    }
    if (p >= 0 && diagonal >= alpha * other) {
      const pivot = at(p, p)
      const row = Float64Array.from({ length: n }, (_, j) => (left.has(j) ? at(p, j) / pivot : 0))
      take(row, pivot)
      left.delete(p)
    } else if (q >= 0) {
      const [i, j] = [q, r]
      const pairs = eigenpairs(at(i, i), at(i, j), at(j, j)).map(({ value, x, y }) => ({
        value,
        row: Float64Array.from({ length: n }, (_, k) =>
          left.has(k) ? (x * at(i, k) + y * at(j, k)) / value : 0,
        ),
      }))
      for (const { value, row } of pairs) take(row, value)
      left.delete(q)
      left.delete(r)
    } else return { rows, weights }
  }
}

/** Eigenvalues and unit eigenvectors (x, y) of [[a, b], [b, c]]. */
function eigenpairs(a: number, b: number, c: number): { value: number; x: number; y: number }[] {
  const angle = Math.atan2(2 * b, a - c) / 2
  const [x, y] = [Math.cos(angle), Math.sin(angle)]
  const middle = (a + c) / 2
  const radius = Math.hypot((a - c) / 2, b)
  return [
    { value: middle + radius, x, y },
    { value: middle - radius, x: -y, y: x },
  ]
}
