import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { type DensityCurve, type Smoothing, spectralDensity } from '../../../src/linalg/index.js'
import {
  abortingAfter,
  denseEigenvalues,
  operatorOf,
  randomSymmetric,
  withEigenvalues,
} from '../operators/dense.js'

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0)
const spacing = ({ grid }: DensityCurve) => (grid.at(-1)! - grid[0]!) / (grid.length - 1)

/** (1/n) sum_i N(t; lambda_i, sigma^2): the density that the quadrature estimates. */
function denseDensity(eigenvalues: readonly number[], grid: Float64Array, sigma: number): Float64Array {
  const scale = 1 / (eigenvalues.length * sigma * Math.sqrt(2 * Math.PI))
  return grid.map((t) => scale * sum(eigenvalues.map((x) => Math.exp(-((t - x) ** 2) / (2 * sigma * sigma)))))
}

function l1(density: DensityCurve, reference: Float64Array): number {
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
        probes: 100,
        steps: 60,
        smoothing,
        gridSize: 1000,
        block: 50,
        seed: 1,
      })
      expect(sum(density.values) * spacing(density)).toBeCloseTo(1, 12)
      expect(sum(density.weights)).toBeCloseTo(1, 12)
      const reference = denseDensity(denseEigenvalues(a), density.grid, density.sigma)
      expect(sum(reference) * spacing(density)).toBeCloseTo(1, 6)
      expect(l1(density, reference)).toBeLessThan(tolerance)
    },
  )

  test('two standard errors cover the dense density in 90 to 99 percent of 200 seeds, over the grid', async () => {
    const a = randomSymmetric(40, 1).mul(0.2)
    const eigenvalues = denseEigenvalues(a)
    let [covered, points] = [0, 0]
    for (let seed = 0; seed < 200; seed++) {
      const options = { probes: 20, block: 20, steps: 16, smoothing: 0.4, gridSize: 60, seed }
      const { grid, values, standardError } = await spectralDensity(operatorOf(a), options)
      const reference = denseDensity(eigenvalues, grid, 0.4)
      for (let i = 0; i < grid.length; i++) {
        if (reference[i]! < 0.02) continue
        points++
        if (Math.abs(values[i]! - reference[i]!) <= 2 * standardError[i]!) covered++
      }
    }
    expect(covered / points).toBeGreaterThanOrEqual(0.9)
    expect(covered / points).toBeLessThanOrEqual(0.99)
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

  test('the logarithmic density is the dense one of log10(|lambda| + floor), from the same products', async () => {
    const a = withEigenvalues(
      Array.from({ length: 60 }, (_, i) => (-1) ** i * 10 ** (-i / 12)),
      5,
    )
    const operator = operatorOf(a)
    const density = await spectralDensity(operator, { probes: 100, block: 100, steps: 60, floor: 1e-6 })
    const { logarithmic } = density
    const width = Math.log10(1 + 1e-6) - Math.log10(10 ** (-59 / 12) + 1e-6)
    expect(logarithmic.sigma).toBeCloseTo((1.1 * width) / (59 * Math.sqrt(8 * Math.log(1.04))), 6)
    const logs = denseEigenvalues(a).map((x) => Math.log10(Math.abs(x) + 1e-6))
    const reference = denseDensity(logs, logarithmic.grid, logarithmic.sigma)
    expect(sum(logarithmic.values) * spacing(logarithmic)).toBeCloseTo(1, 12)
    expect(l1(logarithmic, reference)).toBeLessThan(0.05)
    expect(density.products).toBe(6000)
  })

  test('the logarithmic density shows zeros at the floor, 1e-7 of the largest where none is given', async () => {
    const { logarithmic } = await spectralDensity(
      operatorOf(withEigenvalues([100, ...new Array(59).fill(0)], 6)),
    )
    const peak = logarithmic.values.indexOf(Math.max(...logarithmic.values))
    expect(logarithmic.grid[peak]).toBeCloseTo(-5, 0)
  })

  test('start vectors that advance together change nothing but the number of calls', async () => {
    const one = await spectralDensity(operatorOf(semicircle), { probes: 5, steps: 10 })
    let calls = 0
    const operator = operatorOf(semicircle)
    const counting = {
      ...operator,
      apply(x: Parameters<typeof operator.apply>[0]) {
        calls++
        return operator.apply(x)
      },
    }
    expect(await spectralDensity(counting, { probes: 5, steps: 10, block: 3 })).toEqual(one)
    expect(calls).toBe(20)
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
    await expect(spectralDensity(a, { block: 0 })).rejects.toThrow('block is 0')
    await expect(spectralDensity(a, { floor: 0 })).rejects.toThrow('floor is 0')
    await expect(spectralDensity(a, { gridSize: 1 })).rejects.toThrow('gridSize is 1')
    await expect(spectralDensity(a, { smoothing: -1 })).rejects.toThrow('smoothing is -1')
    await expect(spectralDensity(a, { smoothing: 'wide' as Smoothing })).rejects.toThrow('smoothing is wide')
  })
})
