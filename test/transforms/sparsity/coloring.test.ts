import { expect, test } from 'vitest'
import { colorColumns, colorStars } from '../../../src/transforms/sparsity/coloring.js'
import {
  type SparsityPattern,
  symmetricPattern,
  transposePattern,
} from '../../../src/transforms/sparsity/pattern.js'
import { uniform } from '../../helpers/random.js'

const seed = 77

function randomPattern(rows: number, columns: number, density: number, from: number): SparsityPattern {
  const random = uniform(from)
  return {
    columns,
    rows: Array.from({ length: rows }, () =>
      Int32Array.from(Array.from({ length: columns }, (_, j) => j).filter(() => random() < density)),
    ),
  }
}

function randomSymmetric(n: number, density: number, from: number): SparsityPattern {
  const random = uniform(from)
  const has = Array.from({ length: n }, () => new Set<number>())
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++)
      if (random() < density) {
        has[i]!.add(j)
        has[j]!.add(i)
      }
  return { columns: n, rows: has.map((set) => Int32Array.from([...set].sort((a, b) => a - b))) }
}

test(`columns that share a row never share a colour, seed ${seed}`, () => {
  for (let k = 0; k < 40; k++) {
    const pattern = randomPattern(1 + (k % 23), 1 + ((7 * k) % 31), (k % 10) / 15, seed + k)
    const { colors, count } = colorColumns(pattern)
    for (const row of pattern.rows) expect(new Set([...row].map((j) => colors[j])).size).toBe(row.length)
    expect(Math.max(0, ...[...colors].map((c) => c + 1))).toBe(count)
    expect(transposePattern(transposePattern(pattern)).rows).toEqual(pattern.rows)
  }
})

test(`star colourings are proper and no path of four vertices has two colours, seed ${seed}`, () => {
  for (let k = 0; k < 60; k++) {
    const n = 2 + (k % 19)
    const pattern = randomSymmetric(n, (k % 12) / 14, seed + k)
    expect(symmetricPattern(pattern).rows).toEqual(pattern.rows)
    const { colors } = colorStars(pattern)
    const near = pattern.rows.map((row, i) => [...row].filter((j) => j !== i))
    let violations = 0
    for (let a = 0; a < n; a++)
      for (const b of near[a]!) {
        if (colors[a] === colors[b]) violations++
        for (const c of near[b]!)
          for (const d of near[c]!) {
            if (c === a || d === a || d === b) continue
            if (new Set([colors[a], colors[b], colors[c], colors[d]]).size < 3) violations++
          }
      }
    expect(violations).toBe(0)
  }
})

test('bands, arrows and bipartite grids need as few colours as is known', () => {
  const band = (n: number, width: number): SparsityPattern => ({
    columns: n,
    rows: Array.from({ length: n }, (_, i) =>
      Int32Array.from(Array.from({ length: n }, (_, j) => j).filter((j) => Math.abs(i - j) <= width)),
    ),
  })
  expect(colorColumns(band(100, 1)).count).toBe(3)
  expect(colorColumns(band(100, 4)).count).toBe(9)
  expect(colorStars(band(100, 1)).count).toBe(3)
  expect(colorStars(band(100, 2)).count).toBeLessThanOrEqual(5)
})
