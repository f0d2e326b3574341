import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import {
  type BatchOptions,
  batchLeastSquares,
  type LeastSquaresOptions,
  leastSquares,
  type Progress,
  uncertainty,
} from '../../src/optimize/index.js'
import { Tensor } from '../../src/tensor/index.js'

type Decay = Record<'a' | 'k' | 'c', Tensor>
const t = Float64Array.from({ length: 14 }, (_, i) => i / 3)
const model = ({ a, k, c }: Decay) => np.add(np.multiply(a, np.exp(np.negative(np.multiply(k, t)))), c)
const residual = (p: Decay, y: Tensor) => np.subtract(model(p), y)
const start = { a: 1, k: 0.3, c: 0 }
const fits = 40

/** Decays of random heights and rates with noise, [fits, points]. */
function decays(seed: number): Tensor {
  const random = new Random(seed)
  const rows = Array.from({ length: fits }, () => {
    const [a, k, c] = [1 + 4 * random.uniform(), 0.3 + random.uniform(), random.normal()]
    return Array.from(t, (ti) => a * Math.exp(-k * ti) + c + 0.05 * random.normal())
  })
  return np.asarray(rows)
}

const row = (x: Tensor, i: number) =>
  x.data.subarray(i * (x.size / fits), (i + 1) * (x.size / fits)) as Float64Array

const expectClose = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] === expected[i]) continue
    expect(Math.abs(actual[i]! / expected[i]! - 1), what).toBeLessThan(tolerance)
  }
}

/** Each fit by itself. */
async function loop(ys: Tensor, options: LeastSquaresOptions, from = (_: number) => start) {
  const results = []
  for (let i = 0; i < fits; i++)
    results.push(
      await leastSquares((p: Decay) => residual(p, new Tensor(row(ys, i).slice())), from(i), options),
    )
  return results
}

const cases: Record<string, BatchOptions> = {
  'with default options': {},
  'few at a time': { lanes: 7 },
  'with a tolerance': { tolerance: 1e-6 },
  'with bounds': { bounds: { k: [0.1, 0.8], c: [-1, 1] } },
  'with a fixed parameter': { fixed: ['c'] },
  'with a robust loss': { loss: 'softL1', lossScale: 0.1 },
  'with weights': { sigma: t.map((ti) => 0.05 + ti / 100) },
  'by damping': { method: 'damped' },
  'in a few steps': { maxSteps: 3 },
}

describe('batchLeastSquares', () => {
  test.each(Object.entries(cases))('is what each fit is by itself, %s', async (_, options) => {
    const ys = decays(1)
    const { lanes: _lanes, onStep: _onStep, starts: _starts, ...each } = options
    const batch = await batchLeastSquares(residual, start, ys, options)
    const results = await loop(ys, each)
    expect(batch.failures.size).toBe(0)
    results.forEach((result, i) => {
      expect(batch.reason[i]).toBe(result.reason)
      expect(batch.converged[i]).toBe(result.converged)
      expectClose(row(batch.values, i), result.values, 1e-9, `values of ${i}`)
      const { standardErrors, covariance } = uncertainty(result)
      expectClose(row(batch.standardErrors, i), standardErrors, 1e-7, `errors of ${i}`)
      expectClose(row(batch.covariance, i), covariance.data, 1e-7, `covariance of ${i}`)
      expect(batch.value[i]! / result.value).toBeCloseTo(1, 12)
    })
    expect(batch.names).toEqual(results[0]!.names)
    expect(batch.point.k.shape).toEqual([fits])
    expect(batch.point.k.data[5]).toBe(batch.values.data[5 * batch.names.length + 1])
  })

  test('fits that fail beside good ones say so and disturb none', async () => {
    const ys = decays(2)
    const [values, width] = [ys.data as Float64Array, t.length]
    values[3 * width + 2] = Number.NaN
    // Zeros leave the rate of a decay of height 0 undetermined.
    values.fill(0, 8 * width, 9 * width)
    const starts = Array.from({ length: fits }, (_, i) => (i === 8 ? [0, 1, 0] : [1, 0.3, 0]))
    const batch = await batchLeastSquares(residual, start, ys, { starts, lanes: 8 })
    expect([...batch.failures.keys()]).toEqual([3])
    expect(batch.failures.get(3)).toMatch(/^start \[1, 0.3, 0\]: the function is NaN there/)
    expect([batch.reason[3], batch.converged[3], batch.value[3]]).toEqual([undefined, false, Number.NaN])
    expect(Array.from(row(batch.values, 3))).toEqual([Number.NaN, Number.NaN, Number.NaN])
    expect(Array.from(row(batch.values, 8))).toEqual([0, 1, 0])
    expect(row(batch.standardErrors, 8)[1]).toBe(Infinity)
    for (const i of [0, 2, 4, 7, 9, 39]) {
      const alone = await leastSquares((p: Decay) => residual(p, new Tensor(row(ys, i))), start)
      expectClose(row(batch.values, i), alone.values, 1e-9, `values of ${i}`)
    }
  })

  test('many starts of one problem are fits without data', async () => {
    const y = row(decays(3), 0).slice()
    const starts = Array.from({ length: 6 }, (_, i) => [1 + i, 0.2 + i / 10, 0])
    const batch = await batchLeastSquares((p: Decay) => residual(p, new Tensor(y)), start, undefined, {
      starts,
    })
    const alone = await leastSquares((p: Decay) => residual(p, new Tensor(y)), start)
    for (let i = 0; i < 6; i++)
      expectClose(
        batch.values.data.subarray(3 * i, 3 * i + 3) as Float64Array,
        alone.values,
        1e-9,
        `start ${i}`,
      )
  })

  test('data may be a tree, with predictors and errors of each fit', async () => {
    const ys = decays(4)
    const sigma = new Tensor(
      (ys.data as Float64Array).map((_, i) => 0.05 * (1 + (i % 3))),
      ys.shape,
    )
    type Fit = { y: Tensor; sigma: Tensor }
    const weighted = (p: Decay, { y, sigma }: Fit) => np.divide(residual(p, y), sigma)
    const batch = await batchLeastSquares(weighted, start, { y: ys, sigma })
    const errors = row(sigma, 12).slice()
    const alone = await leastSquares((p: Decay) => residual(p, new Tensor(row(ys, 12))), start, {
      sigma: errors,
    })
    expectClose(row(batch.values, 12), alone.values, 1e-9, 'values')
  })

  test('ONNX Runtime finds the same', async () => {
    const ys = decays(5)
    const [js, onnx] = [
      await batchLeastSquares(residual, start, ys, { engine: 'js' }),
      await batchLeastSquares(residual, start, ys, { engine: 'onnx' }),
    ]
    expectClose(onnx.values.data as Float64Array, js.values.data as Float64Array, 1e-8, 'values')
  })

  test('reports steps, and ends with the signal’s reason', async () => {
    const ys = decays(6)
    const seen: Progress[] = []
    await batchLeastSquares(residual, start, ys, { lanes: 16, onStep: (progress) => seen.push(progress) })
    expect(seen.map(({ steps }) => steps)).toEqual(seen.map((_, i) => i + 1))
    expect(seen.at(-1)!.finished).toBe(fits)
    const stop = new AbortController()
    const onStep = ({ steps }: Progress) => {
      if (steps === 3) stop.abort(new Error('enough'))
    }
    await expect(batchLeastSquares(residual, start, ys, { signal: stop.signal, onStep })).rejects.toThrow(
      'enough',
    )
  })

  test('bad input is an error at once', async () => {
    const ys = decays(7)
    const attempt = (data: unknown, options: BatchOptions = {}) =>
      batchLeastSquares(residual, start, data as Tensor, options)
    await expect(attempt(1)).rejects.toThrow('data: got shape [], expected the fits as first axis')
    await expect(attempt(undefined)).rejects.toThrow('data: got no fits')
    await expect(attempt([ys, np.zeros([3, 14])])).rejects.toThrow(
      'data[1]: got shape [3,14], expected the fits as first axis, 40',
    )
    await expect(attempt(ys, { starts: [[1, 1, 1]] })).rejects.toThrow(
      'starts: got 1, expected one for each of 40 fits',
    )
    const starts = Array.from({ length: fits }, (_, i) => (i === 2 ? [1, 9, 1] : [1, 1, 1]))
    await expect(attempt(ys, { starts, bounds: { k: [0, 5] } })).rejects.toThrow(
      'starts: in fit 2 k is 9, expected it within',
    )
    const short = starts.map((row) => row.slice(1))
    await expect(attempt(ys, { starts: short })).rejects.toThrow(
      'starts: that of fit 0 has 2 numbers, expected 3: a, k, c',
    )
    await expect(attempt(ys, { lanes: 0 })).rejects.toThrow('lanes: got 0')
    await expect(attempt(ys, { sigma: [1, 2] })).rejects.toThrow('sigma: got 2 standard deviations')
    const total = batchLeastSquares((p: Decay, y: Tensor) => np.sum(residual(p, y)), start, ys)
    await expect(total).rejects.toThrow('got 1 residuals for 3 parameters')
  })
})
