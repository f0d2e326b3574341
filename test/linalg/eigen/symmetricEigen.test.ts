import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { symmetricEigen } from '../../../src/linalg/eigen/symmetricEigen.js'
import { denseEigenvalues, randomSymmetric, withEigenvalues } from '../operators/dense.js'

const rowsOf = (a: Matrix) => a.to2DArray().map((row) => Float64Array.from(row))

describe('symmetricEigen', () => {
  test.each([
    ['1 by 1', new Matrix([[-3]])],
    ['zero', Matrix.zeros(4, 4)],
    ['diagonal', Matrix.diag([3, -1, 2])],
    ['random', randomSymmetric(30, 1)],
    ['repeated', withEigenvalues([5, 5, 5, 1, 1, 0, 0, -2], 2)],
    ['tiny', randomSymmetric(8, 3).mul(1e-160)],
    ['huge', randomSymmetric(8, 3).mul(1e150)],
  ])('%s: values of the dense solver, A v = lambda v, orthonormal vectors', (_, a) => {
    const { values, vectors } = symmetricEigen(rowsOf(a))
    const scale = Math.max(...a.to1DArray().map(Math.abs), Number.MIN_VALUE)
    const v = new Matrix(vectors.map((x) => [...x]))
    expect(v.mmul(v.transpose()).sub(Matrix.eye(a.rows)).norm()).toBeLessThan(1e-13 * a.rows)
    const rest = v.mmul(a.clone().div(scale)).sub(Matrix.diag([...values].map((x) => x / scale)).mmul(v))
    expect(rest.norm()).toBeLessThan(1e-13 * a.rows)
    const expected = denseEigenvalues(a.clone().div(scale)).reverse()
    values.forEach((value, i) => {
      expect(value / scale).toBeCloseTo(expected[i]!, 11)
    })
  })

  test('numbers that are not finite are refused', () => {
    const rows = [Float64Array.of(1, Number.NaN), Float64Array.of(Number.NaN, 1)]
    expect(() => symmetricEigen(rows)).toThrow('symmetricEigen: a matrix of 2 rows')
  })
})
