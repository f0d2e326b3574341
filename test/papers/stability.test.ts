import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { gradientFlow } from '../../papers/gradientFlow.js'
import { flowSolution, output, scalarGradient, solutionSharpness } from '../../papers/scalarNetwork.js'
import {
  largestRate,
  momentGrowth,
  randomFeatures,
  sharpestDirection,
  trace,
} from '../../papers/secondMoments.js'
import { largestStableRate } from '../../papers/stableRate.js'
import { Random } from '../../src/linalg/index.js'
import { denseEigenvalues } from '../helpers/dense.js'

describe('gradient flow', () => {
  test.each([2, 3, 5])('of a scalar network of depth %d ends where its invariants say', (depth) => {
    const random = new Random(depth)
    const start = Float64Array.from({ length: depth }, () => 0.5 + random.uniform())
    const { end, converged } = gradientFlow(scalarGradient, start)
    expect(converged).toBe(true)
    const closed = flowSolution(start)
    expect(output(closed)).toBeCloseTo(1, 12)
    expect([...end]).toEqual(Array.from(closed, (x) => expect.closeTo(x, 8)))
  })

  test('sharpness at the solution is the largest eigenvalue of differences of gradients', () => {
    const w = flowSolution(Float64Array.of(0.6, 1.1, 1.8))
    const h = 1e-5
    const rows = Array.from(w, (_, i) => {
      const [up, down] = [1, -1].map((sign) => scalarGradient(w.map((x, j) => (i === j ? x + sign * h : x))))
      return Array.from(up!, (x, j) => (x - down![j]!) / (2 * h))
    })
    const hessian = new Matrix(rows)
    const symmetric = Matrix.add(hessian, hessian.transpose()).mul(0.5)
    expect(solutionSharpness(w)).toBeCloseTo(denseEigenvalues(symmetric)[0]!, 6)
  })

  test('that does not come to rest says so, and a negative output has no solution', () => {
    expect(gradientFlow((x) => x, Float64Array.of(1), { maxSteps: 3 }).converged).toBe(false)
    expect(() => flowSolution(Float64Array.of(-1, 1))).toThrow('the output is -1, expected a positive number')
  })
})

describe('second moments', () => {
  const features = randomFeatures(new Random(4), 12, 4, false)

  test.each([1, 3])('grow with batches of %d as the dense matrix of their step does', (batch) => {
    const rate = 0.9
    const [n, d] = [features.length, 4]
    const outer = features.map((a) => Matrix.columnVector([...a]).mmul(Matrix.rowVector([...a])))
    const mean = outer.reduce((sum, own) => Matrix.add(sum, own)).div(n)
    const square = outer
      .map((own) => own.kroneckerProduct(own))
      .reduce((sum, own) => Matrix.add(sum, own))
      .div(n)
    const twice = mean.kroneckerProduct(mean)
    const noise = Matrix.sub(square, twice).div(batch)
    const identity = Matrix.eye(d)
    const step = Matrix.eye(d * d)
      .sub(Matrix.add(mean.kroneckerProduct(identity), identity.kroneckerProduct(mean)).mul(rate))
      .add(Matrix.add(twice, noise).mul(rate * rate))
    const values = denseEigenvalues(step)
    const dominant = Math.max(...values.map(Math.abs))
    expect(momentGrowth(features, rate, batch)).toBeCloseTo(dominant, 6)
  })

  test('neither grow nor shrink at the largest rate, 2 / tr(H) for single samples of equal length', () => {
    const unit = randomFeatures(new Random(5), 30, 5, true)
    expect((largestRate(unit, 1) * trace(unit)) / 2).toBeCloseTo(1, 8)
    const rate = largestRate(features, 2)
    expect(momentGrowth(features, rate, 2)).toBeCloseTo(1, 6)
    expect(momentGrowth(features, 1.05 * rate, 2)).toBeGreaterThan(1)
  })

  test('the noise along the top eigenvector of samples of equal length is lambda (tr(H) - lambda)', () => {
    const unit = randomFeatures(new Random(6), 30, 5, true)
    const { sharpness, noise } = sharpestDirection(unit)
    expect(noise).toBeCloseTo(sharpness * (trace(unit) - sharpness), 12)
  })
})

test.each([0.01, 1, 300])('the largest stable rate is found from a guess of %d', async (guess) => {
  const found = await largestStableRate(guess, async (rate) => rate <= 1.7)
  expect(found).toBeLessThanOrEqual(1.7)
  expect(found).toBeGreaterThan(1.7 / 2 ** (1 / 7))
})
