import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  frobeniusNorm,
  logDeterminant,
  type QuadratureCheckpoint,
  spectralDensity,
  traceOfFunction,
} from '../../../src/linalg/index.js'
import { meanAndError } from '../../../src/linalg/stochastic/estimator.js'
import {
  abortingAfter,
  denseEigenvalues,
  operatorOf,
  randomSymmetric,
  withEigenvalues,
} from '../operators/dense.js'
import { coverage, expectNominal, spectra } from '../spectra.js'

const sum = (values: readonly number[], f: (x: number) => number) => values.reduce((s, x) => s + f(x), 0)
const positive = withEigenvalues(
  Array.from({ length: 40 }, (_, i) => 0.1 + (i % 7) + 50 * Number(i === 0)),
  1,
)

describe('frobeniusNorm', () => {
  test.each(spectra)(
    '%s: two standard errors cover the norm in 90 to 99 percent of 200 seeds',
    async (_, a) => {
      const run = (seed: number) => frobeniusNorm(operatorOf(a), { probes: 30, block: 30, seed })
      expectNominal(await coverage(run, a.norm()))
    },
  )

  test('the mean of the samples is the square, unbiased; zero is exact', async () => {
    const a = randomSymmetric(30, 2)
    const many = await frobeniusNorm(operatorOf(a), { probes: 3000, block: 100 })
    const square = meanAndError(many.samples)
    expect(Math.abs(square.estimate - a.norm() ** 2)).toBeLessThan(3 * square.standardError)
    expect(many.estimate).toBe(Math.sqrt(square.estimate))
    expect(await frobeniusNorm(operatorOf(Matrix.zeros(3, 3)))).toMatchObject({
      estimate: 0,
      standardError: 0,
    })
  })

  test('a tolerance is of the norm', async () => {
    const run = await frobeniusNorm(operatorOf(randomSymmetric(30, 2)), { tolerance: 0.01 })
    expect(run.converged).toBe(true)
    expect(run.standardError).toBeLessThanOrEqual(0.01 * run.estimate)
    expect(run.standardError).toBeGreaterThan(0.004 * run.estimate)
  })

  test('an abort stops it, and bad options are refused by name', async () => {
    const controller = new AbortController()
    const { operator } = abortingAfter(operatorOf(positive), 3, controller, 'stop')
    await expect(frobeniusNorm(operator, { signal: controller.signal })).rejects.toBe('stop')
    await expect(frobeniusNorm(operatorOf(positive), { probes: 1 })).rejects.toThrow(
      'frobeniusNorm: probes is 1',
    )
  })
})

describe('traceOfFunction', () => {
  test.each([
    ['exp', randomSymmetric(40, 3).mul(0.1), Math.exp],
    ['1 / x', positive, (x: number) => 1 / x],
  ] as [string, Matrix, (x: number) => number][])(
    '%s: two standard errors cover the trace in 90 to 99 percent of 200 seeds',
    async (_, a, f) => {
      const truth = sum(denseEigenvalues(a), f)
      const run = (seed: number) =>
        traceOfFunction(operatorOf(a), f, { probes: 20, block: 20, steps: 10, seed })
      expectNominal(await coverage(run, truth))
    },
  )

  test('polynomials below twice the steps have no quadrature error: each sample is z^T f(A) z', async () => {
    const a = randomSymmetric(12, 5)
    const coarse = await traceOfFunction(operatorOf(a), (x) => x ** 3, { probes: 4, steps: 2 })
    const fine = await traceOfFunction(operatorOf(a), (x) => x ** 3, { probes: 4, steps: 12 })
    coarse.samples.forEach((sample, i) => {
      expect(sample).toBeCloseTo(fine.samples[i]!, 9)
    })
    expect(coarse.products).toBe(8)
    expect(Math.abs(fine.quadratureChange)).toBeLessThan(1e-9)
    expect(Math.abs(coarse.quadratureChange)).toBeGreaterThan(1e-3)
  })

  test('the change from half the steps shows where the quadrature is still wrong', async () => {
    const a = withEigenvalues(
      Array.from({ length: 80 }, (_, i) => 1e-4 + i),
      6,
    )
    const f = (x: number) => Math.log(x)
    const truth = sum(denseEigenvalues(a), f)
    const few = await traceOfFunction(operatorOf(a), f, { probes: 60, block: 60, steps: 8 })
    expect(Math.abs(few.quadratureChange)).toBeGreaterThan(few.standardError)
    const all = await traceOfFunction(operatorOf(a), f, { probes: 60, block: 60, steps: 80 })
    expect(Math.abs(all.estimate - truth)).toBeLessThan(3 * all.standardError)
  })

  test('a function that is not finite on the spectrum is named', async () => {
    await expect(traceOfFunction(operatorOf(Matrix.diag([0, 1])), (x) => 1 / (x - 1))).rejects.toThrow(
      'traceOfFunction: f is',
    )
  })
})

describe('logDeterminant', () => {
  test('two standard errors cover the dense value in 90 to 99 percent of 200 seeds', async () => {
    const truth = sum(denseEigenvalues(positive), (x) => Math.log(x + 0.5))
    const run = (seed: number) =>
      logDeterminant(operatorOf(positive), { shift: 0.5, probes: 20, block: 20, steps: 12, seed })
    expectNominal(await coverage(run, truth))
  })

  test('a tolerance is met, and blocks and seeds are as everywhere', async () => {
    const one = await logDeterminant(operatorOf(positive), { steps: 20, tolerance: 0.02, probes: 16 })
    expect(one.converged).toBe(true)
    expect(one.standardError).toBeLessThanOrEqual(0.02 * Math.abs(one.estimate))
    const options = { steps: 20, probes: 6, seed: 2 }
    const single = await logDeterminant(operatorOf(positive), options)
    expect(await logDeterminant(operatorOf(positive), { ...options, block: 4 })).toEqual(single)
  })

  test('multiples of the identity are exact after one step of each probe', async () => {
    const result = await logDeterminant(operatorOf(Matrix.eye(20).mul(3), 'float32'), { probes: 2 })
    expect(result.products).toBe(2)
    expect(result.estimate).toBeCloseTo(20 * Math.log(3), 5)
  })

  test('it continues from the quadrature of a density without a further product', async () => {
    let checkpoint: QuadratureCheckpoint | undefined
    const common = { probes: 6, steps: 20, seed: 3 }
    const density = await spectralDensity(operatorOf(positive), {
      ...common,
      onCheckpoint: (state) => {
        checkpoint = state
      },
    })
    const continued = await logDeterminant(operatorOf(positive), { ...common, checkpoint })
    expect(continued.products).toBe(density.products)
    expect(continued).toEqual(await logDeterminant(operatorOf(positive), common))
  })

  test('an abort stops it; an indefinite operator and bad options are refused by name', async () => {
    const controller = new AbortController()
    const { operator } = abortingAfter(operatorOf(positive), 3, controller, 'stop')
    await expect(logDeterminant(operator, { signal: controller.signal })).rejects.toBe('stop')
    const indefinite = operatorOf(randomSymmetric(10, 1))
    await expect(logDeterminant(indefinite)).rejects.toThrow('expected all above 0; use a shift')
    await expect(logDeterminant(indefinite, { shift: Number.NaN })).rejects.toThrow('shift is NaN')
    await expect(logDeterminant(indefinite, { steps: 0 })).rejects.toThrow('logDeterminant: steps is 0')
  })
})
