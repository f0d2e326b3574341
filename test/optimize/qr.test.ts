import { Matrix, QrDecomposition, solve } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import {
  factor,
  factorDamped,
  factorTriangle,
  solveFactored,
  solveTransposed,
} from '../../src/optimize/leastSquares/dense/qr.js'

/** A random matrix as ml-matrix has it and as columns. */
function random(rows: number, columns: number, seed: number) {
  const matrix = new Matrix(
    Array.from({ length: rows }, (_, i) => Array.from(new Random(seed).split(i).normals(columns))),
  )
  const b = new Random(seed).split(rows).normals(rows)
  return { matrix, b, columns: Float64Array.from(matrix.transpose().to1DArray()) }
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 11) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, digits)
}

describe.each([
  [5, 5],
  [9, 4],
  [40, 12],
])('factors of %d x %d', (rows, n) => {
  const { matrix, b, columns } = random(rows, n, rows)

  test('solve the least-squares problem', () => {
    const x = solveFactored(factor(columns.slice(), b.slice(), n))
    expectClose(x, new QrDecomposition(matrix).solve(Matrix.columnVector(b)).to1DArray())
  })

  test('R^T R is P^T A^T A P, with a diagonal that falls', () => {
    const { r, order, rank } = factor(columns.slice(), b.slice(), n)
    expect(rank).toBe(n)
    const upper = new Matrix(
      Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => r[j * n + i]!)),
    )
    const gram = matrix.transpose().mmul(matrix).selection(Array.from(order), Array.from(order))
    expectClose(upper.transpose().mmul(upper).to1DArray(), gram.to1DArray())
    for (let i = 1; i < n; i++)
      expect(Math.abs(r[i * (n + 1)]!)).toBeLessThanOrEqual(Math.abs(r[(i - 1) * (n + 1)]!))
  })

  test('a damped problem is that of the normal equations', () => {
    const damped = factorDamped(factor(columns.slice(), b.slice(), n), 0.7)
    const normal = matrix.transpose().mmul(matrix).add(Matrix.eye(n).mul(0.49))
    expectClose(
      solveFactored(damped),
      solve(normal, matrix.transpose().mmul(Matrix.columnVector(b))).to1DArray(),
    )
  })

  test('R^-T P^T y has the length of y in the inverse of A^T A', () => {
    const y = new Random(1).normals(n)
    const z = solveTransposed(factor(columns.slice(), b.slice(), n), y)
    const inverse = solve(matrix.transpose().mmul(matrix), Matrix.columnVector(y)).to1DArray()
    expect(z.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(
      y.reduce((sum, v, i) => sum + v * inverse[i]!, 0),
      9,
    )
  })
})

test('the rank is found, and dependent columns get 0', () => {
  const { columns, b } = random(8, 3, 2)
  const doubled = Float64Array.from([...columns.slice(0, 16), ...columns.slice(0, 8).map((x) => -2 * x)])
  const factors = factor(doubled, b.slice(), 3)
  expect(factors.rank).toBe(2)
  const x = solveFactored(factors)
  expect(x.filter((v) => v === 0).length).toBe(1)
})

test('columns of zeros have rank 0', () => {
  const factors = factor(new Float64Array(6), new Float64Array(3), 2)
  expect(factors.rank).toBe(0)
  expect(Array.from(solveFactored(factors))).toEqual([0, 0])
})

/** An upper triangle with columns of length 1 whose diagonal elements are 1, `diagonal`, `diagonal`, ... */
function triangle(n: number, diagonal: number) {
  const columns = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < j; i++) columns[j * n + i] = Math.sqrt((1 - diagonal ** 2) / j)
    columns[j * n + j] = j === 0 ? 1 : diagonal
  }
  return columns
}

test.each([0.9, 0.1, 1e-5])('a triangle with diagonal %d is solved as it is by elimination', (diagonal) => {
  const columns = triangle(3, diagonal)
  const b = new Random(4).normals(3)
  const factors = factorTriangle(columns.slice(), b.slice(), 3)
  expect(factors.rank).toBe(3)
  const x = solveFactored(factors)
  const last = b[2]! / diagonal
  const middle = (b[1]! - columns[7]! * last) / diagonal
  expectClose(
    [x[0]! * diagonal ** 2, x[1]! * diagonal ** 2, x[2]! * diagonal],
    [
      (b[0]! - columns[3]! * middle - columns[6]! * last) * diagonal ** 2,
      middle * diagonal ** 2,
      last * diagonal,
    ],
  )
})

test('the rank of a triangle is found', () => {
  const factors = factorTriangle(triangle(4, 0), new Float64Array(4), 4)
  expect(factors.rank).toBeLessThan(4)
  expect(factorTriangle(triangle(4, 1e-3), new Float64Array(4), 4).rank).toBe(4)
})
