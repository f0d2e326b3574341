import { describe, expect, test } from 'vitest'
import {
  batchHessianSharpness,
  type LawInput,
  learningRateLaw,
  measureLearningRateLaw,
} from '../../../src/curvature/index.js'
import { denseOperator, Random, topEigenpairs } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { tinyProblem } from '../../helpers/tinyNetwork.js'

const exact = (estimate: number) => ({ estimate, standardError: 0 })
const input = (sharpness: number, noise: number, samples = 1e9): LawInput => ({
  sharpness: exact(sharpness),
  noise: exact(noise),
  samples,
})

/** The largest eigenvalue of lambda e e^T plus a symmetric matrix of normal noise with s^2 = P sigma^2. */
async function spikedSharpness(lambda: number, s: number, seed: number): Promise<number> {
  const n = 500
  const random = new Random(seed)
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const noise = (random.normal() * s) / Math.sqrt(n)
      matrix[i * n + j] = noise
      matrix[j * n + i] = noise
    }
  matrix[0]! += lambda
  const operator = denseOperator(new Tensor(matrix, [n, n]))
  const { eigenvalues } = await topEigenpairs(operator, { count: 1, findRepeated: false, tolerance: 1e-3 })
  return eigenvalues[0]!.value
}

/** The factor by which E x^2 grows at each step of the heavy ball whose curvature is random at every step. */
function growth(rate: number, mean: number, variance: number, momentum: number): number {
  const a = 1 + momentum - rate * mean
  let [xx, xy, yy] = [1, 0, 1]
  let factor = 1
  for (let step = 0; step < 4000; step++) {
    const next = [
      (a * a + rate * rate * variance) * xx - 2 * a * momentum * xy + momentum ** 2 * yy,
      a * xx - momentum * xy,
      xx,
    ] as const
    factor = next[0] / xx
    ;[xx, xy, yy] = next.map((value) => value / next[0]) as [number, number, number]
  }
  return factor
}

describe('the law of batch Hessians', () => {
  test.each([
    [10, 0.3],
    [10, 3],
    [10, 6],
    [10, 15],
    [0, 4],
  ])('the sharpness of a spike of %d in noise of %d is that of a random matrix', async (lambda, s) => {
    const measured = await spikedSharpness(lambda, s, 7)
    const predicted = batchHessianSharpness(input(lambda, s * s), 1).estimate
    expect(Math.abs(measured / predicted - 1)).toBeLessThan(0.04)
  })

  test('it is continuous where the spike drowns, and its errors are those of its inputs', () => {
    const law = (sharpness: number, noise: number) =>
      batchHessianSharpness(input(sharpness, noise), 4).estimate
    expect(law(10, 400 - 1e-6)).toBeCloseTo(law(10, 400 + 1e-6), 6)
    for (const [lambda, noise] of [
      [10, 100],
      [10, 900],
    ] as const) {
      const slope = (law(lambda, noise + 1e-3) - law(lambda, noise - 1e-3)) / 2e-3
      const across = (law(lambda + 1e-5, noise) - law(lambda - 1e-5, noise)) / 2e-5
      const { standardError } = batchHessianSharpness(
        {
          sharpness: { estimate: lambda, standardError: 0.1 },
          noise: { estimate: noise, standardError: 5 },
          samples: 1e9,
        },
        4,
      )
      expect(standardError).toBeCloseTo(Math.hypot(across * 0.1, slope * 5), 6)
    }
  })

  test('all samples have no noise', () => {
    expect(batchHessianSharpness(input(10, 1e4, 64), 64)).toEqual(exact(10))
    expect(batchHessianSharpness(input(-1, 1e4, 64), 64).estimate).toBe(0)
  })
})

describe('learning rates', () => {
  test('grow with the batch, in proportion at first, to a plateau that they are half of at saturation', () => {
    const law = learningRateLaw(input(10, 6400, 4096))
    const rates = law.points.map(({ learningRate }) => learningRate.estimate)
    expect(law.points.at(-1)!.batch).toBe(4096)
    expect(rates.at(-1)).toBeCloseTo(law.limit, 12)
    expect(rates[1]! / rates[0]!).toBeCloseTo(2, 1)
    expect(rates.every((rate, i) => i === 0 || rate > rates[i - 1]!)).toBe(true)
    expect(law.saturation).toBeCloseTo(63, 0)
    const near = learningRateLaw(law, { batches: [63] })
    expect(near.points[0]!.learningRate.estimate / law.limit).toBeCloseTo(0.5, 2)
  })

  test.each([0, 0.5, 0.9])('with momentum %d are where second moments stop falling', (momentum) => {
    const [lambda, noise, batch] = [3, 40, 2]
    const law = learningRateLaw(input(lambda, noise), { momentum, batches: [batch] })
    const rate = law.points[0]!.learningRate.estimate
    expect(growth(0.99 * rate, lambda, noise / batch, momentum)).toBeLessThan(1)
    expect(growth(1.01 * rate, lambda, noise / batch, momentum)).toBeGreaterThan(1)
  })

  test('have errors that follow from those of sharpness and noise', () => {
    const at = (sharpness: number, noise: number) =>
      learningRateLaw(input(sharpness, noise), { momentum: 0.5, batches: [4] }).points[0]!.learningRate
        .estimate
    const bySharpness = ((at(10 + 1e-4, 400) - at(10 - 1e-4, 400)) / 2e-4) * 0.1
    const byNoise = ((at(10, 400 + 1e-2) - at(10, 400 - 1e-2)) / 2e-2) * 5
    const sharpness = { estimate: 10, standardError: 0.1 }
    const law = learningRateLaw(
      { sharpness, noise: { estimate: 400, standardError: 5 }, samples: 1e9 },
      { momentum: 0.5, batches: [4] },
    )
    expect(law.points[0]!.learningRate.standardError).toBeCloseTo(Math.hypot(bySharpness, byNoise), 8)
  })

  test('of adaptive steps grow with the root of the batch', () => {
    const { points } = learningRateLaw(input(10, 6400), { batches: [4, 16, 64] })
    expect(points.map(({ adaptive }) => adaptive)).toEqual([1, 2, 4].map((x) => expect.closeTo(x, 5)))
    expect(learningRateLaw(input(10, 6400, 8)).points.at(-1)!.adaptive).toBeNull()
  })

  test('have no limit where nothing curves upwards', () => {
    expect(() => learningRateLaw(input(-1, 1))).toThrow('the sharpness is -1, expected a positive number')
  })

  test('are measured from a problem, the same for the same seed', async () => {
    const { problem } = tinyProblem(5)
    const law = await measureLearningRateLaw(problem, { seed: 1 })
    expect(law.samples).toBe(90)
    expect(law.points.map(({ batch }) => batch)).toEqual([1, 2, 4, 8, 16, 32, 64, 90])
    expect(law.noise.standardError).toBeGreaterThan(0)
    expect(law.noise.standardError).toBeLessThan(0.5 * law.noise.estimate)
    expect(JSON.parse(JSON.stringify(law))).toEqual(law)
    expect(await measureLearningRateLaw(problem, { seed: 1 })).toEqual(law)
    await expect(
      measureLearningRateLaw(problem, { signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no')
  })
})
