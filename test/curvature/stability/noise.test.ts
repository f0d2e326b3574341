import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  batchSharpness,
  effectiveBatch,
  hessianNoise,
  lossHessian,
  noiseFromTwoBatches,
  noiseScale,
  type Problem,
  shuffled,
  stabilityReport,
} from '../../../src/curvature/index.js'
import { Random } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { ravel } from '../../../src/transforms/index.js'
import { handGradient, handHessian, sizes, tinyProblem } from '../../helpers/tinyNetwork.js'

const { parameters, x, y, problem } = tinyProblem(5)
const { samples } = sizes
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array
const n = theta.length

const some = ({ inputs, targets }: Problem, from: number, count: number) =>
  [
    new Tensor(inputs.data.slice(from * sizes.inputs, (from + count) * sizes.inputs), [count, sizes.inputs]),
    new Tensor(targets.data.slice(from, from + count)),
  ] as const
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length
const product = (matrix: number[][], v: ArrayLike<number>) =>
  matrix.map((row) => row.reduce((sum, a, j) => sum + a * v[j]!, 0))
const inner = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)

const dense = {} as { hessian: number[][]; gradient: Float64Array; deviations: number[][]; own: number[][][] }

beforeAll(() => {
  dense.hessian = handHessian(theta, x, y)
  dense.gradient = handGradient(theta, x, y).gradient
  dense.deviations = Array.from({ length: samples }, (_, i) =>
    [...handGradient(theta, ...some(problem, i, 1)).gradient].map((g, j) => g - dense.gradient[j]!),
  )
  dense.own = Array.from({ length: samples }, (_, i) => handHessian(theta, ...some(problem, i, 1)))
})

describe('gradient noise', () => {
  test('with every sample, the noise scale is that of the dense covariance and Hessian', async () => {
    const found = await noiseScale(problem, { batches: samples })
    const trace = dense.deviations.reduce((sum, d) => sum + inner(d, d), 0) / (samples - 1)
    const curved =
      dense.deviations.reduce((sum, d) => sum + inner(d, product(dense.hessian, d)), 0) / (samples - 1)
    const squared = inner(dense.gradient, dense.gradient)
    const along = inner(dense.gradient, product(dense.hessian, dense.gradient))
    expect(found.gradient).toBeCloseTo(squared, 12)
    expect(found.drawn.estimate).toBeCloseTo(1, 7)
    const shares = dense.deviations.map((d) => inner(d, dense.gradient) / squared)
    const spread = shares.reduce((sum, x) => sum + x * x, 0) / (samples - 1)
    expect(found.drawn.standardError).toBeCloseTo(Math.sqrt(spread / samples), 5)
    expect(found.covariance.estimate).toBeCloseTo(trace, 10)
    expect(found.simple.estimate).toBeCloseTo(trace / squared, 6)
    expect(found.curvature).toBeCloseTo(along / squared, 7)
    expect(found.critical!.estimate / (curved / along)).toBeCloseTo(1, 7)
    expect(found.learningRate).toBeCloseTo(squared / along, 7)
  })

  test('batches estimate it without bias, and their errors tell how far they are off', async () => {
    const exact = (await noiseScale(problem, { batches: samples })).covariance.estimate
    const scores: number[] = []
    for (let seed = 1; seed <= 8; seed++) {
      const { covariance } = await noiseScale(problem, { batch: 9, batches: 10, seed })
      scores.push((covariance.estimate - exact) / covariance.standardError)
    }
    expect(scores.filter((z) => Math.abs(z) < 2).length).toBeGreaterThanOrEqual(7)
    expect(Math.abs(mean(scores))).toBeLessThan(1)
  })

  test('two batch sizes give gradient and noise without bias', () => {
    const random = new Random(3)
    const squaredOf = (batch: number) => {
      const chosen = Array.from({ length: batch }, () => Math.floor(random.uniform() * samples))
      const g = dense.gradient.map((value, j) => value + mean(chosen.map((i) => dense.deviations[i]![j]!)))
      return inner(g, g)
    }
    const draws = Array.from({ length: 3000 }, () =>
      noiseFromTwoBatches({
        small: { batch: 2, squared: squaredOf(2) },
        large: { batch: 12, squared: squaredOf(12) },
      }),
    )
    const trace = dense.deviations.reduce((sum, d) => sum + inner(d, d), 0) / samples
    const squared = inner(dense.gradient, dense.gradient)
    for (const [found, truth] of [
      [draws.map(({ covariance }) => covariance), trace],
      [draws.map(({ gradient }) => gradient), squared],
    ] as const) {
      const error = Math.sqrt(mean(found.map((value) => (value - mean(found)) ** 2)) / found.length)
      expect(error).toBeLessThan(0.1 * truth)
      expect(Math.abs(mean(found) - truth)).toBeLessThan(3 * error)
    }
  })

  test('the same seed gives the same digits, and bad batches are refused', async () => {
    const options = { batch: 3, batches: 5, seed: 8 }
    expect(await noiseScale(problem, options)).toEqual(await noiseScale(problem, options))
    await expect(noiseScale(problem, { batch: 46 })).rejects.toThrow(
      'batch is 46, expected an integer from 1 to 45',
    )
    await expect(noiseScale(problem, { batches: 1 })).rejects.toThrow(
      'batches is 1, expected an integer >= 2',
    )
    expect(() =>
      noiseFromTwoBatches({ small: { batch: 4, squared: 1 }, large: { batch: 4, squared: 1 } }),
    ).toThrow('large.batch is 4, expected an integer >= 5')
  })
})

describe('curvature of batches', () => {
  test('batch sharpness is the mean curvature of batches along their own gradients', async () => {
    const batch = 30
    const { estimate, standardError, samples: each } = await batchSharpness(problem, { batch, seed: 2 })
    const mixed = shuffled(problem, 2)
    const expected = [0, 1, 2].map((i) => {
      const data = some(mixed, i * batch, batch)
      const { gradient } = handGradient(theta, ...data)
      return inner(gradient, product(handHessian(theta, ...data), gradient)) / inner(gradient, gradient)
    })
    expect([...each]).toEqual(expected.map((value) => expect.closeTo(value, 7)))
    expect(estimate).toBeCloseTo(mean(expected), 7)
    const spread = expected.map((value) => (value - mean(expected)) ** 2)
    expect(standardError).toBeCloseTo(Math.sqrt(mean(spread) / 2), 7)
  })

  test('with one sample a batch and all directions, the noise of the Hessian is that of the dense matrices', async () => {
    const hessian = await lossHessian(problem, { batch: 1 })
    const directions = new Tensor(new Float64Array(Matrix.eye(n).to1DArray()), [n, n])
    const { estimate } = await hessianNoise(hessian, { directions, batches: samples })
    const squares = dense.own.map((own) =>
      own.reduce((sum, row, i) => sum + row.reduce((s, a, j) => s + (a - dense.hessian[i]![j]!) ** 2, 0), 0),
    )
    const expected = squares.reduce((a, b) => a + b, 0) / (samples - 1) / n
    expect(estimate / expected).toBeCloseTo(1, 7)
    const random = await hessianNoise(hessian, { batches: samples, seed: 4 })
    expect(Math.abs(random.estimate - expected)).toBeLessThan(3 * random.standardError)
    await hessian.dispose()
  })

  test('the noise of larger batches is the same, scaled', async () => {
    const squares = dense.own.map((own) =>
      own.reduce((sum, row, i) => sum + row.reduce((s, a, j) => s + (a - dense.hessian[i]![j]!) ** 2, 0), 0),
    )
    const expected = squares.reduce((a, b) => a + b, 0) / (samples - 1) / n
    const scores: number[] = []
    for (let seed = 1; seed <= 20; seed++) {
      const hessian = await lossHessian(shuffled(problem, seed), { batch: 6 })
      const { estimate, standardError } = await hessianNoise(hessian, { seed })
      scores.push((estimate - expected) / standardError)
      await hessian.dispose()
    }
    expect(scores.filter((z) => Math.abs(z) < 2).length).toBeGreaterThanOrEqual(17)
    expect(Math.abs(mean(scores))).toBeLessThan(0.8)
  })

  test('one batch has nothing to scatter about', async () => {
    const hessian = await lossHessian(problem, { batch: 60 })
    await expect(hessianNoise(hessian)).rejects.toThrow('has 1 whole batch of 60 of its 90 samples')
    await hessian.dispose()
    expect(effectiveBatch(30, 90)).toBeCloseTo(45, 12)
    expect(effectiveBatch(90, 90)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the report', () => {
  test('holds each measure against its limit', async () => {
    const learningRate = 0.2
    const { measures } = await stabilityReport(problem, { learningRate, batch: 9, probes: 200 })
    const matrix = new Matrix(dense.hessian)
    const values = new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues
    const exact = {
      sharpness: [Math.max(...values), 2 / learningRate],
      trace: [matrix.trace(), 2 / learningRate],
      'Frobenius norm': [matrix.norm(), 3 / learningRate],
    }
    for (const [name, [value, limit]] of Object.entries(exact)) {
      const found = measures.find((measure) => measure.name === name)!
      expect(Math.abs(found.estimate - value!)).toBeLessThan(3 * found.standardError + 1e-7)
      expect(found.limit).toBeCloseTo(limit!, 12)
      expect(found.share).toBe(found.estimate / found.limit)
    }
    const along = measures.find(({ name }) => name === 'batch sharpness')!
    const alone = await batchSharpness(problem, { batch: 9 })
    expect(along.estimate).toBeCloseTo(alone.estimate, 12)
  })

  test('momentum moves the limits', async () => {
    const step = { learningRate: 0.1, batch: 9, probes: 2, method: 'heavy ball', momentum: 0.9 } as const
    const { measures } = await stabilityReport(problem, step)
    expect(measures[0]!.limit).toBeCloseTo(38, 10)
    expect(measures[3]!.limit).toBeCloseTo(2, 10)
  })

  test('it stops when told to, and says how far it is', async () => {
    const stages = new Set<string>()
    const stop = new AbortController()
    const run = stabilityReport(problem, {
      learningRate: 0.1,
      batch: 9,
      signal: stop.signal,
      onStep({ stage }) {
        stages.add(stage)
        if (stage === 'batch sharpness') stop.abort(new Error('enough'))
      },
    })
    await expect(run).rejects.toThrow('enough')
    expect([...stages]).toEqual(['linearising', 'sharpness', 'trace', 'Frobenius norm', 'batch sharpness'])
  })
})
