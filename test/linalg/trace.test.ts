import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { hutchinsonTrace } from '../../src/linalg/index.js'
import { abortingAfter, operatorOf, randomSymmetric } from './dense.js'

describe('hutchinsonTrace', () => {
  test('two standard errors cover the trace in 90 to 99 % of 200 seeds', async () => {
    const a = randomSymmetric(30, 1)
    let covered = 0
    for (let seed = 0; seed < 200; seed++) {
      const { estimate, standardError } = await hutchinsonTrace(operatorOf(a), { probes: 40, seed })
      if (Math.abs(estimate - a.trace()) <= 2 * standardError) covered++
    }
    expect(covered).toBeGreaterThanOrEqual(180)
    expect(covered).toBeLessThanOrEqual(198)
  })

  test('the standard error is sqrt(2 (|A|^2 - |diag A|^2) / probes)', async () => {
    const a = randomSymmetric(30, 2)
    const off = a.norm() ** 2 - a.diag().reduce((sum, x) => sum + x * x, 0)
    const { standardError } = await hutchinsonTrace(operatorOf(a), { probes: 2000, seed: 1 })
    expect(standardError / Math.sqrt((2 * off) / 2000)).toBeCloseTo(1, 1)
  })

  test('a diagonal operator, and 1 by 1, is exact', async () => {
    const result = await hutchinsonTrace(operatorOf(Matrix.diag([1, 2, 4])), { probes: 5 })
    expect(result).toMatchObject({ estimate: 7, standardError: 0, products: 5 })
    expect(await hutchinsonTrace(operatorOf(new Matrix([[-3]])))).toMatchObject({
      estimate: -3,
      standardError: 0,
    })
  })

  test('blocks change nothing, and the same seed gives the same digits', async () => {
    const operator = operatorOf(randomSymmetric(20, 3))
    const one = await hutchinsonTrace(operator, { probes: 10, seed: 5 })
    const blocks = await hutchinsonTrace(operator, { probes: 10, seed: 5, block: 4 })
    expect(blocks).toEqual(one)
    const other = await hutchinsonTrace(operator, { probes: 10, seed: 6 })
    expect(other.estimate).not.toBe(one.estimate)
  })

  test('progress shows estimate and error, and an abort stops it with the reason', async () => {
    const a = operatorOf(randomSymmetric(10, 4))
    const seen: number[] = []
    await hutchinsonTrace(a, { probes: 6, block: 4, onStep: ({ done, total }) => seen.push(done, total) })
    expect(seen).toEqual([4, 6, 6, 6])
    const controller = new AbortController()
    const { operator, calls } = abortingAfter(a, 2, controller, 'stop')
    await expect(hutchinsonTrace(operator, { probes: 9, signal: controller.signal })).rejects.toBe('stop')
    expect(calls()).toBe(2)
    await expect(hutchinsonTrace(a, { signal: AbortSignal.abort('early') })).rejects.toBe('early')
  })

  test('bad options are refused by name', async () => {
    const a = operatorOf(randomSymmetric(3, 1))
    await expect(hutchinsonTrace(a, { probes: 1 })).rejects.toThrow(
      'hutchinsonTrace: probes is 1, expected an integer >= 2',
    )
    await expect(hutchinsonTrace(a, { block: 0 })).rejects.toThrow('block is 0')
    await expect(hutchinsonTrace(operatorOf(Matrix.zeros(2, 3)))).rejects.toThrow('operator is 2 by 3')
  })
})
