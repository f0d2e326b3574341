import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { type LinearOperator, lanczos, lanczosBytes } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/tensor.js'
import { abortingAfter, operatorOf, randomSymmetric, withEigenvalues } from '../operators/dense.js'

const rows = (basis: readonly ArrayLike<number>[]) => new Matrix(basis.map((v) => Array.from(v)))

describe('lanczos', () => {
  test.each([
    ['float64', 'float64', 1e-12],
    ['float32', 'float64', 1e-5],
    ['float64', 'float32', 1e-5],
  ] as const)(
    'V is orthonormal and V A V^T = T (%s operator, %s basis)',
    async (dtype, basisDtype, tolerance) => {
      const a = randomSymmetric(50, 1)
      const { alpha, beta, basis, residual, products } = await lanczos(operatorOf(a, dtype), {
        steps: 30,
        basisDtype,
      })
      const v = rows(basis)
      const t = Matrix.diag([...alpha])
      beta.forEach((b, i) => {
        t.set(i, i + 1, b)
        t.set(i + 1, i, b)
      })
      expect(v.mmul(v.transpose()).sub(Matrix.eye(30)).norm()).toBeLessThan(tolerance)
      expect(v.mmul(a).mmul(v.transpose()).sub(t).norm()).toBeLessThan(10 * tolerance)
      const rest = v.mmul(a).sub(t.mmul(v))
      expect(rest.norm()).toBeCloseTo(residual, basisDtype === 'float64' && dtype === 'float64' ? 10 : 4)
      expect(products).toBe(30)
    },
  )

  test('an invariant subspace ends the process, or is continued past', async () => {
    const a = withEigenvalues([4, 4, 4, 2, 2, 2, 2, 0, 0, 0], 2)
    const stopped = await lanczos(operatorOf(a), { steps: 10 })
    expect(stopped.alpha.length).toBe(3)
    expect(stopped.residual).toBe(0)
    const continued = await lanczos(operatorOf(a), { steps: 100, onInvariant: 'continue' })
    expect(continued.alpha.length).toBe(10)
    const v = rows(continued.basis)
    expect(v.mmul(v.transpose()).sub(Matrix.eye(10)).norm()).toBeLessThan(1e-13)
  })

  test('the forecast of memory counts the basis', () => {
    expect(lanczosBytes(1e6, 99)).toBe(1e6 * 8 * 103)
    expect(lanczosBytes(1e6, 99, 'float32')).toBe(1e6 * (400 + 24))
  })

  test('bad options and bad products are refused by name', async () => {
    const operator = operatorOf(randomSymmetric(3, 1))
    const start = Float64Array.of(1, 0, 0)
    await expect(lanczos(operator, { steps: 0 })).rejects.toThrow(
      'lanczos: steps is 0, expected an integer >= 1',
    )
    await expect(lanczos(operator, { steps: 1.5 })).rejects.toThrow('steps is 1.5')
    await expect(lanczos(operator, { steps: 1, start: start.slice(1) })).rejects.toThrow(
      'start has 2 elements',
    )
    await expect(lanczos(operator, { steps: 1, start: new Float64Array(3) })).rejects.toThrow('length 0')
    await expect(lanczos(operatorOf(Matrix.zeros(2, 3)), { steps: 1 })).rejects.toThrow('operator is 2 by 3')
    let calls = 0
    const nan: LinearOperator = {
      ...operator,
      apply: async (x) =>
        ++calls === 2 ? new Tensor(Float64Array.of(1, Number.NaN, 1), [1, 3]) : operator.apply(x),
    }
    await expect(lanczos(nan, { steps: 3, start })).rejects.toThrow(
      'lanczos: product 2 of the operator has NaN at element 1',
    )
    const wrong: LinearOperator = { ...operator, apply: () => new Tensor(new Float64Array(3)) }
    await expect(lanczos(wrong, { steps: 1 })).rejects.toThrow(
      'returned shape [3] for product 1, expected [1,3]',
    )
  })

  test('an abort stops it with the reason, before the next product', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { operator, calls } = abortingAfter(operatorOf(randomSymmetric(20, 1)), 3, controller, reason)
    const done: number[] = []
    const run = lanczos(operator, { steps: 10, signal: controller.signal, onStep: (p) => done.push(p.done) })
    await expect(run).rejects.toBe(reason)
    expect(calls()).toBe(3)
    expect(done).toEqual([1, 2])
  })

  test('a timer can abort an operator that never waits', async () => {
    const slow: LinearOperator = {
      rows: 2000,
      columns: 2000,
      apply: (x) => {
        const until = performance.now() + 5
        while (performance.now() < until);
        return new Tensor(
          Float64Array.from(x.data, (value, i) => value * i),
          x.shape,
        )
      },
    }
    await expect(lanczos(slow, { steps: 2000, signal: AbortSignal.timeout(100) })).rejects.toThrow(
      /abort|timeout/i,
    )
  })
})
