import { describe, expect, test } from 'vitest'
import {
  type Descent,
  frobeniusLimit,
  learningRateLimit,
  sharpnessLimit,
  stabilityThreshold,
  traceLimit,
} from '../../../src/curvature/index.js'

/** |x| after many steps of the method on curvature x^2 / 2 from x = 1, at rest. */
function distance({ method, momentum = 0 }: Descent, rate: number, curvature: number): number {
  let [x, last] = [1, 1]
  for (let step = 0; step < 3000; step++) {
    const ahead = method === 'nesterov' ? x + momentum * (x - last) : x
    const next = x - rate * curvature * ahead + momentum * (x - last)
    last = x
    x = next
  }
  return Math.abs(x)
}

const methods: Descent[] = [
  {},
  { method: 'heavy ball', momentum: 0.5 },
  { method: 'heavy ball', momentum: 0.9 },
  { method: 'nesterov', momentum: 0.5 },
  { method: 'nesterov', momentum: 0.9 },
  { method: 'nesterov', momentum: 0 },
]

describe('thresholds', () => {
  test.each(methods)('%j converges just below its threshold and diverges just above', (descent) => {
    const rate = 0.1
    const limit = sharpnessLimit(rate, descent)
    expect(distance(descent, rate, 0.98 * limit)).toBeLessThan(1e-3)
    expect(distance(descent, rate, 1.02 * limit)).toBeGreaterThan(1e3)
    expect(learningRateLimit(limit, descent)).toBeCloseTo(rate, 12)
  })

  test('trace and norm have limits that fall with the learning rate', () => {
    expect(traceLimit(0.1)).toBeCloseTo(20, 12)
    expect(frobeniusLimit(0.1, 16)).toBeCloseTo(40, 12)
  })

  test('where nothing curves upwards every learning rate is stable', () => {
    expect(learningRateLimit(0)).toBe(Number.POSITIVE_INFINITY)
    expect(learningRateLimit(-1)).toBe(Number.POSITIVE_INFINITY)
  })

  test('bad steps are named', () => {
    expect(() => stabilityThreshold({ method: 'heavy ball', momentum: 1 })).toThrow(
      'momentum is 1, expected a number in [0, 1)',
    )
    expect(() => stabilityThreshold({ momentum: 0.9 })).toThrow('gradient descent has no momentum, got 0.9')
    expect(() => sharpnessLimit(0)).toThrow('learningRate is 0')
    expect(() => frobeniusLimit(0.1, 0.5)).toThrow('batch is 0.5')
  })
})
