import { Matrix, QrDecomposition } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import { factor, solveFactored } from '../../src/optimize/leastSquares/dense/qr.js'
import { reduced } from '../../src/optimize/leastSquares/dense/reduce.js'

const random = (rows: number, n: number, seed = 1) => ({
  columns: new Random(seed).normals(rows * n),
  residual: new Random(seed + 1).normals(rows),
})

/** Columns one after another as a matrix. */
const matrixOf = (columns: Float64Array, n: number) =>
  Matrix.from1DArray(n, columns.length / n, columns).transpose()

describe.each([
  [3, 1],
  [14, 3],
  [15, 4],
  [12, 6],
  [40, 3],
])('%d x %d', (rows, n) => {
  const problem = random(rows, n)
  const { columns, residual } = reduced(problem)

  test('R^T R is A^T A, R^T Q^T b is A^T b', () => {
    expect(residual.length).toBe(n)
    const [r, a] = [matrixOf(columns, n), matrixOf(problem.columns, n)]
    const close = (x: Matrix, y: Matrix) => expect(x.sub(y).norm()).toBeLessThan(1e-13 * y.norm())
    close(r.transpose().mmul(r), a.transpose().mmul(a))
    const vector = (x: Float64Array) => Matrix.columnVector(Array.from(x))
    close(r.transpose().mmul(vector(residual)), a.transpose().mmul(vector(problem.residual)))
  })

  test('has the solution of the problem', () => {
    const expected = new QrDecomposition(matrixOf(problem.columns, n)).solve(
      Matrix.columnVector(Array.from(problem.residual)),
    )
    const x = solveFactored(factor(columns.slice(), residual.slice(), n))
    x.forEach((value, j) => {
      expect(value).toBeCloseTo(expected.get(j, 0), 12)
    })
  })
})

test('columns of very different lengths keep their digits', () => {
  const problem = random(14, 3)
  const units = [1e-40, 1, 1e40]
  const scaled = problem.columns.map((x, i) => x * units[Math.floor(i / 14)]!)
  const plain = reduced(problem).columns.slice()
  const { columns } = reduced({ columns: scaled, residual: problem.residual })
  for (let j = 0; j < 3; j++)
    for (let i = 0; i <= j; i++)
      expect(columns[3 * j + i]! / units[j]! / plain[3 * j + i]!).toBeCloseTo(1, 12)
})

test('problems that are large, square, or whose squares over- or underflow stay as they are', () => {
  const tiny = random(14, 2)
  const changed = (factor: number) => ({ ...tiny, columns: tiny.columns.map((x) => factor * x) })
  for (const problem of [random(1000, 3), random(3, 3), changed(0), changed(1e-160), changed(1e160)])
    expect(reduced(problem)).toBe(problem)
})
