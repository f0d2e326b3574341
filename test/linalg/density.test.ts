import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { type Smoothing, type SpectralDensity, spectralDensity } from '../../src/linalg/index.js'
import { abortingAfter, denseEigenvalues, operatorOf, randomSymmetric, withEigenvalues } from './dense.js'

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0)
const spacing = ({ grid }: SpectralDensity) => (grid.at(-1)! - grid[0]!) / (grid.length - 1)

/** (1/n) sum_i N(t; lambda_i, sigma^2): the density that the quadrature estimates. */
function denseDensity(eigenvalues: readonly number[], grid: Float64Array, sigma: number): Float64Array {
  const scale = 1 / (eigenvalues.length * sigma * Math.sqrt(2 * Math.PI))
  return grid.map((t) => scale * sum(eigenvalues.map((x) => Math.exp(-((t - x) ** 2) / (2 * sigma * sigma)))))
}

function l1(density: SpectralDensity, reference: Float64Array): number {
  return sum(density.values.map((value, i) => Math.abs(value - reference[i]!))) * spacing(density)
}

describe('spectralDensity', () => {
  const semicircle = randomSymmetric(150, 1).mul(0.1)
  const cases: [string, Matrix, Smoothing, number][] = [
    // 60 steps resolve 150 eigenvalues only in part at this width: the rest is the method's error.
    ['semicircle, papyan', semicircle, 'papyan', 0.15],
    ['semicircle, sigma 0.1', semicircle, 0.1, 0.05],
    [
      'outliers over a bulk, papyan',
      withEigenvalues([20, 10, ...Array.from({ length: 148 }, (_, i) => Math.sin(i))], 2),
      'papyan',
      0.05,
    ],
    ['fewer rows than steps, ghorbani', withEigenvalues([1, 2, 3, 4, 4], 3), 'ghorbani', 0.15],
    ['rank 3', withEigenvalues([3, 2, -1, ...new Array(97).fill(0)], 4), 'papyan', 0.02],
  ]
  test.each(cases)(
    '%s: close in L1 to the dense spectrum under the same Gaussian',
    async (_, a, smoothing, tolerance) => {
      const density = await spectralDensity(operatorOf(a), {
        probes: 200,
        steps: 60,
        smoothing,
        gridSize: 2000,
        seed: 1,
      })
      expect(sum(density.values) * spacing(density)).toBeCloseTo(1, 12)
      expect(sum(density.weights)).toBeCloseTo(1, 12)
      const reference = denseDensity(denseEigenvalues(a), density.grid, density.sigma)
      expect(sum(reference) * spacing(density)).toBeCloseTo(1, 6)
      expect(l1(density, reference)).toBeLessThan(tolerance)
    },
  )

  test('the standard error covers the dense density at two sigma on most of the grid', async () => {
    const density = await spectralDensity(operatorOf(semicircle), {
      probes: 40,
      steps: 60,
      smoothing: 0.2,
      seed: 2,
    })
    const reference = denseDensity(denseEigenvalues(semicircle), density.grid, density.sigma)
    const inside = [...density.grid.keys()].filter((i) => reference[i]! > 0.01)
    const covered = inside.filter(
      (i) => Math.abs(density.values[i]! - reference[i]!) <= 2 * density.standardError[i]!,
    )
    expect(covered.length / inside.length).toBeGreaterThan(0.8)
  })

  test('the published widths', async () => {
    const a = Matrix.diag([-1, 0, 3])
    const papyan = await spectralDensity(operatorOf(a), { steps: 3 })
    expect(papyan.sigma).toBeCloseTo((1.1 * 4) / (2 * Math.sqrt(8 * Math.log(3))), 12)
    const ghorbani = await spectralDensity(operatorOf(a), { steps: 3, smoothing: 'ghorbani' })
    expect(ghorbani.sigma).toBeCloseTo(Math.sqrt(4e-5), 12)
    for (const { grid, sigma } of [papyan, ghorbani]) {
      expect(grid[0]).toBeLessThanOrEqual(-1 - 5 * sigma + 1e-9)
      expect(grid.at(-1)).toBeGreaterThanOrEqual(3 + 5 * sigma - 1e-9)
    }
  })

  test('no weight is lost where the Gaussian is far narrower than the grid', async () => {
    const density = await spectralDensity(operatorOf(semicircle), {
      smoothing: 1e-9,
      gridSize: 50,
      steps: 20,
    })
    expect(sum(density.values) * spacing(density)).toBeCloseTo(1, 12)
  })

  test.each([
    ['zero', Matrix.zeros(5, 5), 0],
    ['1 by 1', new Matrix([[-3]]), -3],
    ['identity', Matrix.eye(5), 1],
  ])('%s: one spike', async (_, a, at) => {
    for (const smoothing of ['papyan', 'ghorbani'] as const) {
      const density = await spectralDensity(operatorOf(a), { smoothing })
      expect(density.products).toBe(10)
      expect(sum(density.values) * spacing(density)).toBeCloseTo(1, 12)
      const mean = sum(density.grid.map((t, i) => t * density.values[i]!)) * spacing(density)
      expect(mean).toBeCloseTo(at, 3)
    }
  })

  test('the same seed gives the same digits; progress and abort work', async () => {
    const run = (seed: number) => spectralDensity(operatorOf(semicircle), { probes: 3, steps: 10, seed })
    expect(await run(1)).toEqual(await run(1))
    expect((await run(1)).values).not.toEqual((await run(2)).values)
    const controller = new AbortController()
    const { operator, calls } = abortingAfter(operatorOf(semicircle), 13, controller, 'stop')
    const done: number[] = []
    const options = {
      probes: 3,
      steps: 10,
      signal: controller.signal,
      onStep: ({ done: d }: { done: number }) => done.push(d),
    }
    await expect(spectralDensity(operator, options)).rejects.toBe('stop')
    expect(calls()).toBe(13)
    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('bad options are refused by name', async () => {
    const a = operatorOf(randomSymmetric(3, 1))
    await expect(spectralDensity(a, { probes: 1 })).rejects.toThrow('spectralDensity: probes is 1')
    await expect(spectralDensity(a, { steps: 0 })).rejects.toThrow('steps is 0')
    await expect(spectralDensity(a, { gridSize: 1 })).rejects.toThrow('gridSize is 1')
    await expect(spectralDensity(a, { smoothing: -1 })).rejects.toThrow('smoothing is -1')
    await expect(spectralDensity(a, { smoothing: 'wide' as Smoothing })).rejects.toThrow('smoothing is wide')
  })
})
