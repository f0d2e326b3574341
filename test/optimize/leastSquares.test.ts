import { Matrix, QrDecomposition } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import {
  backtracking,
  dampedGaussNewton,
  damping,
  dogleg,
  gaussNewton,
  type LeastSquaresOptions,
  leastSquares,
  levenbergMarquardt,
  type MethodName,
  prepareLeastSquares,
  robustLosses,
  trustRegion,
} from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { trace } from '../../src/transforms/index.js'

type Decay = { a: Tensor; k: Tensor; c: Tensor }

/** a exp(-k t) + c at 20 points with noise. */
function decayData(seed: number, noise: number, scale = 1) {
  const random = new Random(seed)
  const t = Float64Array.from({ length: 20 }, (_, i) => i / 4)
  const errors = random.normals(20)
  const y = t.map((ti, i) => scale * (3 * Math.exp(-0.8 * ti) + 1 + noise * errors[i]!))
  const residual = ({ a, k, c }: Decay) =>
    np.subtract(np.add(np.multiply(a, np.exp(np.negative(np.multiply(k, t)))), c), y)
  return { t, y, residual }
}

const start = { a: 1, k: 0.1, c: 0 }
const names: MethodName[] = ['levenbergMarquardt', 'damped', 'gaussNewton', 'dogleg', 'trustRegionReflective']

/** The gradient of half the sum of squares by central differences of plain numbers. */
function numericGradient(f: (x: Float64Array) => number, x: Float64Array): Float64Array {
  return x.map((value, i) => {
    const h = 1e-5 * Math.max(Math.abs(value), 1e-3)
    const at = (v: number) => f(x.map((other, j) => (j === i ? v : other)))
    return (at(value + h) - at(value - h)) / (2 * h)
  })
}

describe('leastSquares', () => {
  test.each(names)('%s finds the minimum of a decay with noise', async (method) => {
    const { t, y, residual } = decayData(1, 0.05)
    const result = await leastSquares(residual, { a: 2, k: 0.5, c: 0.5 }, { method })
    expect(result.converged, result.message).toBe(true)
    const cost = ([a, k, c]: Float64Array) =>
      t.reduce((sum, ti, i) => sum + (a! * Math.exp(-k! * ti) + c! - y[i]!) ** 2 / 2, 0)
    expect(cost(result.values)).toBeCloseTo(result.value, 14)
    for (const g of numericGradient(cost, result.values)) expect(Math.abs(g)).toBeLessThan(1e-8)
    expect(result.point.a.item()).toBe(result.values[0])
    expect(result.derivatives).toBe('exact')
    expect(result.evaluations.residual).toBeGreaterThanOrEqual(result.iterations)
  })

  test('every search combines with every descent', async () => {
    const { residual } = decayData(2, 0.02)
    const reference = await leastSquares(residual, start)
    for (const descent of [gaussNewton, dampedGaussNewton, dogleg, levenbergMarquardt])
      for (const search of [trustRegion(), damping(), backtracking()]) {
        const result = await leastSquares(residual, { a: 2, k: 0.5, c: 0.5 }, { method: { descent, search } })
        expect(result.value, `${descent.name}, ${search.name}`).toBeCloseTo(reference.value, 10)
      }
  })

  test('a linear problem is solved as by a dense QR factorisation', async () => {
    const random = new Random(3)
    const a = Array.from({ length: 30 }, () => Array.from(random.normals(6)))
    const b = Array.from(random.normals(30))
    const result = await leastSquares(
      (x: Tensor) => np.subtract(np.matmul(np.asarray(a), x), b),
      new Float64Array(6),
    )
    const exact = new QrDecomposition(new Matrix(a)).solve(Matrix.columnVector(b)).to1DArray()
    exact.forEach((x, i) => {
      expect(result.values[i]).toBeCloseTo(x, 12)
    })
  })

  test.each([1e-12, 1e-6, 1e6, 1e12])('the scale of a parameter (%d) does not matter', async (scale) => {
    const { residual } = decayData(4, 0.05)
    const plain = await leastSquares(residual, start)
    const scaled = await leastSquares(
      ({ a, k, c }: Decay) => residual({ a: np.multiply(a, scale), k: np.divide(k, scale), c }),
      { a: 1 / scale, k: 0.1 * scale, c: 0 },
    )
    expect(scaled.converged).toBe(true)
    expect(scaled.values[0]! * scale).toBeCloseTo(plain.values[0]!, 10)
    expect(scaled.values[1]! / scale).toBeCloseTo(plain.values[1]!, 10)
  })

  test.each([1e-12, 1e12])('nor does that of the residuals (%d)', async (scale) => {
    const { residual } = decayData(5, 0.05, scale)
    const result = await leastSquares(residual, { a: scale, k: 0.1, c: 0 })
    const plain = await leastSquares(decayData(5, 0.05).residual, start)
    expect(result.converged).toBe(true)
    expect(result.values[1]).toBeCloseTo(plain.values[1]!, 10)
  })

  test('finite differences and given derivatives reach the same point, and the result says which', async () => {
    const { t, y, residual } = decayData(6, 0.05)
    const exact = await leastSquares(residual, start)
    const plain = ({ a, k, c }: Record<'a' | 'k' | 'c', number>) =>
      t.map((ti, i) => a * Math.exp(-k * ti) + c - y[i]!)
    const jacobian = ({ a, k }: Record<'a' | 'k' | 'c', number>) =>
      Array.from(t, (ti) => [Math.exp(-k * ti), -a * ti * Math.exp(-k * ti), 1])
    const differences = await leastSquares(plain, start, { jacobian: 'finiteDifferences' })
    const given = await leastSquares(plain, start, { jacobian })
    expect(differences.derivatives).toBe('finite differences')
    expect(given.derivatives).toBe('given')
    exact.values.forEach((x, i) => {
      expect(differences.values[i]).toBeCloseTo(x, 9)
      expect(given.values[i]).toBeCloseTo(x, 12)
    })
  })

  test('a program is a residual too', async () => {
    const f = (x: Tensor) => np.subtract(np.square(x), [4, 9])
    const { program } = trace(f, [1, 1])
    const result = await leastSquares(program, [1, 1])
    expect(Array.from(result.values)).toEqual([2, 3])
    expect(result.reason).toBe('optimal')
  })

  test('points where the residual is not finite are stepped back from', async () => {
    const result = await leastSquares((x: Tensor) => np.add(np.log(x), 5), [3])
    expect(result.values[0]).toBeCloseTo(Math.exp(-5), 14)
  })

  test('weights are those of sigma, and of a covariance', async () => {
    const { residual } = decayData(7, 0.1)
    const sigma = Float64Array.from({ length: 20 }, (_, i) => 0.5 + i / 10)
    const covariance = Array.from(sigma, (s, i) => Array.from(sigma, (_, j) => (i === j ? s * s : 0)))
    const weighted = await leastSquares((p: Decay) => np.divide(residual(p), sigma), start)
    const bySigma = await leastSquares(residual, start, { sigma })
    const byCovariance = await leastSquares(residual, start, { covariance })
    weighted.values.forEach((x, i) => {
      expect(bySigma.values[i]).toBeCloseTo(x, 12)
      expect(byCovariance.values[i]).toBeCloseTo(x, 12)
    })
  })

  test('correlated errors are whitened: the generalised least-squares solution', async () => {
    const random = new Random(8)
    const a = new Matrix(Array.from({ length: 12 }, () => Array.from(random.normals(3))))
    const b = Matrix.columnVector(Array.from(random.normals(12)))
    const root = new Matrix(Array.from({ length: 12 }, () => Array.from(random.normals(12))))
    const covariance = root.mmul(root.transpose()).add(Matrix.eye(12))
    const inverse = new QrDecomposition(covariance).solve(Matrix.eye(12))
    const normal = a.transpose().mmul(inverse).mmul(a)
    const exact = new QrDecomposition(normal).solve(a.transpose().mmul(inverse).mmul(b)).to1DArray()
    const residual = (x: Tensor) => np.subtract(np.matmul(np.asarray(a.to2DArray()), x), b.to1DArray())
    const result = await leastSquares(residual, [0, 0, 0], { covariance: covariance.to2DArray() })
    exact.forEach((x, i) => {
      expect(result.values[i]).toBeCloseTo(x, 10)
    })
  })

  const losses = ['softL1', 'huber', 'cauchy', 'arctan', 'tukey'] as const
  test.each(losses)(
    'loss %s: the gradient of the robust function vanishes despite outliers',
    async (loss) => {
      const { t, y, residual } = decayData(9, 0.05)
      y[4] = 40
      y[15] = -30
      const options: LeastSquaresOptions = { loss, lossScale: 0.2 }
      const result = await leastSquares(residual, { a: 2.5, k: 0.7, c: 0.8 }, options)
      expect(result.converged, result.message).toBe(true)
      const cost = ([a, k, c]: Float64Array) =>
        t.reduce((sum, ti, i) => {
          const z = ((a! * Math.exp(-k! * ti) + c! - y[i]!) / 0.2) ** 2
          return sum + (0.04 * robustLosses[loss].at(z)[0]) / 2
        }, 0)
      expect(cost(result.values)).toBeCloseTo(result.value, 12)
      for (const g of numericGradient(cost, result.values)) expect(Math.abs(g)).toBeLessThan(1e-6)
      expect(result.values[1]).toBeCloseTo(0.8, 0)
    },
  )

  test('derivatives of losses are those of finite differences', () => {
    for (const { at } of Object.values(robustLosses))
      for (const z of [0.01, 0.3, 0.9, 1.1, 7]) {
        const h = 1e-5
        expect((at(z + h)[0] - at(z - h)[0]) / (2 * h)).toBeCloseTo(at(z)[1], 8)
        expect((at(z + h)[1] - at(z - h)[1]) / (2 * h)).toBeCloseTo(at(z)[2], 8)
      }
  })

  test('parameters that the data do not determine are named', async () => {
    const { t, y } = decayData(10, 0.05)
    const residual = ({ a, b, c }: Record<'a' | 'b' | 'c', Tensor>) =>
      np.subtract(np.add(np.multiply(np.multiply(a, b), t), c), y)
    const result = await leastSquares(residual, { a: 1, b: 2, c: 0 })
    expect(result.converged).toBe(true)
    expect(result.undetermined).toEqual(['a', 'b'])
    expect(result.message).toMatch(/a, b .*not determined/)
  })

  test('a kink is not called a minimum', async () => {
    // The derivative is wrong on purpose: no step reduces the function although the model promises it.
    const result = await leastSquares(([x]: number[]) => [x! - 1, 0], [3], { jacobian: () => [[-1], [0]] })
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('stalled')
  })

  test('large problems run on ONNX Runtime with the same result', async () => {
    const { residual } = decayData(11, 0.05)
    const [js, onnx] = [
      await leastSquares(residual, start),
      await leastSquares(residual, start, { engine: 'onnx' }),
    ]
    onnx.values.forEach((x, i) => {
      expect(x).toBeCloseTo(js.values[i]!, 12)
    })
  })

  test('results stay as they are when their problem is solved again, or twice at once', async () => {
    const { residual } = decayData(12, 0.05)
    const problem = await prepareLeastSquares(residual, start)
    const first = await problem.solve()
    const kept = structuredClone({ values: first.values, model: first.model, state: first.state })
    const other = Float64Array.of(2, 0.5, 0.5)
    const [again, , limited] = await Promise.all([
      problem.solve(),
      problem.solve({ start: other }),
      problem.solve({ start: other, maxSteps: 2 }),
    ])
    expect({ values: first.values, model: first.model, state: first.state }).toEqual(kept)
    expect(again.history).toEqual(first.history)
    expect((await problem.solve({ start: other, maxSteps: 2 })).state).toEqual(limited.state)
  })

  test('residuals that are the parameters themselves have their errors taken into account', async () => {
    const result = await leastSquares((x: Tensor) => x, [1, 2], { sigma: 2 })
    expect(result.iterations).toBeLessThan(5)
    expect(Array.from(result.values)).toEqual([0, 0])
    expect((await leastSquares((x: Tensor) => x, [1, 2], { sigma: 2, maxSteps: 0 })).value).toBe(5 / 8)
  })
})
