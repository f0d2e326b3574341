import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import {
  type LossName,
  type MethodName,
  prepareLeastSquares,
  robustLosses,
} from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'

type Two = Record<'a' | 'k' | 'b' | 'l', Tensor>
const t = Float64Array.from({ length: 25 }, (_, i) => i / 5)
const random = new Random(12)
const errors = random.normals(25)
const y = t.map((ti, i) => 2 * Math.exp(-ti) + Math.exp(-1.1 * ti) + 0.01 * errors[i]!)
y[7] = 30

/** Two decays with nearly equal rates: almost singular, with an outlier. */
const residual = ({ a, k, b, l }: Two) => {
  const decay = (rate: Tensor) => np.exp(np.negative(np.multiply(rate, t)))
  return np.subtract(np.add(np.multiply(a, decay(k)), np.multiply(b, decay(l))), y)
}
const plain = ([a, k, b, l]: Float64Array) =>
  t.map((ti, i) => a! * Math.exp(-k! * ti) + b! * Math.exp(-l! * ti) - y[i]!)

/** The largest cosine of the weighted residuals with a column of the Jacobian, from plain numbers alone. */
function cosine(x: Float64Array, loss: LossName): number {
  const r = plain(x)
  const weighted = r.map((ri) => ri * robustLosses[loss].at(ri * ri)[1])
  const length = (v: Float64Array) => Math.sqrt(v.reduce((sum, vi) => sum + vi * vi, 0))
  const [a, k, b, l] = x as unknown as [number, number, number, number]
  const columns = [
    t.map((ti) => Math.exp(-k * ti)),
    t.map((ti) => -a * ti * Math.exp(-k * ti)),
    t.map((ti) => Math.exp(-l * ti)),
    t.map((ti) => -b * ti * Math.exp(-l * ti)),
  ]
  const cosines = columns.map((c) => {
    const product = c.reduce((sum, ci, i) => sum + ci * weighted[i]!, 0)
    return product === 0 ? 0 : Math.abs(product) / length(c) / length(weighted)
  })
  return Math.max(...cosines)
}

describe.each<[MethodName, LossName]>([
  ['levenbergMarquardt', 'linear'],
  ['levenbergMarquardt', 'cauchy'],
  ['levenbergMarquardt', 'huber'],
  ['damped', 'linear'],
  ['dogleg', 'linear'],
  ['gaussNewton', 'linear'],
])('%s, loss %s', (method, loss) => {
  test('from starts good and bad, what is called a minimum is one', async () => {
    const start = { a: 1, k: 1, b: 1, l: 2 }
    const problem = await prepareLeastSquares(residual, start, { method, loss })
    let converged = 0
    for (let seed = 0; seed < 30; seed++) {
      const from = new Random(seed).normals(4).map((x) => x * 10 ** ((seed % 5) - 2))
      const result = await problem.solve({ start: from, maxSteps: 300 }).catch((error: Error) => error)
      if (result instanceof Error) {
        expect(result.message).toMatch(/^start /)
        continue
      }
      const values = result.history.map(({ value }) => value)
      expect(result.value).toBeLessThanOrEqual(values[0]!)
      if (!result.converged) continue
      converged++
      expect(cosine(result.values, loss), `seed ${seed}: ${result.message}`).toBeLessThan(1e-5)
    }
    expect(converged).toBeGreaterThan(2)
  })
})
