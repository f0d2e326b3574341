import { addProduct, type Block, blockOf, partOf, productOf, transposedBlock } from './block.js'

/** Q = H_0 H_1 ... H_m with H_k = I - factors_k v_k v_k^T, v_k being row k of `vectors` [m + 1, n], 0 before component k. */
export interface Reflections {
  readonly vectors: Block
  readonly factors: Float64Array
}

/** Reflections that are applied together, as two products of matrices. */
const panel = 32

/** z Q^T, in place, for z [rows, n]. */
export function multiplyTransposed(z: Block, { vectors, factors }: Reflections): void {
  for (let to = vectors.rows; to > 0; to -= panel) {
    const from = Math.max(to - panel, 0)
    const columns = [from, vectors.columns] as const
    const v = partOf(vectors, [from, to], columns)
    multiplyCompact(
      partOf(z, [0, z.rows], columns),
      transposedBlock(v),
      compact(v, factors.subarray(from, to)),
    )
  }
}

/** z Q, in place, for z [rows, n]. */
export function multiply(z: Block, { vectors, factors }: Reflections): void {
  for (let from = 0; from < vectors.rows; from += panel) {
    const to = Math.min(from + panel, vectors.rows)
    const columns = [from, vectors.columns] as const
    const v = partOf(vectors, [from, to], columns)
    const s = compact(v, factors.subarray(from, to))
    multiplyCompact(partOf(z, [0, z.rows], columns), transposedBlock(s), v)
  }
}

/** z += z x y, x having few columns. */
function multiplyCompact(z: Block, x: Block, y: Block): void {
  addProduct(z, productOf(z, x), y)
}

/** S with H_m ... H_1 H_0 = I + V^T S for the reflections along the rows of V [m + 1, width]. */
function compact(v: Block, factors: Float64Array): Block {
  const m = v.rows
  const products = productOf(v, transposedBlock(v)).data
  // S = C V: row i of S is -factor_i (v_i + the sum over j < i of (v_i, v_j) times row j of S).
  const c = new Float64Array(m * m)
  for (let i = 0; i < m; i++) {
    const ci = c.subarray(i * m, i * m + i + 1)
    ci[i] = 1
    for (let j = 0; j < i; j++)
      for (let k = 0; k <= j; k++)
        ci[k] = (ci[k] as number) + (products[i * m + j] as number) * (c[j * m + k] as number)
    for (let k = 0; k <= i; k++) ci[k] = -(factors[i] as number) * (ci[k] as number)
  }
  return productOf(blockOf(c, m, m), v)
}
