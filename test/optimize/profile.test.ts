import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { prepareLeastSquares, uncertainty } from '../../src/optimize/index.js'
import { studentQuantile } from '../../src/optimize/leastSquares/errors/student.js'
import type { Tensor } from '../../src/tensor/index.js'

const x = [1, 2, 3, 5, 7, 10]
const y = [109, 149, 149, 191, 213, 224]
const residual = ({ a, b }: Record<'a' | 'b', Tensor>) =>
  np.subtract(np.multiply(a, np.subtract(1, np.exp(np.negative(np.multiply(b, x))))), y)

/** The least sum of squares over a for one b: a is a linear parameter. */
function bestOver(b: number): number {
  const e = x.map((xi) => 1 - Math.exp(-b * xi))
  const a = e.reduce((sum, ei, i) => sum + ei * y[i]!, 0) / e.reduce((sum, ei) => sum + ei * ei, 0)
  return e.reduce((sum, ei, i) => sum + (a * ei - y[i]!) ** 2, 0)
}

describe('profile intervals', () => {
  test('end where the sum of squares, minimised over the other parameter, is t^2 s^2 above its minimum', async () => {
    const problem = await prepareLeastSquares(residual, { a: 200, b: 0.5 })
    const result = await problem.solve()
    const [, [low, high]] = (await problem.profile(result)) as [unknown, [number, number]]
    const rise = studentQuantile(0.95, 4) ** 2 * ((2 * result.value) / 4)
    for (const end of [low, high]) expect((bestOver(end) - 2 * result.value) / rise).toBeCloseTo(1, 6)
    expect(low).toBeLessThan(result.values[1]!)
    // The model bends: the interval is not symmetric.
    expect(high - result.values[1]!).toBeGreaterThan(1.1 * (result.values[1]! - low))
  })

  test('of a linear model are the linear ones, and infinite for what is not determined', async () => {
    const problem = await prepareLeastSquares(
      ({ a, b, c, d }: Record<'a' | 'b' | 'c' | 'd', Tensor>) =>
        np.subtract(np.add(np.add(a, np.multiply(b, x)), np.multiply(np.add(c, d), np.square(x))), y),
      { a: 1, b: 1, c: 0, d: 0 },
    )
    const result = await problem.solve()
    const profile = await problem.profile(result)
    const { intervals } = uncertainty(result)
    for (const k of [0, 1])
      for (const end of [0, 1] as const) expect(profile[k]![end] / intervals[k]![end]).toBeCloseTo(1, 6)
    expect(profile[2]).toEqual([-Infinity, Infinity])
  })

  test('do not pass bounds', async () => {
    const problem = await prepareLeastSquares(residual, { a: 200, b: 0.5 }, { bounds: { b: [0.4, 0.6] } })
    const profile = await problem.profile(await problem.solve())
    expect(profile[1]).toEqual([0.4, 0.6])
  })
})
