import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  hutchinsonTrace,
  hutchPlusPlusTrace,
  type LinearOperator,
  type SampledEstimate,
  xtrace,
} from '../../../src/linalg/index.js'
import { abortingAfter, operatorOf, randomSymmetric } from '../operators/dense.js'
import { coverage, expectNominal, spectra } from '../spectra.js'

interface Options {
  readonly seed?: number
  readonly probes?: number
  readonly block?: number
  readonly tolerance?: number
  readonly absoluteTolerance?: number
  readonly maxProbes?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: { done: number; total: number }) => void
}
type Estimator = (operator: LinearOperator, options?: Options) => Promise<SampledEstimate>
const estimators: [string, Estimator, number][] = [
  ['hutchinsonTrace', hutchinsonTrace, 1],
  ['hutchPlusPlusTrace', hutchPlusPlusTrace, 3],
  ['xtrace', xtrace, 2],
]

describe.each(estimators)('%s', (name, estimate, productsPerProbe) => {
  test.each(spectra)(
    '%s: two standard errors cover the trace in 90 to 99 percent of 200 seeds',
    async (_, a) => {
      const operator = operatorOf(a)
      expectNominal(
        await coverage((seed) => estimate(operator, { probes: 20, block: 20, seed }), a.trace()),
        0.995,
      )
    },
  )

  test('blocks change nothing, and the same seed gives the same digits', async () => {
    const operator = operatorOf(randomSymmetric(40, 3))
    const one = await estimate(operator, { probes: 10, seed: 5 })
    expect(one.products).toBe(10 * productsPerProbe)
    expect(await estimate(operator, { probes: 10, seed: 5, block: 4 })).toEqual(one)
    const other = await estimate(operator, { probes: 10, seed: 6 })
    expect(other.estimate).not.toBe(one.estimate)
  })

  test.each([
    ['relative', { tolerance: 0.05 }],
    ['absolute', { absoluteTolerance: 2 }],
  ])(
    'a %s tolerance is met by doubling, and its intervals cover the trace in 90 to 99.5 percent of 200 seeds',
    async (_, wanted) => {
      const a = randomSymmetric(60, 5).mul(0.3).add(Matrix.eye(60))
      const operator = operatorOf(a)
      const counts = new Set<number>()
      const run = async (seed: number) => {
        const result = await estimate(operator, { ...wanted, probes: 16, seed, block: 16 })
        expect(result.converged).toBe(true)
        const bound =
          'tolerance' in wanted ? wanted.tolerance * Math.abs(result.estimate) : wanted.absoluteTolerance
        expect(result.standardError).toBeLessThanOrEqual(bound)
        counts.add(result.samples.length)
        return result
      }
      expectNominal(await coverage(run, a.trace()), 0.995)
      for (const count of counts) expect([16, 32, 60, 64, 128]).toContain(count)
    },
  )

  test('a tolerance that maxProbes cannot meet is a result that says so', async () => {
    const options = { probes: 16, maxProbes: 20, tolerance: 1e-9 }
    const result = await estimate(operatorOf(randomSymmetric(60, 5)), options)
    expect(result).toMatchObject({ converged: false })
    expect(result.samples.length).toBe(20)
  })

  test('a float32 operator gives the same to float32 accuracy', async () => {
    const a = spectra[1]![1]
    const exact = await estimate(operatorOf(a), { probes: 8 })
    const single = await estimate(operatorOf(a, 'float32'), { probes: 8 })
    expect(Math.abs(single.estimate - exact.estimate)).toBeLessThan(1e-5)
  })

  test('zero and 1 by 1 are exact', async () => {
    expect(await estimate(operatorOf(Matrix.zeros(5, 5)))).toMatchObject({ estimate: 0, standardError: 0 })
    const one = await estimate(operatorOf(new Matrix([[-3]])))
    expect(one.estimate).toBeCloseTo(-3, 12)
    expect(one.standardError).toBeLessThan(1e-12)
  })

  test('progress ends at its total, and an abort stops it with the reason', async () => {
    const a = operatorOf(randomSymmetric(20, 4))
    const seen: number[][] = []
    await estimate(a, { probes: 6, block: 4, onStep: ({ done, total }) => seen.push([done, total]) })
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1])
    const controller = new AbortController()
    const { operator, calls } = abortingAfter(a, 2, controller, 'stop')
    await expect(estimate(operator, { probes: 9, signal: controller.signal })).rejects.toBe('stop')
    expect(calls()).toBe(2)
    await expect(estimate(a, { signal: AbortSignal.abort('early') })).rejects.toBe('early')
  })

  test('bad options are refused by name', async () => {
    const a = operatorOf(randomSymmetric(3, 1))
    const refused = (options: Options) => expect(estimate(a, options)).rejects
    await refused({ probes: 1 }).toThrow(`${name}: probes is 1, expected an integer >= 2`)
    await refused({ block: 0 }).toThrow('block is 0')
    await refused({ tolerance: 0 }).toThrow('tolerance is 0')
    await refused({ absoluteTolerance: Number.NaN }).toThrow('absoluteTolerance is NaN')
    await refused({ tolerance: 0.1, probes: 8 }).toThrow('probes is 8, expected an integer >= 16')
    await refused({ tolerance: 0.1, maxProbes: 8 }).toThrow('maxProbes is 8, expected an integer >= 32')
    await expect(estimate(operatorOf(Matrix.zeros(2, 3)))).rejects.toThrow('operator is 2 by 3')
  })
})

describe('hutchinsonTrace', () => {
  test('the standard error is sqrt(2 (|A|^2 - |diag A|^2) / probes)', async () => {
    const a = randomSymmetric(30, 2)
    const off = a.norm() ** 2 - a.diag().reduce((sum, x) => sum + x * x, 0)
    const { standardError } = await hutchinsonTrace(operatorOf(a), { probes: 2000, seed: 1 })
    expect(standardError / Math.sqrt((2 * off) / 2000)).toBeCloseTo(1, 1)
  })

  test('a diagonal operator is exact', async () => {
    const result = await hutchinsonTrace(operatorOf(Matrix.diag([1, 2, 4])), { probes: 5 })
    expect(result).toMatchObject({ estimate: 7, standardError: 0, products: 5, converged: true })
  })
})

describe('sketches', () => {
  const rms = async (estimate: Estimator, a: Matrix, probes: number) => {
    let squares = 0
    for (let seed = 0; seed < 40; seed++)
      squares += ((await estimate(operatorOf(a), { probes, block: probes, seed })).estimate - a.trace()) ** 2
    return Math.sqrt(squares / 40)
  }

  test.each([spectra[1]!, spectra[2]!, spectra[3]!])(
    '%s: at 36 products XTrace errs less than Hutch++, and that less than Hutchinson',
    async (_, a) => {
      const hutchinson = await rms(hutchinsonTrace, a, 36)
      const hutchPlusPlus = await rms(hutchPlusPlusTrace, a, 12)
      const x = await rms(xtrace, a, 18)
      expect(x).toBeLessThan(hutchPlusPlus)
      expect(hutchPlusPlus).toBeLessThan(hutchinson)
    },
  )

  test('a low rank is found to be exhausted, and the trace exact from then on', async () => {
    const a = Matrix.zeros(80, 80)
    a.setSubMatrix(randomSymmetric(5, 3), 20, 20)
    const x = await xtrace(operatorOf(a))
    expect(x.products).toBe(11)
    expect(Math.abs(x.estimate - a.trace())).toBeLessThan(1e-12)
    expect(x.standardError).toBeLessThan(1e-12)
    const h = await hutchPlusPlusTrace(operatorOf(a), { probes: 10 })
    expect(h.products).toBe(11 + 10)
    expect(Math.abs(h.estimate - a.trace())).toBeLessThan(1e-12)
  })

  test('as many test vectors as rows are exact, and more are not taken', async () => {
    const a = randomSymmetric(20, 8)
    const x = await xtrace(operatorOf(a), { probes: 30 })
    expect(x.products).toBe(40)
    expect(Math.abs(x.estimate - a.trace())).toBeLessThan(1e-10)
  })

  test('operators need not be symmetric: each estimate of one probe is unbiased', async () => {
    const a = randomSymmetric(40, 6).mul(0.1)
    for (let i = 0; i < 40; i++) for (let j = 0; j < i; j++) a.set(i, j, 2 * a.get(i, j))
    expectNominal(
      await coverage((seed) => xtrace(operatorOf(a), { probes: 15, block: 15, seed }), a.trace(), 100),
      1,
    )
  })

  test('a bad sketch is refused by name', async () => {
    await expect(hutchPlusPlusTrace(operatorOf(Matrix.eye(4)), { sketch: 0 })).rejects.toThrow(
      'hutchPlusPlusTrace: sketch is 0',
    )
  })
})
