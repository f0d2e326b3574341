import { describe, expect, test } from 'vitest'
import { transform } from '../../src/ops/linalg/fftKernel.js'
import { jacobiSvd } from '../../src/ops/linalg/jacobiSvd.js'
import { symmetricEigen } from '../../src/ops/linalg/symmetricEigen.js'
import { uniform } from '../helpers/random.js'

type Entry = (i: number, j: number) => number

const matrix = (n: number, entry: Entry, columns = n) =>
  Float64Array.from({ length: n * columns }, (_, k) => entry(Math.floor(k / columns), k % columns))

const noise = uniform(101)
const table = Float64Array.from({ length: 150 * 150 }, () => 2 * noise() - 1)
const random: Entry = (i, j) => table[Math.max(i, j) * 150 + Math.min(i, j)]!
const inRow: Entry = (i, j) => table[i * 150 + j]!
const beside = (i: number, j: number) => (Math.abs(i - j) === 1 ? 1 : 0)

/** Matrices on which eigenvalue algorithms have failed: equal, clustered and graded eigenvalues, splitting ones. */
const shapes: Record<string, [n: number, entry: Entry]> = {
  'a random matrix': [150, random],
  'the identity': [60, (i, j) => Number(i === j)],
  zero: [60, () => 0],
  ones: [100, () => 1],
  'the second difference': [149, (i, j) => (i === j ? 2 : -beside(i, j))],
  'the matrix W21+ of Wilkinson': [21, (i, j) => (i === j ? Math.abs(i - 10) : beside(i, j))],
  'glued matrices of Wilkinson': [
    105,
    (i, j) => (i === j ? Math.abs((i % 21) - 10) : beside(i, j) * (Math.max(i, j) % 21 === 0 ? 1e-9 : 1)),
  ],
  'blocks that do not meet': [
    80,
    (i, j) => (Math.floor(i / 8) === Math.floor(j / 8) ? random(i % 8, j % 8) : 0),
  ],
  'a matrix of low rank': [
    100,
    (i, j) => Array.from({ length: 20 }).reduce<number>((sum, _, k) => sum + inRow(i, k) * inRow(j, k), 0),
  ],
  'a graded matrix': [40, (i, j) => random(i, j) * 10 ** (-(i + j) / 4)],
  "Hilbert's matrix": [60, (i, j) => 1 / (i + j + 1)],
  'a rank-one change of the identity': [90, (i, j) => Number(i === j) + 1e-3 * random(i, 0) * random(j, 0)],
}

describe('symmetricEigen', () => {
  test.each(Object.entries(shapes))(
    'of %s satisfies A V = V W and V^T V = I to rounding',
    (_, [n, entry]) => {
      const a = matrix(n, entry)
      const { values, vectors } = symmetricEigen(a.slice(), n)
      const size = Math.max(...values.map(Math.abs), 1e-300)
      const row = (j: number) => vectors.subarray(j * n, (j + 1) * n)
      for (let j = 0; j < n; j++) {
        const v = row(j)
        if (j > 0) expect(values[j]!).toBeGreaterThanOrEqual(values[j - 1]!)
        for (let i = 0; i < n; i++) {
          let [image, product] = [0, 0]
          for (let k = 0; k < n; k++) {
            image += a[i * n + k]! * v[k]!
            product += row(i)[k]! * v[k]!
          }
          expect(Math.abs(image - values[j]! * v[i]!)).toBeLessThan(1e-13 * size)
          expect(Math.abs(product - Number(i === j))).toBeLessThan(1e-13)
        }
      }
    },
  )

  test('knows the eigenvalues of the second difference', () => {
    const n = 100
    const { values } = symmetricEigen(
      matrix(n, (i, j) => (i === j ? 2 : -beside(i, j))),
      n,
    )
    values.forEach((w, k) => {
      expect(w).toBeCloseTo(4 * Math.sin((Math.PI * (k + 1)) / (2 * (n + 1))) ** 2, 13)
    })
  })
})

describe('jacobiSvd', () => {
  const tall: Record<string, [rows: number, columns: number, entry: Entry]> = {
    'a random matrix': [90, 60, (i, j) => table[i * 150 + j]!],
    zero: [20, 10, () => 0],
    ones: [30, 20, () => 1],
    'a graded matrix': [40, 30, (i, j) => table[i * 150 + j]! * 10 ** (-j / 2)],
    'one column': [7, 1, (i) => i + 1],
    'a matrix of rank 3': [
      40,
      20,
      (i, j) => [0, 1, 2].reduce((sum, k) => sum + random(i, k + 60) * random(j, k + 90), 0),
    ],
    'an orthogonal matrix': [
      30,
      30,
      (i, j) => Math.sqrt(2 / 31) * Math.sin((Math.PI * (i + 1) * (j + 1)) / 31),
    ],
  }

  test.each(Object.entries(tall))('of %s gives orthonormal factors of it', (_, [rows, columns, entry]) => {
    const a = matrix(rows, entry, columns)
    const [u, s, v] = jacobiSvd(a.slice(), rows, columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let k = 0; k < columns; k++) sum += u[i * columns + k]! * s[k]! * v[j * columns + k]!
        expect(Math.abs(sum - a[i * columns + j]!)).toBeLessThan(1e-13 * Math.max(1, s[0]!))
      }
    for (const [x, length] of [
      [u, rows],
      [v, columns],
    ] as const)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j <= i; j++) {
          let sum = 0
          for (let k = 0; k < length; k++) sum += x[k * columns + i]! * x[k * columns + j]!
          expect(Math.abs(sum - Number(i === j))).toBeLessThan(1e-13)
        }
  })
})

test('the Fourier transform of a wave is one number', () => {
  for (const n of [16, 15, 17]) {
    const wave = Float64Array.from({ length: 2 * n }, (_, k) =>
      (k % 2 ? Math.sin : Math.cos)((2 * Math.PI * 3 * Math.floor(k / 2)) / n),
    )
    transform(wave, false).forEach((x, k) => {
      expect(x).toBeCloseTo(k === 6 ? n : 0, 12)
    })
  }
})
