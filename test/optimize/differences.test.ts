import { describe, expect, test } from 'vitest'
import { differenceColumns } from '../../src/optimize/leastSquares/residuals/differences.js'

const f = ([a, b]: Float64Array) => Float64Array.of(Math.exp(a!) * b!, Math.sin(a! * b!), b! * b!)
const exact = ([a, b]: Float64Array) => [
  Math.exp(a!) * b!,
  b! * Math.cos(a! * b!),
  0,
  Math.exp(a!),
  a! * Math.cos(a! * b!),
  2 * b!,
]
const free = { lower: Float64Array.of(-Infinity, -Infinity), upper: Float64Array.of(Infinity, Infinity) }

function expectDigits(x: Float64Array, ends: typeof free, digits: number) {
  const columns = differenceColumns(f, x, ends)
  exact(x).forEach((d, i) => {
    expect(columns[i]).toBeCloseTo(d, digits)
  })
}

describe('differenceColumns', () => {
  test('has 10 digits of the exact derivative', () => {
    expectDigits(Float64Array.of(0.7, 1.3), free, 10)
    expectDigits(Float64Array.of(0, -2), free, 10)
  })

  test('is one-sided on a bound and never leaves the box', () => {
    const ends = { lower: Float64Array.of(0.7, 0), upper: Float64Array.of(5, 1.3) }
    const guarded = (x: Float64Array) => {
      x.forEach((v, j) => {
        expect(v).toBeGreaterThanOrEqual(ends.lower[j]!)
        expect(v).toBeLessThanOrEqual(ends.upper[j]!)
      })
      return f(x)
    }
    differenceColumns(guarded, Float64Array.of(0.7, 1.3), ends)
    expectDigits(Float64Array.of(0.7, 1.3), ends, 8)
  })

  test('shortens its steps where the function turns quickly', () => {
    const x = Float64Array.of(1)
    const quick = ([a]: Float64Array) => Float64Array.of(Math.sin(3000 * a!))
    const [derivative] = differenceColumns(quick, x, {
      lower: Float64Array.of(-9),
      upper: Float64Array.of(9),
    })
    expect(derivative! / (3000 * Math.cos(3000))).toBeCloseTo(1, 8)
  })
})
