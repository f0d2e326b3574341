import { describe, expect, test } from 'vitest'
import { dot, norm } from '../../../src/linalg/vector.js'
import type { FunctionModel } from '../../../src/optimize/minimize/model.js'
import { cubicMinimum, withinSphere } from '../../../src/optimize/minimize/secular.js'
import {
  combine,
  denseSpectrum,
  krylovSpectrum,
  modelReduction,
} from '../../../src/optimize/minimize/spectrum.js'
import { uniform } from '../../helpers/random.js'

interface Matrix {
  readonly n: number
  readonly entries: Float64Array
  readonly gradient: Float64Array
}

function randomMatrix(seed: number, n: number, shift: number): Matrix {
  const random = uniform(seed)
  const entries = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const x = random() - 0.5 + (i === j ? shift : 0)
      entries[i * n + j] = x
      entries[j * n + i] = x
    }
  return { n, entries, gradient: Float64Array.from({ length: n }, () => random() - 0.5) }
}

const times = ({ n, entries }: Matrix, x: Float64Array) =>
  Float64Array.from({ length: n }, (_, i) => dot(entries.subarray(i * n, (i + 1) * n), x))

/** The shift for which (H + shift) x = -g, and how well that holds. */
function shiftOf(matrix: Matrix, x: Float64Array): { shift: number; error: number } {
  const left = times(matrix, x).map((y, i) => -(y + matrix.gradient[i]!))
  const shift = dot(left, x) / dot(x, x)
  return { shift, error: norm(left.map((y, i) => y - shift * x[i]!)) }
}

const modelOf = (matrix: Matrix): FunctionModel => ({
  value: 0,
  gradient: matrix.gradient,
  matrix: () => matrix.entries,
  product: (v) => times(matrix, v),
})

describe('the minimum of a quadratic in a sphere', () => {
  test.each([-1, 0, 2])('fulfils the conditions of Moré and Sorensen, shift %d', (offset) => {
    for (let seed = 1; seed <= 10; seed++) {
      const matrix = randomMatrix(seed, 3 + seed, offset)
      const spectrum = denseSpectrum(matrix.entries, matrix.gradient)
      for (const radius of [1e-6, 0.1, 1, 100]) {
        const { z, full } = withinSphere(spectrum, radius)
        const x = combine(spectrum, z)
        const { shift, error } = shiftOf(matrix, x)
        expect(error).toBeLessThan(1e-8 * (1 + radius))
        expect(spectrum.values[0]! + shift).toBeGreaterThan(-1e-9)
        if (full) expect(norm(x)).toBeLessThanOrEqual(radius)
        else expect(norm(x) / radius).toBeCloseTo(1, 8)
      }
    }
  })

  test('in the hard case goes along the lowest eigenvector as far as the sphere', () => {
    const matrix = { n: 2, entries: Float64Array.of(-2, 0, 0, 1), gradient: Float64Array.of(0, 0.3) }
    const spectrum = denseSpectrum(matrix.entries, matrix.gradient)
    const { z } = withinSphere(spectrum, 5)
    const x = combine(spectrum, z)
    expect(x[1]).toBeCloseTo(-0.1, 12)
    expect(norm(x)).toBeCloseTo(5, 12)
    const { z: fromSaddle } = withinSphere(denseSpectrum(matrix.entries, new Float64Array(2)), 5)
    expect(norm(fromSaddle)).toBeCloseTo(5, 12)
  })
})

describe('the minimum of a cubic model', () => {
  test('has a shift of weight |z|, whatever the signs of the curvature', () => {
    for (let seed = 1; seed <= 10; seed++)
      for (const weight of [1e-3, 1, 1e4]) {
        const matrix = randomMatrix(seed, 4, seed % 2 ? -1 : 1)
        const spectrum = denseSpectrum(matrix.entries, matrix.gradient)
        const x = combine(spectrum, cubicMinimum(spectrum, weight))
        const { shift, error } = shiftOf(matrix, x)
        expect(error).toBeLessThan(1e-8 * (1 + norm(x)))
        expect(shift / (weight * norm(x))).toBeCloseTo(1, 6)
        expect(spectrum.values[0]! + shift).toBeGreaterThan(-1e-9)
      }
  })
})

describe('a Krylov space', () => {
  test('of full dimension gives the step of the whole matrix', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const matrix = randomMatrix(seed, 8, 3)
      const krylov = await krylovSpectrum(modelOf(matrix), { accuracy: 1e-13 })
      const dense = denseSpectrum(matrix.entries, matrix.gradient)
      const [a, b] = [krylov, dense].map((s) => combine(s, withinSphere(s, 0.1).z)) as [
        Float64Array,
        Float64Array,
      ]
      a.forEach((x, i) => {
        expect(x).toBeCloseTo(b[i]!, 9)
      })
    }
  })

  test('with negative curvature promises nearly as much as the whole matrix', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const matrix = randomMatrix(seed, 40, -1)
      const krylov = await krylovSpectrum(modelOf(matrix))
      expect(krylov.values.length).toBeLessThan(20)
      const dense = denseSpectrum(matrix.entries, matrix.gradient)
      const [part, whole] = [krylov, dense].map((s) => modelReduction(s, withinSphere(s, 1).z)) as [
        number,
        number,
      ]
      expect(part).toBeGreaterThan(0.7 * whole)
      expect(part).toBeLessThanOrEqual(whole * (1 + 1e-12))
    }
  })

  test('stops where Newton’s equation holds to the accuracy asked for', async () => {
    const matrix = randomMatrix(3, 60, 20)
    const model = modelOf(matrix)
    let products = 0
    const product = (v: Float64Array) => {
      products++
      return model.product(v)
    }
    const spectrum = await krylovSpectrum({ ...model, product }, { accuracy: 1e-2 })
    const { z, full } = withinSphere(spectrum, Infinity)
    expect(full).toBe(true)
    const residual = times(matrix, combine(spectrum, z)).map((y, i) => y + matrix.gradient[i]!)
    expect(norm(residual)).toBeLessThan(1.01e-2 * norm(matrix.gradient))
    expect(products).toBeLessThan(10)
    expect(modelReduction(spectrum, z)).toBeGreaterThan(0)
  })
})
