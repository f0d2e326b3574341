import { addProduct, type Block, blockOf, transposedBlock } from './block.js'

/** Q = H_0 H_1 ... with H_k = I - factors_k v_k v_k^T, where v_k is row k of `vectors` [n, n] and 0 up to component k. */
export interface Reflections {
  readonly vectors: Float64Array
  readonly factors: Float64Array
}

/** Reflections that are applied together, as two products of matrices. */
const panel = 32

/** z Q^T, in place, for z [m, n]. */
export function reflectRows(z: Block, { vectors, factors }: Reflections): void {
  const n = z.columns
  for (let to = n - 1; to > 0; to -= panel) {
    const from = Math.max(to - panel, 0)
    const v = blockOf(vectors, to - from, n - from - 1, { at: from * (n + 1) + 1, stride: n })
    const columns = blockOf(z.data, z.rows, v.columns, { at: z.at + from + 1, stride: z.rowStride })
    const products = blockOf(new Float64Array(z.rows * v.rows), z.rows, v.rows)
    addProduct(products, columns, transposedBlock(v))
    addProduct(columns, products, compact(v, factors.subarray(from, to)))
  }
}

/** S with H_m ... H_1 H_0 = I + V^T S for the reflections along the rows of V [m + 1, width]. */
function compact(v: Block, factors: Float64Array): Block {
  const m = v.rows
  const products = new Float64Array(m * m)
  addProduct(blockOf(products, m, m), v, transposedBlock(v))
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
  const s = blockOf(new Float64Array(m * v.columns), m, v.columns)
  addProduct(s, blockOf(c, m, m), v)
  return s
}
