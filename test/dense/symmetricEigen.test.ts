import { describe, expect, test } from 'vitest'
import { symmetricEigen } from '../../src/dense/symmetricEigen.js'
import { type Entry, matrix, random, randomSymmetric } from './matrices.js'

const beside = (i: number, j: number) => (Math.abs(i - j) === 1 ? 1 : 0)

/** Matrices on which eigenvalue algorithms have failed: equal, clustered and graded eigenvalues, splitting ones. */
const shapes: Record<string, [n: number, entry: Entry]> = {
  'a random matrix': [150, randomSymmetric],
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
    (i, j) => (Math.floor(i / 8) === Math.floor(j / 8) ? randomSymmetric(i % 8, j % 8) : 0),
  ],
  'a matrix of low rank': [
    100,
    (i, j) => Array.from({ length: 20 }).reduce<number>((sum, _, k) => sum + random(i, k) * random(j, k), 0),
  ],
  'a tiny matrix': [50, (i, j) => 1e-160 * randomSymmetric(i, j)],
  'a huge matrix': [50, (i, j) => 1e150 * randomSymmetric(i, j)],
  'one number': [1, () => -3],
  'a diagonal': [70, (i, j) => (i === j ? random(i, 0) : 0)],
  'a graded matrix': [40, (i, j) => randomSymmetric(i, j) * 10 ** (-(i + j) / 4)],
  "Hilbert's matrix": [60, (i, j) => 1 / (i + j + 1)],
  'a rank-one change of the identity': [
    90,
    (i, j) => Number(i === j) + 1e-3 * randomSymmetric(i, 0) * randomSymmetric(j, 0),
  ],
}

describe('symmetricEigen', () => {
  test.each(Object.entries(shapes))(
    'of %s satisfies A V = V W and V^T V = I to rounding',
    (_, [n, entry]) => {
      const a = matrix(n, entry)
      const { values, vectors } = symmetricEigen(a.slice(), n)
      const size = Math.max(...values.map(Math.abs), 1e-200)
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

  test('refuses numbers that are not finite', () => {
    expect(() => symmetricEigen(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2)).toThrow(
      'the matrix holds NaN, expected finite numbers',
    )
  })

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
