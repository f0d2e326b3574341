import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import type { Step } from '../../../src/optimize/index.js'
import {
  gradientNormalizedNewton,
  gradientTest,
  limitedMemory,
  minimize,
  strongWolfe,
  trustRegion,
} from '../../../src/optimize/index.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { rosenbrock } from './functions.js'

/** Goes along a line from 0 until the search takes a place. */
async function searchLine(f: (t: number) => number, slope: (t: number) => number, options = {}) {
  const search = strongWolfe(options)
  let state = search.start(1)
  for (let tries = 1; tries < 60; tries++) {
    const { size } = state
    const step: Step = {
      move: Float64Array.of(size),
      predicted: -slope(0) * size,
      size,
      full: false,
      relative: 1,
    }
    const trial = () => ({ value: f(size), gradient: Float64Array.of(slope(size)) })
    const { accepted, state: next } = await search.update(state, step, f(0) - f(size), trial)
    if (accepted) return { t: size, tries }
    state = next
  }
  throw new Error('no place was taken')
}

const lines: [string, (t: number) => number, (t: number) => number][] = [
  ['a parabola', (t) => (t - 3) ** 2, (t) => 2 * (t - 3)],
  ['a minimum far out', (t) => (t / 1e6 - 1) ** 2, (t) => (2 * (t / 1e6 - 1)) / 1e6],
  ['a minimum close by', (t) => (1e6 * t - 1) ** 2, (t) => 2e6 * (1e6 * t - 1)],
  ['Moré and Thuente’s first function', (t) => -t / (t * t + 2), (t) => (t * t - 2) / (t * t + 2) ** 2],
  ['NaN beyond 0.01', (t) => -Math.sqrt(0.01 - t) - 20 * t, (t) => 0.5 / Math.sqrt(0.01 - t) - 20],
  ['a pole at 1', (t) => -t + 1e-3 / (1 - t), (t) => -1 + 1e-3 / (1 - t) ** 2],
  ['an infinity beyond 2', (t) => (t > 2 ? Infinity : (t - 1.9) ** 2), (t) => 2 * (t - 1.9)],
]

describe('the strong Wolfe conditions', () => {
  test.each(lines)('hold on %s', async (_, f, slope) => {
    for (const flat of [0.9, 0.1, 1e-3]) {
      const { t, tries } = await searchLine(f, slope, { slope: flat })
      expect(f(t)).toBeLessThanOrEqual(f(0) + 1e-4 * t * slope(0))
      expect(Math.abs(slope(t))).toBeLessThanOrEqual(flat * Math.abs(slope(0)))
      expect(tries).toBeLessThan(40)
    }
  })
})

describe('searches and descents', () => {
  test('combine freely', async () => {
    for (const search of [gradientTest(), trustRegion(), gradientTest({ by: 'slope', factor: 4 })]) {
      const method = { descent: gradientNormalizedNewton({ view: 'dense' }), search }
      const result = await minimize(rosenbrock, [-1.2, 1], { method })
      expect(result.converged, result.message).toBe(true)
      expect(result.method).toBe(`gradient-normalised Newton with ${search.name}`)
      expect(result.values[0]).toBeCloseTo(1, 7)
    }
  })

  test('that do not fit are refused', async () => {
    const method = { descent: limitedMemory(), search: gradientTest() }
    await expect(minimize(rosenbrock, [-1.2, 1], { method })).rejects.toThrow(/the descent does not damp/)
  })

  test('a function that is NaN on one side of the minimum is searched on the other', async () => {
    const f = (x: Tensor) => np.sum(np.subtract(np.exp(x), np.multiply(3, np.sqrt(np.subtract(x, 1)))))
    for (const method of [
      'lbfgs',
      'conjugateGradient',
      'newton',
      'trustRegionNewton',
      'nelderMead',
    ] as const) {
      const { values, converged } = await minimize(f, [8, 1.001], { method })
      expect(converged).toBe(true)
      for (const x of values) expect(Math.exp(x) - 1.5 / Math.sqrt(x - 1)).toBeCloseTo(0, 4)
    }
  })
})
