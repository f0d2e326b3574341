import { inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { lobpcg, topEigenpairs } from '../../../src/linalg/index.js'
import {
  abortingAfter,
  denseEigenvalues,
  operatorOf,
  randomSymmetric,
  withEigenvalues,
} from '../operators/dense.js'

const range = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i))

const cases: [string, Matrix][] = [
  ['random, n = 60', randomSymmetric(60, 1)],
  ['outliers over a bulk', withEigenvalues([50, 20, 19, -30, ...range(76, (i) => Math.cos(i))], 2)],
  ['double and triple eigenvalues', withEigenvalues([9, 9, 7, 7, 7, 5, ...range(54, (i) => i / 40)], 3)],
  ['multiples of the identity', Matrix.eye(30).mul(-2)],
  ['rank 3', withEigenvalues([3, 2, -1, ...range(57, () => 0)], 4)],
  ['zero', Matrix.zeros(10, 10)],
  ['no larger than the block', randomSymmetric(5, 5)],
  [
    'eigenvalues over 12 orders of magnitude',
    withEigenvalues(
      range(40, (i) => 10 ** (-0.3 * i)),
      6,
    ),
  ],
]

describe('lobpcg', () => {
  for (const which of ['largest', 'smallest'] as const)
    test.each(cases)(`%s: the 4 ${which} are those of the dense solver to 1e-10`, async (_, a) => {
      const n = a.rows
      const options = { count: 4, which, block: Math.min(n, 10), tolerance: 1e-12, seed: 1 }
      const result = await lobpcg(operatorOf(a), options)
      expect(result).toMatchObject({ converged: true, reason: 'converged' })
      const all = denseEigenvalues(a)
      const scale = Math.max(...all.map(Math.abs)) || 1
      const expected = which === 'largest' ? all.slice(0, 4) : all.slice(-4)
      const v = new Matrix(
        range(4, (i) => i).map((i) => [...result.eigenvectors.data.subarray(i * n, (i + 1) * n)]),
      )
      expect(v.mmul(v.transpose()).sub(Matrix.eye(4)).norm()).toBeLessThan(1e-12)
      result.eigenvalues.forEach(({ value, residual }, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-10 * scale)
        const x = v.getRowVector(i).transpose()
        const rest = a.mmul(x).sub(x.mul(value)).norm()
        expect(rest).toBeLessThan(2e-12 * scale)
        expect(Math.abs(residual - rest)).toBeLessThan(1e-13 * scale)
      })
    })

  test('blocks are one call of the operator, and converged vectors take no further product', async () => {
    const a = withEigenvalues([1000, 100, 10, ...range(57, (i) => Math.sin(i))], 7)
    const sizes: number[] = []
    const operator = operatorOf(a)
    const counting = {
      ...operator,
      apply: (x: Parameters<typeof operator.apply>[0]) => {
        sizes.push(x.shape[0]!)
        return operator.apply(x)
      },
    }
    const { steps, products } = await lobpcg(counting, { count: 3, block: 5, tolerance: 1e-9 })
    expect(sizes.length).toBe(steps + 2)
    expect(sizes.reduce((x, y) => x + y)).toBe(products)
    expect(sizes[0]).toBe(5)
    expect(Math.min(...sizes.slice(0, -1))).toBeLessThan(5)
  })

  test('a preconditioner that is the inverse of a nearby operator saves most steps', async () => {
    const a = withEigenvalues(
      range(50, (i) => 1e-3 * 1.2 ** i),
      8,
    )
    const options = { count: 3, which: 'smallest', tolerance: 1e-9, maxSteps: 2000 } as const
    const plain = await lobpcg(operatorOf(a), options)
    const nearby = a.clone().add(Matrix.eye(50).mul(1e-4))
    const preconditioner = operatorOf(inverse(nearby))
    const preconditioned = await lobpcg(operatorOf(a), { ...options, preconditioner })
    expect(preconditioned.converged).toBe(true)
    expect(preconditioned.steps).toBeLessThan(plain.steps / 5)
    preconditioned.eigenvalues.forEach(({ value }, i) => {
      expect(value).toBeCloseTo(denseEigenvalues(a).slice(-3)[i]!, 8)
    })
  })

  test('it gives the same record as Lanczos', async () => {
    const a = withEigenvalues([8, 4, 2, ...range(57, (i) => Math.sin(i))], 8)
    const [x, y] = [
      await lobpcg(operatorOf(a), { count: 3 }),
      await topEigenpairs(operatorOf(a), { count: 3 }),
    ]
    expect(Object.keys(x)).toEqual(Object.keys(y))
    x.eigenvalues.forEach(({ value }, i) => {
      expect(value).toBeCloseTo(y.eigenvalues[i]!.value, 9)
    })
  })

  test('running out of steps, and a float32 operator that is asked for too much, are results that say so', async () => {
    const a = withEigenvalues([8, 4, 2, ...range(57, (i) => Math.sin(i))], 8)
    const short = await lobpcg(operatorOf(a), { count: 3, maxSteps: 2 })
    expect(short).toMatchObject({ converged: false, reason: 'step limit', steps: 2 })
    const good = await lobpcg(operatorOf(a, 'float32'), { count: 3, tolerance: 1e-5 })
    expect(good.converged).toBe(true)
    good.eigenvalues.forEach(({ value }, i) => {
      expect(Math.abs(value - [8, 4, 2][i]!)).toBeLessThan(1e-5)
    })
    const greedy = await lobpcg(operatorOf(a, 'float32'), { count: 3, tolerance: 1e-12, maxSteps: 60 })
    expect(greedy.converged).toBe(false)
  })

  test('the same seed gives the same digits; progress and abort work', async () => {
    const operator = operatorOf(randomSymmetric(40, 9))
    const run = (seed: number) => lobpcg(operator, { count: 2, seed })
    expect(await run(1)).toEqual(await run(1))
    expect((await run(1)).eigenvectors.data).not.toEqual((await run(2)).eigenvectors.data)
    const done: number[] = []
    const { steps } = await lobpcg(operator, { count: 2, onStep: (progress) => done.push(progress.done) })
    expect(done).toEqual(range(steps + 1, (i) => i))
    const controller = new AbortController()
    const aborting = abortingAfter(operator, 5, controller, 'stop')
    await expect(lobpcg(aborting.operator, { count: 2, signal: controller.signal })).rejects.toBe('stop')
    expect(aborting.calls()).toBe(5)
  })

  test('bad options are refused by name', async () => {
    const operator = operatorOf(randomSymmetric(4, 1))
    await expect(lobpcg(operator, { count: 5 })).rejects.toThrow('lobpcg: count is 5')
    await expect(lobpcg(operator, { count: 3, block: 2 })).rejects.toThrow('block is 2')
    await expect(lobpcg(operator, { count: 1, tolerance: 0 })).rejects.toThrow('tolerance is 0')
    await expect(lobpcg(operator, { count: 1, which: 'magnitude' as 'largest' })).rejects.toThrow(
      'which is magnitude',
    )
    const preconditioner = operatorOf(Matrix.eye(3))
    await expect(lobpcg(operator, { count: 1, preconditioner })).rejects.toThrow(
      'preconditioner is 3 by 3, expected 4 by 4',
    )
  })
})
