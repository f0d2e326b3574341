import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import {
  type End,
  latinHypercube,
  minimize,
  multiStart,
  prepareLeastSquares,
} from '../../src/optimize/index.js'
import { Tensor } from '../../src/tensor/index.js'

/** (x^2 - 1)^2 + x / 4: minima near -1, which is lower, and near 1. */
const twoMinima = (x: Tensor) => np.sum(np.add(np.square(np.subtract(np.square(x), 1)), np.multiply(0.25, x)))
const solve = (start: Float64Array) => minimize(twoMinima, new Tensor(start))
const starts = latinHypercube(20, [-2], [2], 'starts')

describe('many starts', () => {
  test('find the lowest minimum, and count who reached it', async () => {
    const { best, reached, converged, failed, ends } = await multiStart(solve, starts)
    // The roots of 4 x^3 - 4 x + 1 / 4, in closed form.
    const roots = [0, 1, 2].map(
      (k) => (2 / Math.sqrt(3)) * Math.cos((Math.acos((-Math.sqrt(3) * 3) / 32) - 2 * Math.PI * k) / 3),
    )
    expect(best.values[0]).toBeCloseTo(Math.min(...roots), 10)
    const left = ends.filter(({ values }) => values[0]! < 0).length
    expect(reached).toBe(left)
    expect(reached).toBeGreaterThan(3)
    expect(reached).toBeLessThan(20)
    expect([converged, failed, ends.length]).toEqual([20, 0, 20])
  })

  test('continued after any start give the same', async () => {
    const whole = await multiStart(solve, starts.slice(0, 6))
    const seen: (readonly End[])[] = []
    await multiStart(solve, starts.slice(0, 6), { onStep: (ends) => seen.push(ends) })
    for (const ends of seen) {
      const rest = await multiStart(solve, starts.slice(0, 6), { ends: structuredClone(ends) })
      expect(rest.ends).toEqual(whole.ends)
      expect(rest.best.values).toEqual(whole.best.values)
      expect(rest.reached).toBe(whole.reached)
    }
  })

  test('count a start outside the domain as failed, and say so where all are', async () => {
    const root = await prepareLeastSquares((x: Tensor) => np.subtract(np.sqrt(x), 1), [4])
    const fit = (start: Float64Array) => root.solve({ start })
    const outside = Float64Array.of(-1)
    const { best, failed, reached } = await multiStart(fit, [outside, Float64Array.of(2)])
    expect(best.values[0]).toBeCloseTo(1, 12)
    expect([failed, reached]).toEqual([1, 1])
    await expect(multiStart(fit, [outside])).rejects.toThrow(
      /none of 1 can be started from; the first: start \[-1\]/,
    )
    await expect(multiStart(fit, [])).rejects.toThrow('starts: got none')
  })

  test('end with the signal’s reason', async () => {
    const stop = new AbortController()
    const onStep = (ends: readonly End[]) => {
      if (ends.length === 2) stop.abort(new Error('enough'))
    }
    await expect(multiStart(solve, starts, { signal: stop.signal, onStep })).rejects.toThrow('enough')
  })
})

describe('a Latin hypercube', () => {
  test('has one point in each part of each range, the same for the same seed', () => {
    const points = latinHypercube(50, [-1, 10], [1, 20], 7)
    for (const [j, low, width] of [
      [0, -1, 2],
      [1, 10, 10],
    ] as const) {
      const parts = points.map((point) => Math.floor((50 * (point[j]! - low)) / width))
      expect(parts.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, k) => k))
    }
    expect(latinHypercube(50, [-1, 10], [1, 20], 7)).toEqual(points)
    expect(latinHypercube(50, [-1, 10], [1, 20], 8)).not.toEqual(points)
  })

  test('refuses ranges without end', () => {
    expect(() => latinHypercube(3, [0], [Infinity])).toThrow('parameter 0 ranges from 0 to Infinity')
    expect(() => latinHypercube(3, [0], [1, 2])).toThrow('upper: got 2 numbers')
    expect(() => latinHypercube(0, [0], [1])).toThrow('count: got 0')
  })
})
