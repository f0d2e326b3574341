import { makeFunction } from '../../engines/js/function.js'
import { range } from '../../tensor/shape.js'

export interface BlockProductSizes {
  /** Rows of X and of Y. */
  readonly depth: number
  /** Columns of X, rows of C. */
  readonly rows: number
  /** Columns of Y and of C. */
  readonly columns: number
}

/** C = X^T Y, or C -= X^T Y: C from `at` on in `c`, X from `first` on in `x`, Y from `second` on in `y`, all row by row. */
export type BlockProduct = (
  c: Float64Array,
  at: number,
  x: Float64Array,
  first: number,
  y: Float64Array,
  second: number,
) => void

const known = new Map<string, BlockProduct>()

/**
 * Written out for each row of C with Y in locals, whose use needs no check of bounds: many times as fast as loops over
 * matrices so small. Made once for each combination of sizes.
 */
export function blockProduct(sign: '' | '-', { depth, rows, columns }: BlockProductSizes): BlockProduct {
  const key = [sign, depth, rows, columns].join()
  const each = (n: number, f: (i: number) => string) => range(n).map(f)
  const factor = (t: number, j: number) => `y${t * columns + j}`
  const element = (j: number) => each(depth, (t) => `x${t} * ${factor(t, j)}`).join(' + ')
  const name = `product${depth}by${rows}by${columns}`
  const body = `return function ${name}(c, at, x, first, y, second) {
    ${each(depth * columns, (k) => `const y${k} = y[second + ${k}]`).join('\n')}
    for (let i = 0; i < ${rows}; i++) {
      const row = at + i * ${columns}
      ${each(depth, (t) => `const x${t} = x[first + ${t * rows} + i]`).join('\n')}
      ${each(columns, (j) => `c[row + ${j}] ${sign}= ${element(j)}`).join('\n')}
    }
  }`
  const made = known.get(key) ?? (makeFunction([], body) as () => BlockProduct)()
  known.set(key, made)
  return made
}
