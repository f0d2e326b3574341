import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  type DiagonalEstimate,
  hutchinsonDiagonal,
  type LinearOperator,
  xdiag,
} from '../../../src/linalg/index.js'
import { abortingAfter, operatorOf, randomSymmetric } from '../operators/dense.js'
import { expectNominal, spectra } from '../spectra.js'

interface Options {
  readonly seed?: number
  readonly probes?: number
  readonly block?: number
  readonly tolerance?: number
  readonly signal?: AbortSignal
}
type Estimator = (operator: LinearOperator, options?: Options) => Promise<DiagonalEstimate>
const estimators: [string, Estimator, number][] = [
  ['hutchinsonDiagonal', hutchinsonDiagonal, 1],
  ['xdiag', xdiag, 2],
]

const error = ({ estimate }: DiagonalEstimate, a: Matrix) =>
  Math.hypot(...a.diag().map((x, i) => x - estimate[i]!))

describe.each(estimators)('%s', (name, estimate, productsPerProbe) => {
  test.each(spectra)(
    '%s: two standard errors cover 90 to 99.5 percent of entries over 50 seeds',
    async (_, a) => {
      let covered = 0
      for (let seed = 0; seed < 50; seed++) {
        const result = await estimate(operatorOf(a), { probes: 20, block: 20, seed })
        covered += a
          .diag()
          .filter((x, i) => Math.abs(x - result.estimate[i]!) <= 2 * result.standardError[i]!).length
      }
      expectNominal(covered / (50 * a.rows), 0.995)
    },
  )

  test('blocks change nothing, and the same seed gives the same digits', async () => {
    const operator = operatorOf(randomSymmetric(30, 3))
    const one = await estimate(operator, { probes: 10, seed: 5 })
    expect(one).toMatchObject({ probes: 10, products: 10 * productsPerProbe, converged: true })
    expect(await estimate(operator, { probes: 10, seed: 5, block: 4 })).toEqual(one)
    expect((await estimate(operator, { probes: 10, seed: 6 })).estimate).not.toEqual(one.estimate)
  })

  test('a tolerance on the length of all errors is met', async () => {
    const a = randomSymmetric(40, 5).mul(0.1).add(Matrix.eye(40))
    const result = await estimate(operatorOf(a), { tolerance: 0.05, probes: 16 })
    expect(result.converged).toBe(true)
    expect(Math.hypot(...result.standardError)).toBeLessThanOrEqual(0.05 * Math.hypot(...result.estimate))
    expect(error(result, a)).toBeLessThan(0.1 * Math.hypot(...a.diag()))
  })

  test('a diagonal of few entries, zero and 1 by 1 are exact', async () => {
    for (const a of [Matrix.diag([1, 2, 4]), Matrix.zeros(4, 4), new Matrix([[-3]])]) {
      const result = await estimate(operatorOf(a))
      expect(error(result, a)).toBeLessThan(1e-12)
      expect(Math.hypot(...result.standardError)).toBeLessThan(1e-12)
    }
  })

  test('a float32 operator gives the same to float32 accuracy', async () => {
    const a = spectra[1]![1]
    const exact = await estimate(operatorOf(a), { probes: 8 })
    const single = await estimate(operatorOf(a, 'float32'), { probes: 8 })
    single.estimate.forEach((x, i) => {
      expect(Math.abs(x - exact.estimate[i]!)).toBeLessThan(1e-5)
    })
  })

  test('an abort stops it with the reason, and bad options are refused by name', async () => {
    const a = operatorOf(randomSymmetric(10, 4))
    const controller = new AbortController()
    const { operator } = abortingAfter(a, 3, controller, 'stop')
    await expect(estimate(operator, { signal: controller.signal })).rejects.toBe('stop')
    await expect(estimate(a, { probes: 1 })).rejects.toThrow(`${name}: probes is 1`)
    await expect(estimate(operatorOf(Matrix.zeros(2, 3)))).rejects.toThrow('operator is 2 by 3')
  })
})

describe('xdiag', () => {
  test.each(spectra.slice(1, 4))('%s: at 40 products it errs less than Hutchinson', async (_, a) => {
    let x = 0
    let hutchinson = 0
    for (let seed = 0; seed < 20; seed++) {
      x += error(await xdiag(operatorOf(a), { probes: 20, seed }), a) ** 2
      hutchinson += error(await hutchinsonDiagonal(operatorOf(a), { probes: 40, seed }), a) ** 2
    }
    expect(x).toBeLessThan(hutchinson)
  })

  test('a low rank is exhausted and then exact', async () => {
    const a = Matrix.zeros(50, 50)
    a.setSubMatrix(randomSymmetric(4, 3), 20, 20)
    const result = await xdiag(operatorOf(a))
    expect(result.products).toBe(9)
    expect(error(result, a)).toBeLessThan(1e-12)
  })
})
