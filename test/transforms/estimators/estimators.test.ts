import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/random.js'
import * as np from '../../../src/numpy/index.js'
import { forecast } from '../../../src/program/forecast.js'
import { Tensor, tensor } from '../../../src/tensor/tensor.js'
import {
  fewBitActivation,
  finiteDifference,
  forwardGradient,
  grad,
  hessian,
  localPolynomial,
  nearestNeighbourGradient,
  optimalLevels,
  trace,
  vmap,
} from '../../../src/transforms/index.js'
import { linearizeProgram } from '../../../src/transforms/linearize.js'
import { expectClose, randomLike } from '../../helpers/derivatives.js'

const seed = 21
const vector = (n: number, from = seed) => randomLike(new Tensor(new Float64Array(n)), from)
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((s, x, i) => s + x * b[i]!, 0)

describe(`forward gradients, seed ${seed}`, () => {
  const f = (x: Tensor) => np.sum(np.sin(np.multiply(x, x)))
  const x = vector(6)
  const g = grad(f)(x).data

  /** Mean of estimates with the largest deviation in standard errors, and the mean squared error. */
  function statistics(estimate: (x: Tensor) => Tensor, calls: number, of = g) {
    const sums = new Float64Array(of.length)
    const squares = new Float64Array(of.length)
    let total = 0
    for (let k = 0; k < calls; k++) {
      estimate(x).data.forEach((value, i) => {
        sums[i]! += value
        squares[i]! += value * value
        total += (value - of[i]!) ** 2
      })
    }
    const deviations = Array.from(sums, (sum, i) => {
      const mean = sum / calls
      const error = Math.sqrt((squares[i]! / calls - mean * mean) / calls) + 1e-12
      return Math.abs(mean - of[i]!) / error
    })
    return { deviation: Math.max(...deviations), squaredError: total / calls }
  }

  test('are unbiased, with the stated variance', () => {
    for (const samples of [1, 4]) {
      const { deviation, squaredError } = statistics(forwardGradient(f, { samples, seed }), 1500)
      expect(deviation).toBeLessThan(4)
      const stated = (7 * dot(g, g)) / samples
      expect(Math.abs(squaredError / stated - 1)).toBeLessThan(0.2)
    }
  })

  test('with guesses are unbiased, and exact in their span', () => {
    const guesses = [vector(6, 3), vector(6, 4)]
    const estimate = forwardGradient(f, { samples: 1, seed, guesses })
    const { deviation, squaredError } = statistics(estimate, 1500)
    expect(deviation).toBeLessThan(4)
    const projection = forwardGradient(f, { samples: 0, guesses })(x).data
    const rest = Float64Array.from(g, (value, i) => value - projection[i]!)
    for (const guess of guesses) expect(Math.abs(dot(rest, guess.data))).toBeLessThan(1e-12)
    expect(Math.abs(squaredError / (5 * dot(rest, rest)) - 1)).toBeLessThan(0.2)
    expectClose(forwardGradient(f, { samples: 2, seed, guesses: [tensor([...g])] })(x), g, 1e-12)
  })

  test('take trees and further arguments, draw anew at every call, and repeat from a seed', () => {
    const loss = (p: { w: Tensor; b: Tensor }, y: Tensor) =>
      np.sum(np.square(np.subtract(np.multiply(p.w, p.b), y)))
    const p = { w: vector(3), b: tensor(0.5) }
    const make = () => forwardGradient(loss, { samples: 2, seed: 4 })
    const [a, b] = [make(), make()]
    const [first, second] = [a(p, vector(3, 2)), a(p, vector(3, 2))]
    expect(first.w.shape).toEqual([3])
    expect(first.w.data).not.toEqual(second.w.data)
    expect(b(p, vector(3, 2)).w.data).toEqual(first.w.data)
    expect(() => forwardGradient(f, { samples: 0 })).toThrow(/expected at least one of them/)
    expect(() => forwardGradient((x: Tensor) => np.sin(x))(x)).toThrow(/expected one float number/)
  })
})

describe('finite differences', () => {
  test('of plain JavaScript functions reach ten digits, with an honest error', () => {
    const plain = (x: Tensor) => tensor(Math.exp(Math.sin(3 * x.item())))
    for (const x of [0.3, -2, 40]) {
      const [s, c, e] = [Math.sin(3 * x), Math.cos(3 * x), Math.exp(Math.sin(3 * x))]
      const truth = [3 * c * e, 9 * (c * c - s) * e, 27 * c * (c * c - 3 * s - 1) * e]
      truth.forEach((expected, k) => {
        const { value, error } = finiteDifference(plain, { order: k + 1 })(x)
        const off = Math.abs(value.item() - expected)
        expect(off).toBeLessThan([1e-9, 1e-7, 1e-4][k]! * Math.max(1, Math.abs(expected)))
        expect(off).toBeLessThan(20 * error.item() + 1e-12)
      })
    }
  })

  test('go along directions of trees, with results of any shape and functions near their edges', () => {
    const f = (t: { a: Tensor; b: Tensor }) => np.multiply(np.log(t.a), t.b)
    const { value } = finiteDifference(f)({ a: [0.01, 2], b: [3, 4] }, { a: [1, 0], b: [0, 1] })
    expectClose(value, [300, Math.log(2)], 1e-8)
    expectClose(
      finiteDifference((x: Tensor) => np.power(x, 3), { step: 0.5 })(2).value,
      [12.25 - 0.1875],
      1e-12,
    )
    expect(() => finiteDifference(f, { order: 0 })).toThrow(/order is 0/)
    expect(() =>
      finiteDifference((x: Tensor) => x)(new Tensor(Float32Array.of(1)), new Tensor(Float32Array.of(1))),
    ).toThrow(/float64/)
  })
})

describe(`fits to samples, seed ${seed}`, () => {
  const random = new Random(seed)
  const points = new Tensor(
    Float64Array.from({ length: 800 }, () => 2 * random.uniform() - 1),
    [400, 2],
  )
  const sampled = (f: (x: number, y: number) => number, noise = 0) =>
    tensor(
      Array.from(
        { length: 400 },
        (_, i) => f(points.data[2 * i]!, points.data[2 * i + 1]!) + noise * random.normal(),
      ),
    )

  test('are exact for polynomials of their degree', () => {
    const linear = nearestNeighbourGradient(
      points,
      sampled((x, y) => 3 * x - 2 * y + 1),
    )
    expectClose(linear([0.2, -0.3]), [3, -2], 1e-9)
    const { value, gradient, hessian } = localPolynomial(
      points,
      sampled((x, y) => 1 + x - x * x + 3 * x * y + 2 * y * y),
      { degree: 2 },
    )([0.1, 0.4])
    expect(value).toBeCloseTo(1 + 0.1 - 0.01 + 0.12 + 0.32, 10)
    expectClose(gradient, [1 - 0.2 + 1.2, 0.3 + 1.6], 1e-9)
    expectClose(hessian, [-2, 3, 3, 4], 1e-7)
  })

  test('find gradients of a smooth field, and smooth noise that nearest neighbours amplify', () => {
    const field = (x: number, y: number) => Math.sin(2 * x) * Math.cos(y)
    const truth = (x: number, y: number) => [
      2 * Math.cos(2 * x) * Math.cos(y),
      -Math.sin(2 * x) * Math.sin(y),
    ]
    const queries = Array.from({ length: 40 }, () => [
      1.4 * random.uniform() - 0.7,
      1.4 * random.uniform() - 0.7,
    ])
    const rms = (gradient: (at: number[]) => Tensor) =>
      Math.sqrt(
        queries.reduce((sum, at) => {
          const [gx, gy] = gradient(at).data as unknown as [number, number]
          const [tx, ty] = truth(at[0]!, at[1]!) as [number, number]
          return sum + (gx - tx) ** 2 + (gy - ty) ** 2
        }, 0) / 40,
      )
    const clean = sampled(field)
    expect(rms((at) => localPolynomial(points, clean, { degree: 2 })(at).gradient)).toBeLessThan(0.03)
    expect(rms(nearestNeighbourGradient(points, clean, { neighbours: 6 }))).toBeLessThan(0.2)
    const noisy = sampled(field, 0.05)
    const smooth = rms((at) => localPolynomial(points, noisy, { degree: 2, neighbours: 80 })(at).gradient)
    expect(smooth).toBeLessThan(0.25)
    expect(smooth).toBeLessThan(0.3 * rms(nearestNeighbourGradient(points, noisy, { neighbours: 6 })))
  })

  test('leave directions without samples alone and refuse too few', () => {
    const line = tensor([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
    ])
    expectClose(nearestNeighbourGradient(line, [1, 3, 5, 7])([1.2, 0]), [2, 0], 1e-12)
    expect(() => localPolynomial(line, [1, 2, 3, 4], { degree: 2 })).toThrow(
      /4 neighbours of 4 samples, expected 6/,
    )
    expect(() => localPolynomial(line, [1, 2])).toThrow(/expected \[n,d\] and \[n\]/)
  })
})

describe(`few-bit activations, seed ${seed}`, () => {
  const gelu = (x: Tensor) => np.multiply(x, np.multiply(0.5, np.add(1, np.erf(np.divide(x, Math.SQRT2)))))

  test('levels are optimal: no choice of boundaries on the grid is better, and those of a step are the step', () => {
    const slope = (x: Float64Array) => x.map((v) => 1 / (1 + Math.exp(-2 * v)))
    const options = { range: [-3, 3] as const }
    const best = optimalLevels(slope, 3, options)
    const grid = Float64Array.from({ length: 600 }, (_, i) => -3 + (i + 0.5) / 100)
    const w = grid.map((x) => Math.exp((-x * x) / 2))
    const s = slope(grid)
    const errorOf = (cuts: number[]) => {
      let error = 0
      for (let p = 0; p < cuts.length - 1; p++) {
        let [sw, sws] = [0, 0]
        for (let i = cuts[p]!; i < cuts[p + 1]!; i++) {
          sw += w[i]!
          sws += w[i]! * s[i]!
        }
        for (let i = cuts[p]!; i < cuts[p + 1]!; i++) error += w[i]! * (s[i]! - sws / sw) ** 2
      }
      return error / w.reduce((a, b) => a + b)
    }
    const cuts = [0, ...Array.from(best.boundaries, (b) => Math.round((b + 3) * 100)), 600]
    expect(errorOf(cuts)).toBeCloseTo(best.error, 12)
    let least = Number.POSITIVE_INFINITY
    for (let a = 10; a < 590; a += 10)
      for (let b = a + 10; b < 600; b += 10) least = Math.min(least, errorOf([0, a, b, 600]))
    expect(best.error).toBeLessThanOrEqual(least)
    const step = optimalLevels((x) => x.map((v) => Number(v > 0)), 2, options)
    expect([step.boundaries[0], ...step.levels, step.error].map((v) => Math.abs(v!).toFixed(9))).toEqual([
      '0.000000000',
      '0.000000000',
      '1.000000000',
      '0.000000000',
    ])
  })

  test('give exact values, gradients that improve with the bits, and relu exactly with one', () => {
    const x = vector(200)
    const loss = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
      np.sum(np.multiply(f(np.multiply(x, 2)), vector(200, 5)))
    const exact = grad(loss(gelu))(x).data
    let before = Number.POSITIVE_INFINITY
    for (const bits of [1, 2, 3, 4, 6]) {
      const f = fewBitActivation(gelu, { bits })
      expectClose(f(x), gelu(x).data, 1e-15)
      const got = grad(loss(f))(x).data
      const error = Math.sqrt(
        dot(
          got.map((g, i) => g - exact[i]!),
          got.map((g, i) => g - exact[i]!),
        ) / dot(exact, exact),
      )
      expect(error).toBeLessThan(0.7 * before)
      before = error
    }
    expect(before).toBeLessThan(0.02)
    expectClose(grad(loss(fewBitActivation(np.relu, { bits: 1 })))(x), grad(loss(np.relu))(x).data, 1e-12)
    const batch = np.reshape(x, [4, 50])
    const f = fewBitActivation(gelu)
    expectClose(
      vmap((row: Tensor) => grad((r: Tensor) => np.sum(f(r)))(row))(batch),
      grad((b: Tensor) => np.sum(f(b)))(batch).data,
      1e-14,
    )
  })

  test('store as many bits as they say', () => {
    const x = new Tensor(new Float64Array(3100))
    const residual = (f: (x: Tensor) => Tensor) => {
      const { program } = trace(f, x)
      const { primal } = linearizeProgram(program, [true])
      return primal.outputs
        .slice(1)
        .reduce((sum, y) => sum + y.shape.reduce((a, b) => a * b, 1) * (y.dtype === 'int32' ? 4 : 8), 0)
    }
    expect(residual(fewBitActivation(gelu, { bits: 1 }))).toBe(400)
    expect(residual(fewBitActivation(gelu, { bits: 2 }))).toBe(4 * Math.ceil(3100 / 15))
    expect(residual(gelu)).toBeGreaterThanOrEqual(8 * 3100)
    expect(
      forecast(
        trace(
          grad((x: Tensor) => np.sum(fewBitActivation(gelu)(x))),
          x,
        ).program,
      ).peakBytes,
    ).toBeGreaterThan(0)
    expect(() => fewBitActivation(gelu, { bits: 9 })).toThrow(/bits is 9/)
    expect(() => hessian((x: Tensor) => np.sum(fewBitActivation(gelu)(x)))(tensor([1, 2]))).not.toThrow()
  })
})
