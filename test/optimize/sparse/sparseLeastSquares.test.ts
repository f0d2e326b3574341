import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import {
  leastSquares,
  prepareLeastSquares,
  standardErrors,
  uncertainty,
} from '../../../src/optimize/index.js'
import { sparseResiduals } from '../../../src/optimize/leastSquares/sparse/sparseResiduals.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { banded, chain, distance } from './chains.js'

describe('leastSquares with a sparse Jacobian', () => {
  test.each([1, 2, 3])('takes a banded problem to the point of the dense method (seed %i)', async (seed) => {
    const { residual, start } = banded(40, seed)
    const dense = await leastSquares(residual, start, { jacobian: 'dense' })
    const sparse = await leastSquares(residual, start, { jacobian: 'sparse' })
    expect([dense.derivatives, sparse.derivatives]).toEqual(['exact', 'sparse'])
    expect(sparse.converged, sparse.message).toBe(true)
    expect(sparse.iterations).toBeLessThan(dense.iterations + 5)
    expect(distance(sparse.values, dense.values)).toBeLessThan(1e-8)
  })

  test.each(['huber', 'cauchy'] as const)('counts outliers less with the loss %s', async (loss) => {
    const { residual, start } = chain(60, 4, 5)
    const options = { loss, lossScale: 0.3, sigma: 0.5 }
    const dense = await leastSquares(residual, start, { jacobian: 'dense', ...options })
    const sparse = await leastSquares(residual, start, { jacobian: 'sparse', ...options })
    expect(sparse.value).toBeCloseTo(dense.value, 10)
    expect(distance(sparse.values, dense.values)).toBeLessThan(1e-6)
  })

  test('has the errors and columns of the dense method', async () => {
    const { residual, start } = chain(30, 5)
    const dense = await leastSquares(residual, start, { jacobian: 'dense' })
    const sparse = await leastSquares(residual, start, { jacobian: 'sparse' })
    expect(distance(sparse.model.columns, dense.model.columns)).toBeLessThan(1e-8)
    const expected = uncertainty(dense).standardErrors
    for (const errors of [uncertainty(sparse).standardErrors, standardErrors(sparse), standardErrors(dense)])
      expect(distance(errors, expected)).toBeLessThan(1e-9)
    const absolute = uncertainty(dense, { absolute: true }).standardErrors
    expect(distance(standardErrors(sparse, { absolute: true }), absolute)).toBeLessThan(1e-9)
  })

  test('holds fixed parameters and keeps shared ones together', async () => {
    const { residual, start } = chain(20, 11)
    const of = ({ x }: { x: Tensor }) => residual(x)
    const options = { fixed: ['x[3]'], shared: [['x[5]', 'x[6]', 'x[12]']] }
    const dense = await leastSquares(of, { x: start }, { jacobian: 'dense', ...options })
    const sparse = await leastSquares(of, { x: start }, { jacobian: 'sparse', ...options })
    expect(sparse.values).toHaveLength(17)
    expect(sparse.point.x.data[3]).toBe(0)
    expect(sparse.point.x.data[12]).toBe(sparse.point.x.data[5])
    expect(distance(sparse.values, dense.values)).toBeLessThan(1e-9)
  })

  test('profiles like the dense method', async () => {
    const { residual, start } = chain(4, 6)
    const intervals: number[][] = []
    for (const jacobian of ['sparse', 'dense'] as const) {
      const problem = await prepareLeastSquares(residual, start, { jacobian })
      intervals.push((await problem.profile(await problem.solve())).flat())
    }
    intervals[0]!.forEach((end, k) => {
      expect(end).toBeCloseTo(intervals[1]![k]!, 6)
    })
  })

  test('solves a chain of 10000 parameters at a number of products that does not grow with it', async () => {
    const { residual, start } = chain(10_000, 7)
    const small = await sparseResiduals(chain(100, 7).residual, new Float64Array(100))
    const large = await sparseResiduals(residual, start)
    expect(large.products).toBe(small.products)
    expect(large.products).toBeLessThan(4)
    const result = await leastSquares(residual, start)
    expect(result.derivatives).toBe('sparse')
    expect(result.converged, result.message).toBe(true)
    const { gradient, residual: left, lengths } = result.model
    const size = Math.sqrt(left.reduce((sum, r) => sum + r * r, 0))
    expect(Math.max(...gradient.map((g, j) => Math.abs(g) / lengths[j]! / size))).toBeLessThan(1e-9)
    expect(() => uncertainty(result)).toThrow('for errors of parameters use standardErrors')
    const errors = standardErrors(result)
    expect(Math.min(...errors)).toBeGreaterThan(0)
    expect(Math.max(...errors)).toBeLessThan(0.2)
  })

  test('is chosen where it is clearly cheaper, and only there', async () => {
    const mixing = (x: Tensor) => np.subtract(np.exp(np.subtract(x, np.mean(x))), 1.5)
    const { derivatives } = await leastSquares(mixing, new Float64Array(120), { maxSteps: 1 })
    expect(derivatives).toBe('exact')
    for (const [n, expected] of [
      [20, 'exact'],
      [150, 'sparse'],
    ] as const) {
      const { residual, start } = chain(n, 8)
      expect((await leastSquares(residual, start, { maxSteps: 2 })).derivatives).toBe(expected)
    }
    const dogleg = chain(150, 8)
    const options = { method: 'dogleg', maxSteps: 1 } as const
    expect((await leastSquares(dogleg.residual, dogleg.start, options)).derivatives).toBe('exact')
  })

  test('names the parameters that the data do not determine', async () => {
    const n = 30
    const difference = (x: Tensor) => np.subtract(np.slice(x, [1, n]), np.slice(x, [0, n - 1]))
    const residual = (x: Tensor) =>
      np.concatenate([
        np.subtract(difference(x), 1),
        np.multiply(np.slice(x, [0, 10]), np.slice(x, [0, 10])),
        np.multiply(difference(x), 0.1),
      ])
    const free = (x: Tensor) => np.concatenate([residual(np.where(np.greater(np.arange(n), 20), 0, x))])
    const start = Float64Array.from({ length: n }, (_, i) => 1 + i / n)
    const [dense, sparse] = [
      await leastSquares(free, start, { jacobian: 'dense' }),
      await leastSquares(free, start, { jacobian: 'sparse' }),
    ]
    expect(dense.undetermined.length).toBe(9)
    expect(sparse.undetermined).toEqual(dense.undetermined)
    expect(sparse.message).toContain('not determined')
    const infinite = [...standardErrors(sparse)].flatMap((error, j) =>
      error === Infinity ? [sparse.names[j]] : [],
    )
    expect(infinite).toEqual(sparse.undetermined)
    expect(sparse.value).toBeCloseTo(dense.value, 10)
  })

  test('names parameters that are determined only up to a common shift', async () => {
    const n = 12
    const residual = (x: Tensor) => {
      const step = np.subtract(np.slice(x, [1, n]), np.slice(x, [0, n - 1]))
      return np.concatenate([np.subtract(np.sinh(step), 0.5), np.subtract(step, 0.4)])
    }
    const start = new Float64Array(n).fill(2)
    const sparse = await leastSquares(residual, start, { jacobian: 'sparse' })
    const dense = await leastSquares(residual, start, { jacobian: 'dense' })
    expect(sparse.undetermined).toHaveLength(n)
    expect(sparse.converged).toBe(true)
    expect(sparse.value).toBeCloseTo(dense.value, 12)
  })

  test('refuses what needs a dense Jacobian', async () => {
    const { residual, start } = chain(10, 9)
    const solve = (options: object) => leastSquares(residual, start, { jacobian: 'sparse', ...options })
    await expect(solve({ method: 'dogleg' })).rejects.toThrow('method: got one')
    const covariance = Array.from({ length: 19 }, (_, i) => Array.from({ length: 19 }, (_, j) => +(i === j)))
    await expect(solve({ covariance })).rejects.toThrow('covariance: got one')
    await expect(solve({ jacobian: 'thin' })).rejects.toThrow('jacobian: got thin, expected exact')
  })

  test('stops where it is aborted, and continues from its state with the same digits', async () => {
    const { residual, start } = chain(200, 10)
    const stop = new AbortController()
    const states: Awaited<ReturnType<typeof leastSquares>>['state'][] = []
    const onStep = (state: (typeof states)[0]) => {
      states.push(state)
      if (states.length === 3) stop.abort(new Error('enough'))
    }
    await expect(
      leastSquares(residual, start, { jacobian: 'sparse', onStep, signal: stop.signal }),
    ).rejects.toThrow('enough')
    expect(states).toHaveLength(3)
    const whole = await leastSquares(residual, start, { jacobian: 'sparse' })
    const rest = await leastSquares(residual, start, { jacobian: 'sparse', state: states[2]! })
    expect(rest.values).toEqual(whole.values)
  })
})
