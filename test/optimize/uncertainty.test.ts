import { inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { band, leastSquares, minimize, uncertainty } from '../../src/optimize/index.js'
import { studentQuantile, studentTail } from '../../src/optimize/leastSquares/errors/student.js'
import type { Tensor } from '../../src/tensor/index.js'

const x = Array.from({ length: 15 }, (_, i) => i / 3)
const line =
  ({ a, b }: Record<'a' | 'b', Tensor>) =>
  (at: readonly number[]) =>
    np.add(a, np.multiply(b, at))

function fitted(seed: number) {
  const errors = new Random(seed).normals(x.length)
  const y = x.map((xi, i) => 1 + 2 * xi + 0.3 * errors[i]!)
  return leastSquares((p: Record<'a' | 'b', Tensor>) => np.subtract(line(p)(x), y), { a: 0, b: 0 })
}

describe('uncertainty', () => {
  test('a result of something else is refused', async () => {
    const lowest = await minimize((x: Tensor) => np.sum(np.square(x)), [1, 2])
    expect(() => uncertainty(lowest as never)).toThrow('result: has no dense Jacobian')
    expect(() => band(line as never, (() => lowest) as never)).toThrow('result: has no dense Jacobian')
  })

  test('the covariance is s^2 (J^T J)^-1, and correlations, errors and intervals follow from it', async () => {
    const result = await fitted(1)
    const { covariance, correlation, standardErrors, intervals, degreesOfFreedom } = uncertainty(result)
    const j = new Matrix(x.map((xi) => [1, xi]))
    const variance = (2 * result.value) / 13
    const exact = inverse(j.transpose().mmul(j)).mul(variance)
    expect(degreesOfFreedom).toBe(13)
    exact.to1DArray().forEach((c, k) => {
      expect(covariance.data[k]).toBeCloseTo(c, 14)
    })
    expect(standardErrors[1]).toBeCloseTo(Math.sqrt(exact.get(1, 1)), 14)
    expect(correlation.data[1]).toBeCloseTo(
      exact.get(0, 1) / Math.sqrt(exact.get(0, 0) * exact.get(1, 1)),
      13,
    )
    // Student's t of 13 degrees of freedom, from tables.
    expect((intervals[0]![1] - result.values[0]!) / standardErrors[0]!).toBeCloseTo(2.160368656, 8)
  })

  test('absolute errors do not depend on the residuals', async () => {
    const { standardErrors, intervals } = uncertainty(await fitted(2), { absolute: true })
    const j = new Matrix(x.map((xi) => [1, xi]))
    expect(standardErrors[0]).toBeCloseTo(Math.sqrt(inverse(j.transpose().mmul(j)).get(0, 0)), 14)
    expect((intervals[0]![1] - intervals[0]![0]) / 2 / standardErrors[0]!).toBeCloseTo(1.959963984540054, 12)
  })

  test('intervals of 95 % hold the truth in 95 % of experiments', async () => {
    let held = 0
    for (let seed = 0; seed < 120; seed++) {
      const [low, high] = uncertainty(await fitted(seed)).intervals[1]!
      if (low <= 2 && 2 <= high) held++
    }
    // Three standard errors of a binomial count.
    expect(Math.abs(held - 114)).toBeLessThan(8)
  })

  test('undetermined parameters have infinite errors, the others those of the problem without them', async () => {
    const result = await leastSquares(
      ({ a, b, c }: Record<'a' | 'b' | 'c', Tensor>) =>
        np.subtract(
          np.add(np.add(a, b), np.multiply(c, x)),
          x.map((xi) => Math.sin(9 * xi)),
        ),
      { a: 1, b: 2, c: 3 },
    )
    const plain = await leastSquares(
      ({ a, c }: Record<'a' | 'c', Tensor>) =>
        np.subtract(
          np.add(a, np.multiply(c, x)),
          x.map((xi) => Math.sin(9 * xi)),
        ),
      { a: 1, c: 3 },
    )
    const { standardErrors } = uncertainty(result)
    expect(Array.from(standardErrors.slice(0, 2))).toEqual([Infinity, Infinity])
    expect(standardErrors[2]).toBeCloseTo(uncertainty(plain).standardErrors[1]!, 12)
  })
})

test('a band is the textbook’s: s sqrt(1/n + (x - mean)^2 / sxx), and with noise s sqrt(1 + ...)', async () => {
  const result = await fitted(3)
  const at = [-1, 0.5, 8]
  const mean = x.reduce((sum, xi) => sum + xi, 0) / x.length
  const sxx = x.reduce((sum, xi) => sum + (xi - mean) ** 2, 0)
  const s = Math.sqrt((2 * result.value) / 13)
  const confidence = band(result, (p) => line(p)(at))
  const prediction = band(result, (p) => line(p)(at), { noise: 'residual' })
  at.forEach((xi, k) => {
    const part = 1 / x.length + (xi - mean) ** 2 / sxx
    expect(confidence.standardError.data[k]).toBeCloseTo(s * Math.sqrt(part), 13)
    expect(prediction.standardError.data[k]).toBeCloseTo(s * Math.sqrt(1 + part), 13)
    expect(confidence.value.data[k]).toBeCloseTo(result.values[0]! + result.values[1]! * xi, 13)
  })
})

describe('Student’s t', () => {
  test.each([
    [0.95, 1, 12.706204736174698],
    [0.95, 12, 2.178812829667229],
    [0.99, 5, 4.032142983557536],
    [0.95, Infinity, 1.959963984540054],
  ])('quantile of %d with %d degrees of freedom', (level, degrees, expected) => {
    expect(studentQuantile(level, degrees) / expected).toBeCloseTo(1, 11)
  })

  test('tails with one and two degrees of freedom have closed forms', () => {
    for (const t of [0.1, 1, 3, 20]) {
      expect(studentTail(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 13)
      expect(studentTail(t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 13)
    }
  })

  test('many degrees of freedom go over into the expansion without a step', () => {
    expect(studentQuantile(0.9, 99_999) - studentQuantile(0.9, 100_001)).toBeLessThan(1e-9)
  })
})
