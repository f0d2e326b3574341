import {
  inverseDiagonal,
  minimumDegree,
  type SymmetricMatrix,
  solveCholesky,
  sparseCholesky,
  symbolicCholesky,
  symmetricMatrix,
} from 'evolute/optimize'
import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { uniform } from '../../helpers/random.js'
import { gridLaplacian, randomPositive, toRows } from './matrices.js'

const cases: [string, SymmetricMatrix][] = [
  ['of size 1', symmetricMatrix(1, [0], [0], [4])],
  ['that is diagonal', symmetricMatrix(3, [0, 1, 2], [0, 1, 2], [1, 2, 3])],
  ['of a grid', gridLaplacian(9, 7, 0.01)],
  ...[1, 2, 3, 4, 5].map((seed): [string, SymmetricMatrix] => [
    `drawn with seed ${seed}`,
    randomPositive(20 * seed, 50 * seed, seed),
  ]),
  ['without zeros', randomPositive(30, 3000, 6)],
]

const vector = (n: number, seed: number) => Float64Array.from({ length: n }, uniform(seed))

describe.each(cases)('for a matrix %s', (_, matrix) => {
  const dense = new Matrix(toRows(matrix))

  test('the factor times its transpose is the matrix, in the order of elimination', () => {
    const { order, columnPointers, rows, values } = sparseCholesky(matrix)!
    const lower = Matrix.zeros(matrix.size, matrix.size)
    for (let j = 0; j < matrix.size; j++)
      for (let k = columnPointers[j]!; k < columnPointers[j + 1]!; k++) lower.set(rows[k]!, j, values[k]!)
    const [list, product] = [Array.from(order), lower.mmul(lower.transpose())]
    expect(product.sub(dense.selection(list, list)).norm()).toBeLessThan(1e-14 * dense.norm())
  })

  test('the factor in the given order is that of a dense factorisation', () => {
    const given = Int32Array.from({ length: matrix.size }, (_, i) => i)
    const { columnPointers, rows, values } = sparseCholesky(matrix, symbolicCholesky(matrix, given))!
    const expected = new CholeskyDecomposition(dense).lowerTriangularMatrix
    for (let j = 0; j < matrix.size; j++)
      for (let k = columnPointers[j]!; k < columnPointers[j + 1]!; k++) {
        expect(values[k]).toBeCloseTo(expected.get(rows[k]!, j), 12)
        expected.set(rows[k]!, j, 0)
      }
    expect(expected.norm()).toBe(0)
  })

  test('solutions are those of a dense factorisation', () => {
    const b = vector(matrix.size, 7)
    const x = Matrix.columnVector(Array.from(solveCholesky(sparseCholesky(matrix)!, b)))
    const expected = new CholeskyDecomposition(dense).solve(Matrix.columnVector(Array.from(b)))
    expect(x.clone().sub(expected).norm()).toBeLessThan(1e-12 * expected.norm())
  })

  test('the diagonal of the inverse is that of the dense inverse', () => {
    const expected = inverse(dense).diagonal()
    inverseDiagonal(sparseCholesky(matrix)!).forEach((x, j) => {
      expect(Math.abs(x / expected[j]! - 1)).toBeLessThan(1e-11)
    })
  })

  test('the order names each row once', () => {
    expect([...minimumDegree(matrix)].sort((a, b) => a - b)).toEqual([...Array(matrix.size).keys()])
  })
})

test('one symbolic factorisation serves all matrices of its pattern', () => {
  const matrix = gridLaplacian(8, 8, 0.1)
  const symbolic = symbolicCholesky(matrix)
  for (const factor of [1, 3]) {
    const scaled = { ...matrix, values: matrix.values.map((x) => factor * x) }
    expect(sparseCholesky(scaled, symbolic)).toEqual(sparseCholesky(scaled))
  }
})

test('a star is eliminated from its tips, without fill', () => {
  const n = 50
  const tips = Array.from({ length: n - 1 }, (_, i) => i + 1)
  const star = symmetricMatrix(
    n,
    [0, ...tips, ...tips.map(() => 0)],
    [0, ...tips, ...tips],
    [n, ...tips.map(() => 2), ...tips.map(() => 1)],
  )
  expect(symbolicCholesky(star).nonzeros).toBe(2 * n - 1)
})

test('minimum degree on a 100 by 100 grid holds less than a quarter of what the natural order does', () => {
  const grid = gridLaplacian(100, 100, 0)
  const natural = symbolicCholesky(
    grid,
    Int32Array.from({ length: grid.size }, (_, i) => i),
  )
  // Column j of the first 100 meets j + 1 points of the next row, itself and its right neighbour; later ones 101.
  expect(natural.nonzeros).toBe((99 * 98) / 2 + 3 * 99 + 101 * 9801 + (100 * 101) / 2)
  expect(symbolicCholesky(grid).nonzeros).toBeLessThan(natural.nonzeros / 4)
})

test('a matrix that is not positive definite has no factor', () => {
  expect(sparseCholesky(symmetricMatrix(2, [0, 0, 1], [0, 1, 1], [1, 2, 1]))).toBeUndefined()
  expect(sparseCholesky(symmetricMatrix(2, [0], [0], [1]))).toBeUndefined()
  expect(sparseCholesky(symmetricMatrix(1, [0], [0], [Number.NaN]))).toBeUndefined()
})

test('entries outside of the matrix and lists of different lengths are refused', () => {
  expect(() => symmetricMatrix(2, [0, 2], [0, 0], [1, 1])).toThrow(
    'entry 1 is at (2, 0), expected indices from 0 to 1',
  )
  expect(() => symmetricMatrix(2, [0], [0, 1], [1])).toThrow('got 1 rows and 2 columns')
  expect(() => symmetricMatrix(2, [0], [0], [1, 2])).toThrow('got 2 entries at 1 rows')
  const factor = sparseCholesky(symmetricMatrix(1, [0], [0], [1]))!
  expect(() => solveCholesky(factor, new Float64Array(2))).toThrow('b has 2 elements, expected 1')
})
