import { beforeAll, describe, expect, test } from 'vitest'
import {
  batchSharpness,
  hessianNoise,
  lossHessian,
  noiseScale,
  shuffled,
} from '../../../src/curvature/index.js'
import { Random } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { ravel } from '../../../src/transforms/index.js'
import { handGradient, handHessian, sizes, tinyProblem } from '../../helpers/tinyNetwork.js'

const seeds = 200
const { parameters, x, y, problem } = tinyProblem(5)
const { samples } = sizes
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array

const inner = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
const product = (matrix: number[][], v: ArrayLike<number>) => matrix.map((row) => inner(row, v))
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

/** Gradients and Hessians of the samples, found by hand. */
let gradients: number[][]
let hessians: number[][][]

beforeAll(() => {
  const one = (i: number) =>
    [
      new Tensor(x.data.slice(i * sizes.inputs, (i + 1) * sizes.inputs), [1, sizes.inputs]),
      new Tensor(y.data.slice(i, i + 1)),
    ] as const
  const each = Array.from({ length: samples }, (_, i) => i)
  gradients = each.map((i) => [...handGradient(theta, ...one(i)).gradient])
  hessians = each.map((i) => handHessian(theta, ...one(i)))
})

const meanVector = (vectors: readonly number[][]) =>
  vectors[0]!.map((_, j) => average(vectors.map((vector) => vector[j]!)))
const meanMatrix = (matrices: readonly number[][][]) =>
  matrices[0]!.map((_, i) => meanVector(matrices.map((matrix) => matrix[i]!)))

/** Student's quantile for 95 % and 16 batches. */
const quantile = 2.131

/** The part of all seeds in which the truth lies within the interval of 95 %. */
async function coverage(
  truth: number,
  estimate: (seed: number) => Promise<{ estimate: number; standardError: number }>,
): Promise<number> {
  let covered = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const found = await estimate(seed)
    if (Math.abs(found.estimate - truth) <= quantile * found.standardError) covered++
  }
  return covered / seeds
}

/** 95 % of 200 is 190; skewed laws cover less, and batches without replacement scatter less than their errors say. */
function expectNominal(rate: number): void {
  expect(rate).toBeGreaterThan(0.9)
}

describe(`errors of stability's estimates over ${seeds} seeds`, { timeout: 180_000 }, () => {
  test('the noise of the gradient', async () => {
    const mean = meanVector(gradients)
    const squares = gradients.map((g) => g.reduce((sum, value, j) => sum + (value - mean[j]!) ** 2, 0))
    const truth = squares.reduce((a, b) => a + b, 0) / (samples - 1)
    const options = { batch: 4, batches: 16 }
    expectNominal(
      await coverage(truth, async (seed) => (await noiseScale(problem, { ...options, seed })).covariance),
    )
  })

  test('the curvature of batches along their own gradients', async () => {
    const random = new Random(11)
    const drawn = Array.from({ length: 3000 }, () => {
      const batch = [...random.permutation(samples).subarray(0, 4)]
      const g = meanVector(batch.map((i) => gradients[i]!))
      return inner(g, product(meanMatrix(batch.map((i) => hessians[i]!)), g)) / inner(g, g)
    })
    const options = { batch: 4, batches: 16 }
    expectNominal(await coverage(average(drawn), (seed) => batchSharpness(problem, { ...options, seed })))
  })

  test('the noise of the Hessian', async () => {
    const mean = meanMatrix(hessians)
    const squares = hessians.map((matrix) =>
      matrix.reduce((sum, row, i) => sum + row.reduce((s, a, j) => s + (a - mean[i]![j]!) ** 2, 0), 0),
    )
    const truth = squares.reduce((a, b) => a + b, 0) / (samples - 1) / theta.length
    expectNominal(
      await coverage(truth, async (seed) => {
        const hessian = await lossHessian(shuffled(problem, seed), { batch: 4 })
        const found = await hessianNoise(hessian, { batches: 16, seed })
        await hessian.dispose()
        return found
      }),
    )
  })
})
