import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { leastSquares } from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'

type Line = { slope: Tensor; offsets: Tensor }
const x = [0, 1, 2, 3, 4, 5]
const y = [1, 3.2, 4.9, 7.1, 9, 11.2]
const residual = ({ slope, offsets }: Line) =>
  np.subtract(
    np.add(
      np.multiply(slope, x),
      np.matmul(
        [
          [1, 0],
          [1, 0],
          [1, 0],
          [0, 1],
          [0, 1],
          [0, 1],
        ],
        offsets,
      ),
    ),
    y,
  )
const start = { slope: 1, offsets: [0, 0] }

describe('parameters', () => {
  test('have the names of their places in the tree', async () => {
    const { names, point } = await leastSquares(residual, start)
    expect(names).toEqual(['slope', 'offsets[0]', 'offsets[1]'])
    expect(point.offsets.shape).toEqual([2])
  })

  test('fixed ones do not move at all, and the others are the best given these', async () => {
    const held = await leastSquares(
      residual,
      { slope: 1.9, offsets: [0.7, 0] },
      { fixed: ['slope', 'offsets[0]'] },
    )
    expect(held.names).toEqual(['offsets[1]'])
    expect(held.point.slope.item()).toBe(1.9)
    expect(held.point.offsets.toArray()).toEqual([0.7, held.values[0]])
    expect(held.values[0]).toBeCloseTo((7.1 + 9 + 11.2 - 1.9 * 12) / 3, 14)
  })

  test('the last ones may be fixed too', async () => {
    const held = await leastSquares(residual, { slope: 1, offsets: [1, 2] }, { fixed: ['offsets'] })
    expect(held.names).toEqual(['slope'])
    expect(held.point.offsets.toArray()).toEqual([1, 2])
    const sums = x.reduce(([xy, xx], xi, i) => [xy! + xi * (y[i]! - (i < 3 ? 1 : 2)), xx! + xi * xi], [0, 0])
    expect(held.values[0]).toBeCloseTo(sums[0]! / sums[1]!, 14)
  })

  test('shared ones stay equal: the solution with one parameter for both', async () => {
    const shared = await leastSquares(residual, start, { shared: [['offsets[0]', 'offsets[1]']] })
    const one = await leastSquares(
      ({ slope, offset }: Record<'slope' | 'offset', Tensor>) =>
        np.subtract(np.add(np.multiply(slope, x), offset), y),
      { slope: 1, offset: 0 },
    )
    expect(shared.names).toEqual(['slope', 'offsets[0]'])
    const [a, b] = shared.point.offsets.toArray() as number[]
    expect(a).toBe(b)
    shared.values.forEach((value, i) => {
      expect(value).toBeCloseTo(one.values[i]!, 13)
    })
  })

  test('fixed and shared ones work with given derivatives', async () => {
    type Numbers = { slope: number; offsets: [number, number] }
    const plain = ({ slope, offsets }: Numbers) =>
      x.map((xi, i) => slope * xi + offsets[i < 3 ? 0 : 1] - y[i]!)
    const jacobian = () => x.map((xi, i) => [xi, i < 3 ? 1 : 0, i < 3 ? 0 : 1])
    const options = { shared: [['offsets[0]', 'offsets[1]']] }
    const given = await leastSquares(plain, start, { ...options, jacobian })
    const traced = await leastSquares(residual, start, options)
    given.values.forEach((value, i) => {
      expect(value).toBeCloseTo(traced.values[i]!, 13)
    })
  })

  test('bounds that are active hold, and the rest is the best given these', async () => {
    const bounded = await leastSquares(residual, start, { bounds: { slope: [0, 1.5] } })
    const held = await leastSquares(residual, { ...start, slope: 1.5 }, { fixed: ['slope'] })
    expect(bounded.converged, bounded.message).toBe(true)
    expect(bounded.values[0]).toBeLessThanOrEqual(1.5)
    expect(bounded.values[0]).toBeCloseTo(1.5, 8)
    expect(bounded.value).toBeCloseTo(held.value, 7)
  })

  test('bounds that are not active change nothing', async () => {
    const free = await leastSquares(residual, start)
    const bounded = await leastSquares(residual, start, { bounds: [-10, 10] })
    bounded.values.forEach((value, i) => {
      expect(value).toBeCloseTo(free.values[i]!, 12)
    })
  })
})

describe('bad input is refused at once', () => {
  const refused = (options: object, from: unknown = start, f: (p: never) => unknown = residual as never) =>
    expect(leastSquares(f as (p: Line) => unknown, from as never, options)).rejects
  test.each([
    [{ fixed: ['slop'] }, /fixed: there is no parameter slop, expected one of slope/],
    [{ fixed: ['slope', 'offsets'] }, /start: no parameter varies/],
    [{ shared: [['slope', 'offsets[0]']] }, /shared: slope starts at 1 and offsets\[0\] at 0/],
    [{ shared: [['slope', 'offsets']] }, /expected the same number/],
    [{ bounds: { slope: [2, 3] } }, /start: slope is 1, expected it within its bounds 2 to 3/],
    [{ bounds: { slope: [3, 2] } }, /bounds: those of slope are 3 and 2/],
    [{ bounds: [[0, 1], 5] }, /lower bounds: got 2/],
    [{ sigma: [1, 2] }, /sigma: got 2 standard deviations/],
    [{ sigma: [1, 1, 0, 1, 1, 1] }, /sigma: that of residual 2 is 0/],
    [{ covariance: [[1]] }, /covariance: got 1 rows, expected 6/],
    [{ loss: 'hubber' }, /loss: got "hubber", expected one of/],
    [{ lossScale: 0 }, /lossScale: got 0/],
    [{ method: 'newton' }, /method: got "newton"/],
    [{ method: 'dogleg', bounds: [-10, 10] }, /dogleg does not keep to bounds/],
  ])('%j', async (options, message) => {
    await refused(options).toThrow(message)
  })

  test('a start that is not finite, or where the residual or its derivative is not', async () => {
    await refused({}, { slope: Number.NaN, offsets: [0, 0] }).toThrow(/start: slope is NaN/)
    await refused({}, [-1], (p: Tensor) => np.log(p)).toThrow(/start \[-1\]: the function is NaN/)
    await refused({}, [0], (p: Tensor) => np.sqrt(p)).toThrow(/derivative by parameter 0/)
  })

  test('fewer residuals than parameters', async () => {
    await refused({}, [1, 2, 3], (p: Tensor) => np.slice(p, [0, 2])).toThrow(
      /got 2 residuals for 3 parameters/,
    )
  })
})
