import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { topEigenpairs, type Which } from '../../../src/linalg/index.js'
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
  ['outliers over a bulk, n = 120', withEigenvalues([50, 20, 19, -30, ...range(116, (i) => Math.cos(i))], 2)],
  [
    'a double and a triple eigenvalue over a bulk',
    withEigenvalues([9, 9, 7, 7, 7, 5, ...range(74, (i) => i / 40)], 3),
  ],
  ['multiples of the identity', Matrix.eye(30).mul(-2)],
  ['rank 3, n = 80', withEigenvalues([3, 2, -1, ...range(77, () => 0)], 4)],
  ['rank 1 and negative', withEigenvalues([-5, ...range(19, () => 0)], 5)],
  ['zero', Matrix.zeros(10, 10)],
]

function wanted(all: readonly number[], which: Which, count: number): number[] {
  const key = { largest: (x: number) => x, smallest: (x: number) => -x, magnitude: Math.abs }[which]
  return [...all]
    .sort((a, b) => key(b) - key(a))
    .slice(0, count)
    .sort((a, b) => b - a)
}

describe('topEigenpairs', () => {
  for (const which of ['largest', 'smallest', 'magnitude'] as const)
    test.each(cases)(`%s: the 5 ${which} are those of the dense solver to 1e-10`, async (_, a) => {
      const n = a.rows
      const options = { count: 5, which, tolerance: 1e-12, maxSteps: n, seed: 1 }
      const { eigenvalues, eigenvectors, converged, reason } = await topEigenpairs(operatorOf(a), options)
      expect(converged).toBe(true)
      expect(reason).toBe('converged')
      const all = denseEigenvalues(a)
      const scale = Math.max(...all.map(Math.abs)) || 1
      const expected = wanted(all, which, 5)
      const v = new Matrix(
        Array.from({ length: 5 }, (_, i) => [...eigenvectors.data.subarray(i * n, (i + 1) * n)]),
      )
      expect(v.mmul(v.transpose()).sub(Matrix.eye(5)).norm()).toBeLessThan(1e-12)
      eigenvalues.forEach(({ value, residual }, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-10 * scale)
        const x = v.getRowVector(i).transpose()
        const rest = a.mmul(x).sub(x.mul(value)).norm()
        expect(rest).toBeLessThan(1e-11 * scale)
        expect(Math.abs(residual - rest)).toBeLessThan(1e-13 * scale)
      })
    })

  test.each([1e-200, 1e200])('units do not matter: A times %d', async (unit) => {
    const a = randomSymmetric(20, 6)
    const { eigenvalues, converged } = await topEigenpairs(operatorOf(a.clone().mul(unit)), { count: 3 })
    expect(converged).toBe(true)
    eigenvalues.forEach(({ value, residual }, i) => {
      expect(Math.abs(value / unit - denseEigenvalues(a)[i]!)).toBeLessThan(1e-10)
      expect(residual / unit).toBeLessThan(1e-5)
    })
  })

  test('copies of a repeated eigenvalue are found for 20 seeds, with a loose tolerance', async () => {
    const a = withEigenvalues([10, 10, 10, 6, ...range(196, (i) => Math.sin(i))], 7)
    for (let seed = 0; seed < 20; seed++) {
      const { eigenvalues } = await topEigenpairs(operatorOf(a), { count: 4, tolerance: 1e-4, seed })
      eigenvalues.forEach(({ value }, i) => {
        expect(Math.abs(value - [10, 10, 10, 6][i]!)).toBeLessThan(1e-3)
      })
    }
  })

  test('a single process misses copies, and says nothing of them: why findRepeated is on', async () => {
    const a = withEigenvalues([10, 10, 10, 6, ...range(196, (i) => Math.sin(i))], 7)
    const { eigenvalues } = await topEigenpairs(operatorOf(a), {
      count: 2,
      tolerance: 1e-4,
      findRepeated: false,
    })
    expect(eigenvalues[1]!.value).toBeCloseTo(6, 3)
  })

  test('1 by 1, and as many eigenpairs as rows', async () => {
    const one = await topEigenpairs(operatorOf(new Matrix([[-3]])), { count: 1 })
    expect(one.eigenvalues).toEqual([{ value: -3, residual: 0 }])
    expect(one).toMatchObject({ steps: 1, products: 2, converged: true })
    const a = randomSymmetric(6, 3)
    const all = await topEigenpairs(operatorOf(a), { count: 6, block: 4 })
    denseEigenvalues(a).forEach((value, i) => {
      expect(all.eigenvalues[i]!.value).toBeCloseTo(value, 12)
    })
  })

  test('running out of steps is a result that says so, with true residuals', async () => {
    const a = randomSymmetric(100, 4)
    const result = await topEigenpairs(operatorOf(a), { count: 3, maxSteps: 8 })
    expect(result).toMatchObject({ converged: false, reason: 'step limit', steps: 8, products: 11 })
    expect(result.message).toContain('8 steps')
    const all = denseEigenvalues(a)
    for (const { value, residual } of result.eigenvalues)
      expect(Math.min(...all.map((x) => Math.abs(x - value)))).toBeLessThanOrEqual(residual)
  })

  test('a float32 operator gives float32 accuracy, and asking for more is noticed', async () => {
    const a = withEigenvalues([8, 4, 2, ...range(57, (i) => Math.sin(i))], 8)
    const good = await topEigenpairs(operatorOf(a, 'float32'), { count: 3, tolerance: 1e-5 })
    expect(good.converged).toBe(true)
    good.eigenvalues.forEach(({ value }, i) => {
      expect(Math.abs(value - [8, 4, 2][i]!)).toBeLessThan(1e-5)
    })
    const greedy = await topEigenpairs(operatorOf(a, 'float32'), { count: 3, tolerance: 1e-12 })
    expect(greedy).toMatchObject({ converged: false, reason: 'inaccurate products' })
  })

  test('a float32 basis keeps 6 digits', async () => {
    const a = withEigenvalues([8, 4, 2, ...range(57, (i) => Math.sin(i))], 8)
    const { eigenvalues } = await topEigenpairs(operatorOf(a), { count: 3, basisDtype: 'float32' })
    eigenvalues.forEach(({ value }, i) => {
      expect(Math.abs(value - [8, 4, 2][i]!)).toBeLessThan(8e-6)
    })
  })

  test('the same seed gives the same digits, another seed the same eigenvalues', async () => {
    const a = randomSymmetric(40, 9)
    const run = (seed: number) => topEigenpairs(operatorOf(a), { count: 3, seed })
    expect(await run(1)).toEqual(await run(1))
    const [first, second] = [await run(1), await run(2)]
    expect(first.eigenvectors.data).not.toEqual(second.eigenvectors.data)
    first.eigenvalues.forEach(({ value }, i) => {
      expect(second.eigenvalues[i]!.value).toBeCloseTo(value, 6)
    })
  })

  test('progress comes once a step, and an abort stops it with the reason', async () => {
    const a = randomSymmetric(40, 9)
    let calls = 0
    const { steps } = await topEigenpairs(operatorOf(a), {
      count: 2,
      onStep: ({ done, total, eigenvalues }) => {
        calls++
        expect(done).toBeLessThanOrEqual(total)
        expect(eigenvalues.length).toBeGreaterThan(0)
      },
    })
    expect(calls).toBe(steps)
    const controller = new AbortController()
    const aborting = abortingAfter(operatorOf(a), 5, controller, 'stop')
    await expect(topEigenpairs(aborting.operator, { count: 2, signal: controller.signal })).rejects.toBe(
      'stop',
    )
    expect(aborting.calls()).toBe(5)
  })

  test('bad options are refused by name', async () => {
    const operator = operatorOf(randomSymmetric(4, 1))
    await expect(topEigenpairs(operator, { count: 5 })).rejects.toThrow(
      'topEigenpairs: count is 5, expected an integer from 1 to 4',
    )
    await expect(topEigenpairs(operator, { count: 2, maxSteps: 1 })).rejects.toThrow('maxSteps is 1')
    await expect(topEigenpairs(operator, { count: 2, tolerance: 0 })).rejects.toThrow('tolerance is 0')
    await expect(topEigenpairs(operator, { count: 2, which: 'best' as Which })).rejects.toThrow(
      'which is best',
    )
    await expect(topEigenpairs(operator, { count: 2, seed: 0.5 })).rejects.toThrow('seed is 0.5')
  })
})
