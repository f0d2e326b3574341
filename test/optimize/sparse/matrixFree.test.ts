import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import {
  leastSquares,
  prepareLeastSquares,
  standardErrors,
  uncertainty,
} from '../../../src/optimize/index.js'
import { productResiduals } from '../../../src/optimize/leastSquares/matrixFree/productResiduals.js'
import { Tensor } from '../../../src/tensor/index.js'
import { jacobian } from '../../../src/transforms/index.js'
import { banded, chain, distance } from './chains.js'

describe('leastSquares without a Jacobian', () => {
  test('has the products of the Jacobian and its transpose', async () => {
    const { residual } = banded(7, 1)
    const random = new Random(1)
    const [x, v, u] = [random.normals(7), random.normals(7), random.normals(14)]
    const rows = jacobian(residual)(new Tensor(x)) as Tensor
    const { residual: values, jacobian: products } = await (await productResiduals(residual, x)).linearize(x)
    expect(distance(values, residual(new Tensor(x)).data as Float64Array)).toBeLessThan(1e-14)
    const dense = (a: Tensor, b: Float64Array) => np.matmul(a, b).data as Float64Array
    expect(distance(await products.multiply(v), dense(rows, v))).toBeLessThan(1e-13)
    expect(distance(await products.multiplyTransposed(u), dense(np.transpose(rows), u))).toBeLessThan(1e-13)
  })

  test.each([1, 2, 3])('takes a banded problem to the point of the dense method (seed %i)', async (seed) => {
    const { residual, start } = banded(40, seed)
    const dense = await leastSquares(residual, start, { jacobian: 'dense' })
    const free = await leastSquares(residual, start, { jacobian: 'matrixFree' })
    expect(free.derivatives).toBe('matrix-free')
    expect(free.converged, free.message).toBe(true)
    expect(distance(free.values, dense.values)).toBeLessThan(1e-8)
  })

  test.each([1e-6, 1e6])(
    'does not mind that half of the parameters are measured in units of %d',
    async (unit) => {
      const { residual, start } = chain(30, 4)
      const units = start.map((_, i) => (i % 2 === 0 ? unit : 1))
      const plain = await leastSquares(residual, start, { jacobian: 'dense' })
      const scaled = await leastSquares((x: Tensor) => residual(np.divide(x, units)), start, {
        jacobian: 'matrixFree',
      })
      expect(scaled.converged, scaled.message).toBe(true)
      expect(
        distance(
          scaled.values.map((x, i) => x / units[i]!),
          plain.values,
        ),
      ).toBeLessThan(1e-8)
    },
  )

  test.each(['huber', 'softL1'] as const)('counts outliers less with the loss %s', async (loss) => {
    const { residual, start } = chain(60, 4, 5)
    const options = { loss, lossScale: 0.3, sigma: 0.5 }
    const dense = await leastSquares(residual, start, { jacobian: 'dense', ...options })
    const free = await leastSquares(residual, start, { jacobian: 'matrixFree', ...options })
    expect(free.value).toBeCloseTo(dense.value, 10)
    expect(distance(free.values, dense.values)).toBeLessThan(1e-6)
  })

  test('solves a chain of 4000 parameters in at most twice the products of one of 500', async () => {
    const products: number[] = []
    for (const n of [500, 4000]) {
      const { residual, start } = chain(n, 7)
      const result = await leastSquares(residual, start, { jacobian: 'matrixFree', tolerance: 1e-6 })
      expect(result.converged, result.message).toBe(true)
      products.push(result.evaluations.products!)
      if (n > 500) {
        const sparse = await leastSquares(residual, start, { jacobian: 'sparse' })
        expect(result.value / sparse.value - 1).toBeLessThan(1e-10)
      }
    }
    expect(products[1]!).toBeLessThan(2 * products[0]!)
  })

  test('ends at a minimum where some parameters are not determined', async () => {
    const { residual } = chain(20, 8)
    const start = new Float64Array(25)
    const result = await leastSquares((x: Tensor) => residual(np.slice(x, [0, 20])), start, {
      jacobian: 'matrixFree',
    })
    const dense = await leastSquares(residual, new Float64Array(20), { jacobian: 'dense' })
    expect(result.converged, result.message).toBe(true)
    expect(result.value).toBeCloseTo(dense.value, 12)
    expect(result.values.slice(20)).toEqual(new Float64Array(5))
  })

  test('says that errors of parameters are not known', async () => {
    const { residual, start } = chain(10, 9)
    const problem = await prepareLeastSquares(residual, start, { jacobian: 'matrixFree' })
    const result = await problem.solve()
    expect(() => uncertainty(result)).toThrow('the Jacobian was never formed')
    expect(() => standardErrors(result)).toThrow("solve with jacobian 'sparse' or 'dense'")
    await expect(problem.profile(result)).rejects.toThrow('the Jacobian was never formed')
  })

  test('refuses what needs a dense Jacobian', async () => {
    const { residual, start } = chain(10, 9)
    const dogleg = leastSquares(residual, start, { jacobian: 'matrixFree', method: 'dogleg' })
    await expect(dogleg).rejects.toThrow("method: got one with jacobian 'matrixFree'")
  })

  test('stops where it is aborted, and continues from its state with the same digits', async () => {
    const { residual, start } = chain(100, 10)
    const stop = new AbortController()
    const states: Awaited<ReturnType<typeof leastSquares>>['state'][] = []
    const onStep = (state: (typeof states)[0]) => {
      states.push(state)
      if (states.length === 3) stop.abort(new Error('enough'))
    }
    const jacobian = 'matrixFree'
    await expect(leastSquares(residual, start, { jacobian, onStep, signal: stop.signal })).rejects.toThrow(
      'enough',
    )
    expect(states).toHaveLength(3)
    const whole = await leastSquares(residual, start, { jacobian })
    const rest = await leastSquares(residual, start, { jacobian, state: states[2]! })
    expect(rest.values).toEqual(whole.values)
  })
})
