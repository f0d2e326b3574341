import { addProduct, type Block, partOf } from './block.js'

/** Up to this order substitution takes less time than halves. */
const leaf = 32

/** Which triangle of the matrix is read, and whether its diagonal is taken to be 1 without reading it. */
export interface Triangle {
  readonly lower: boolean
  readonly unit: boolean
}

/** Overwrites b [n, m] with the solution of T x = b for a triangular T [n, n] whose diagonal has no 0. */
export function solveTriangular(t: Block, b: Block, triangle: Triangle): void {
  const n = t.rows
  if (n <= leaf) {
    substitute(t, b, triangle)
    return
  }
  const half = n >> 1
  const halves = [
    [0, half],
    [half, n],
  ] as const
  const [known, other] = triangle.lower ? halves : ([halves[1], halves[0]] as const)
  const rows = (half: readonly [number, number]) => partOf(b, half, [0, b.columns])
  solveTriangular(partOf(t, known, known), rows(known), triangle)
  addProduct(rows(other), partOf(t, other, known), rows(known), -1)
  solveTriangular(partOf(t, other, other), rows(other), triangle)
}

function substitute(t: Block, b: Block, { lower, unit }: Triangle): void {
  const n = t.rows
  const element = (i: number, j: number) => t.data[t.at + i * t.rowStride + j * t.columnStride] as number
  for (let step = 0; step < n; step++) {
    const i = lower ? step : n - 1 - step
    const [from, to] = lower ? [0, i] : [i + 1, n]
    for (let k = from; k < to; k++) subtractRow(b, i, k, element(i, k))
    if (!unit) divideRow(b, i, element(i, i))
  }
}

/** b_i -= factor b_k */
function subtractRow(
  { data, at, columns, rowStride, columnStride }: Block,
  i: number,
  k: number,
  factor: number,
): void {
  let [to, from] = [at + i * rowStride, at + k * rowStride]
  for (let c = 0; c < columns; c++, to += columnStride, from += columnStride)
    data[to] = (data[to] as number) - factor * (data[from] as number)
}

function divideRow({ data, at, columns, rowStride, columnStride }: Block, i: number, divisor: number): void {
  let to = at + i * rowStride
  for (let c = 0; c < columns; c++, to += columnStride) data[to] = (data[to] as number) / divisor
}
