import { expect, test } from 'vitest'
import { addProduct, type Block, blockOf, transposedBlock } from '../../src/dense/block.js'
import { uniform } from '../helpers/random.js'

const seed = 7
const noise = uniform(seed)

/** A block inside a larger array of random numbers, its rows or its columns contiguous. */
function randomBlock(rows: number, columns: number, transposed: boolean): Block {
  const [outer, inner] = transposed ? [columns, rows] : [rows, columns]
  const stride = inner + Math.floor(3 * noise())
  const at = Math.floor(5 * noise())
  const data = Float64Array.from({ length: at + outer * stride }, () => 2 * noise() - 1)
  const block = blockOf(data, outer, inner, { at, stride })
  return transposed ? transposedBlock(block) : block
}

const indexOf = (x: Block, i: number, j: number) => x.at + i * x.rowStride + j * x.columnStride
const element = (x: Block, i: number, j: number) => x.data[indexOf(x, i, j)]!

const sizes = [
  [1, 1, 1],
  [2, 3, 4],
  [5, 1, 9],
  [3, 0, 4],
  [0, 3, 4],
  [17, 31, 13],
  [64, 64, 64],
  [33, 40_000, 6],
  [4, 9, 70],
  [3, 1000, 71],
] as const

for (const [rows, depth, columns] of sizes)
  for (const layout of [0, 1, 2, 3, 4, 5, 6, 7])
    test(`[${rows}, ${depth}] times [${depth}, ${columns}], layout ${layout}, adds the sums and nothing beside them`, () => {
      const x = randomBlock(rows, depth, (layout & 1) > 0)
      const y = randomBlock(depth, columns, (layout & 2) > 0)
      const z = randomBlock(rows, columns, (layout & 4) > 0)
      const expected = z.data.slice()
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++)
          for (let k = 0; k < depth; k++) expected[indexOf(z, i, j)]! += element(x, i, k) * element(y, k, j)
      addProduct(z, x, y)
      const worst = z.data.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0)
      expect(worst).toBeLessThan(1e-15 * (1 + depth))
    })
