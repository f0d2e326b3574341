import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import { dot, norm } from '../../../src/linalg/vector.js'
import * as np from '../../../src/numpy/index.js'
import { leastSquares, standardErrors } from '../../../src/optimize/index.js'
import { stepInside } from '../../../src/optimize/leastSquares/bounds/stepInside.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { banded, chain, distance } from './chains.js'

type Bounds = readonly [lower: Float64Array, upper: Float64Array]

/** Boxes of random ends around 0, some of them open, and a start inside. */
function randomBox(n: number, seed: number): { readonly bounds: Bounds; readonly start: Float64Array } {
  const random = new Random(seed)
  const ends = () => random.normals(n).map((x) => (Math.abs(x) > 1.5 ? Infinity : 0.02 + Math.abs(x) / 3))
  const bounds = [ends().map((x) => -x), ends()] as const
  const start = bounds[0].map((low, j) => (Math.max(low, -1) + Math.min(bounds[1][j]!, 1)) / 2)
  return { bounds, start }
}

const atBounds = (x: Float64Array, [lower, upper]: Bounds) =>
  [...x.keys()].filter((j) => Math.min(x[j]! - lower[j]!, upper[j]! - x[j]!) < 1e-7)

/** max_j min(|g_j|, room_j): 0 at a minimum within bounds. */
function projectedGradient(gradient: Float64Array, x: Float64Array, [lower, upper]: Bounds): number {
  return gradient.reduce((most, g, j) => {
    const room = g > 0 ? x[j]! - lower[j]! : upper[j]! - x[j]!
    return Math.max(most, Math.min(Math.abs(g), room))
  }, 0)
}

/** The gradient of half the sum of squares of a traced residual, by its dense Jacobian. */
async function gradientAt(residual: (x: Tensor) => Tensor, x: Float64Array) {
  const { model } = await leastSquares(residual, x, { jacobian: 'dense', maxSteps: 0 })
  return model.gradient
}

const problems = { banded: (seed: number) => banded(30, seed), chain: (seed: number) => chain(30, seed) }
const cases = ['sparse', 'matrixFree'].flatMap((jacobian) =>
  Object.keys(problems).flatMap((name) =>
    [1, 2, 3, 4, 5, 6].map((seed) => [jacobian, name, seed] as ['sparse', 'banded', number]),
  ),
)

describe('what replaces a step that leaves the box', () => {
  test('stays in the box and in the region, and promises what the model says, no less than the step cut short', async () => {
    let [left, mended] = [0, 0]
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed)
      const [n, m] = [4, 6]
      const [a, gradient, z] = [random.normals(m * n), random.normals(n), random.normals(n)]
      const image = (v: Float64Array) => np.matmul(np.reshape(a, [m, n]), v).data as Float64Array
      const promised = (v: Float64Array) => -dot(gradient, v) - dot(image(v), image(v)) / 2
      const unit = random.normals(n).map((u) => 0.1 + Math.abs(u))
      const { bounds, start: point } = randomBox(n, seed)
      const box = { lower: bounds[0], upper: bounds[1] }
      const radius = norm(z)
      const step = await stepInside({ gradient, image }, { point, unit, box, radius, optimality: 0.5 }, z)
      const end = (v: Float64Array) => point.map((x, j) => x + v[j]! / unit[j]!)
      const isInside = (x: Float64Array) => x.every((xj, j) => xj >= bounds[0][j]! && xj <= bounds[1][j]!)
      expect(step === undefined).toBe(isInside(end(z)))
      if (!step) continue
      left++
      expect(isInside(end(step.z))).toBe(true)
      expect(norm(step.z)).toBeLessThan(radius * (1 + 1e-12))
      expect(step.predicted).toBeCloseTo(promised(step.z), 10)
      let part = 1
      while (!isInside(end(z.map((x) => part * x)))) part -= 1e-4
      const cut = promised(z.map((x) => 0.995 * part * x))
      expect(step.predicted).toBeGreaterThan(cut - 1e-3)
      if (step.predicted > cut + 1e-3) mended++
    }
    expect(left).toBeGreaterThan(100)
    expect(mended).toBeGreaterThan(20)
  })
})

describe('leastSquares within bounds', () => {
  test.each(cases)('%s ends where the dense method does (%s, seed %i)', async (jacobian, name, seed) => {
    const { residual } = problems[name](seed)
    const { bounds, start } = randomBox(30, seed)
    const dense = await leastSquares(residual, start, { jacobian: 'dense', bounds })
    const result = await leastSquares(residual, start, { jacobian, bounds })
    expect(atBounds(dense.values, bounds).length).toBeGreaterThan(3)
    expect(result.converged, result.message).toBe(true)
    expect(atBounds(result.values, bounds)).toEqual(atBounds(dense.values, bounds))
    expect(distance(result.values, dense.values)).toBeLessThan(1e-6)
    expect(projectedGradient(await gradientAt(residual, result.values), result.values, bounds)).toBeLessThan(
      1e-6,
    )
    expect(result.iterations).toBeLessThan(2 * dense.iterations + 50)
  })

  test.each(['sparse', 'matrixFree'] as const)('%s does not mind units', async (jacobian) => {
    const { residual } = chain(30, 7)
    const { bounds, start } = randomBox(30, 7)
    const units = start.map((_, j) => 10 ** ((j % 3) * 6 - 6))
    const inUnits = (x: Float64Array) => x.map((value, j) => value * units[j]!)
    const plain = await leastSquares(residual, start, { jacobian: 'dense', bounds })
    const scaled = await leastSquares((x: Tensor) => residual(np.divide(x, units)), inUnits(start), {
      jacobian,
      bounds: [inUnits(bounds[0]), inUnits(bounds[1])],
    })
    expect(scaled.converged, scaled.message).toBe(true)
    const back = scaled.values.map((value, j) => value / units[j]!)
    expect(distance(back, plain.values)).toBeLessThan(1e-6)
  })

  test.each(['sparse', 'matrixFree'] as const)('%s with a robust loss and sigma', async (jacobian) => {
    const { residual } = chain(60, 4, 5)
    const { bounds, start } = randomBox(60, 4)
    const options = { loss: 'huber', lossScale: 0.3, sigma: 0.5, bounds } as const
    const dense = await leastSquares(residual, start, { jacobian: 'dense', ...options })
    const result = await leastSquares(residual, start, { jacobian, ...options })
    expect(result.value / dense.value - 1).toBeLessThan(1e-10)
    expect(distance(result.values, dense.values)).toBeLessThan(1e-6)
  })

  test('a start on the bounds, of parameters that end on them and inside', async () => {
    const { residual } = chain(20, 3)
    const bounds = [new Float64Array(20).fill(0), new Float64Array(20).fill(0.7)] as const
    const dense = await leastSquares(residual, bounds[0], { jacobian: 'dense', bounds })
    for (const jacobian of ['sparse', 'matrixFree'] as const) {
      const result = await leastSquares(residual, bounds[0], { jacobian, bounds })
      expect(result.converged, result.message).toBe(true)
      expect(distance(result.values, dense.values)).toBeLessThan(1e-6)
    }
  })

  test('sparse names what the data do not determine, and it stays inside', async () => {
    const { residual } = chain(10, 5)
    const free = (x: Tensor) => residual(np.slice(x, [0, 10]))
    const options = { jacobian: 'sparse', bounds: [-0.1, 0.5] } as const
    const result = await leastSquares(free, new Float64Array(12).fill(0.2), options)
    expect(result.converged, result.message).toBe(true)
    expect(result.undetermined).toEqual(['[10]', '[11]'])
    expect(result.values.every((x) => x >= -0.1 && x <= 0.5)).toBe(true)
    expect([...standardErrors(result).slice(10)]).toEqual([Infinity, Infinity])
  })

  test.each(['sparse', 'matrixFree'] as const)('%s continues with the same digits', async (jacobian) => {
    const { residual } = banded(30, 8)
    const { bounds, start } = randomBox(30, 8)
    const part = await leastSquares(residual, start, { jacobian, bounds, maxSteps: 4 })
    expect(part.reason).toBe('maxSteps')
    const whole = await leastSquares(residual, start, { jacobian, bounds })
    const rest = await leastSquares(residual, start, { jacobian, bounds, state: structuredClone(part.state) })
    expect(rest.values).toEqual(whole.values)
  })

  test('a chain of 5000 parameters by default, with a third of them on their bounds', async () => {
    const n = 5000
    const { residual, start } = chain(n, 9)
    const bounds = [new Float64Array(n).fill(-0.6), new Float64Array(n).fill(0.6)] as const
    const result = await leastSquares(residual, start, { bounds })
    expect(result.derivatives).toBe('sparse')
    expect(result.converged, result.message).toBe(true)
    expect(atBounds(result.values, bounds).length).toBeGreaterThan(n / 3)
    expect(projectedGradient(result.model.gradient, result.values, bounds)).toBeLessThan(1e-6)
  })
})
