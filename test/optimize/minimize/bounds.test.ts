import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import { minimize } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { uniform } from '../../helpers/random.js'
import { barrier, rosenbrock } from './functions.js'

interface BoxProblem {
  readonly matrix: Tensor
  readonly linear: Tensor
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/** A random convex quadratic x^T A x / 2 - b^T x in a random box around 0. */
function boxProblem(seed: number, n: number): BoxProblem {
  const random = uniform(seed)
  const root = new Tensor(
    Float64Array.from({ length: n * n }, () => random() - 0.5),
    [n, n],
  )
  return {
    matrix: np.add(np.matmul(np.transpose(root), root), np.multiply(0.01, np.eye(n))),
    linear: new Tensor(Float64Array.from({ length: n }, () => random() - 0.5)),
    lower: Float64Array.from({ length: n }, () => -random()),
    upper: Float64Array.from({ length: n }, () => random()),
  }
}

const quadratic =
  ({ matrix, linear }: BoxProblem) =>
  (x: Tensor) =>
    np.subtract(np.multiply(0.5, np.dot(x, np.matmul(matrix, x))), np.dot(linear, x))

/** The least value over all choices of which parameters are at which bound: solve for the rest, keep what is feasible. */
function byEnumeration(problem: BoxProblem, n: number): number {
  const { matrix, linear, lower, upper } = problem
  const entry = (i: number, j: number) => matrix.data[i * n + j] as number
  let least = Infinity
  for (let choice = 0; choice < 3 ** n; choice++) {
    const sides = Array.from({ length: n }, (_, i) => Math.floor(choice / 3 ** i) % 3)
    const x = Float64Array.from(sides, (side, i) => (side === 1 ? lower[i]! : side === 2 ? upper[i]! : 0))
    const free = [...sides.keys()].filter((i) => sides[i] === 0)
    if (free.length > 0) {
      const rhs = free.map(
        (i) => (linear.data[i] as number) - x.reduce((sum, xj, j) => sum + entry(i, j) * xj, 0),
      )
      const rows = free.map((i) => free.map((j) => entry(i, j)))
      const solution = np.solve(rows, rhs).data
      free.forEach((i, k) => {
        x[i] = solution[k] as number
      })
    }
    if (x.every((xi, i) => xi >= lower[i]! && xi <= upper[i]!))
      least = Math.min(least, quadratic(problem)(new Tensor(x)).item())
  }
  return least
}

describe('within bounds', () => {
  test.each(['lbfgsb', 'projectedNewton'] as const)(
    '%s finds the minimum that enumerating all active sets finds',
    async (method) => {
      for (let seed = 1; seed <= 8; seed++) {
        const n = 2 + (seed % 4)
        const problem = boxProblem(seed, n)
        const bounds = [problem.lower, problem.upper] as const
        const result = await minimize(quadratic(problem), new Float64Array(n), { method, bounds })
        expect(result.converged, result.message).toBe(true)
        expect(result.value - byEnumeration(problem, n)).toBeLessThan(1e-12)
        expect(result.optimality).toBeLessThan(1e-6)
        expect(result.values.every((x, i) => x >= bounds[0][i]! && x <= bounds[1][i]!)).toBe(true)
      }
    },
  )

  test.each(['lbfgsb', 'projectedNewton'] as const)(
    '%s holds Rosenbrock’s function at a bound, where the gradient points outwards',
    async (method) => {
      const result = await minimize(rosenbrock, [-1.2, 0.4], { method, bounds: [-2, 0.5] })
      expect(result.converged, result.message).toBe(true)
      expect(result.values[0]).toBe(0.5)
      expect(result.values[1]).toBeCloseTo(0.25, 8)
      expect(result.gradient[0]).toBeLessThan(-0.5)
    },
  )

  test.each(['lbfgsb', 'projectedNewton', 'nelderMead', 'consensus'] as const)(
    '%s never calls the function outside',
    async (method) => {
      const seen: number[] = []
      const f = ([x, y]: number[]) => {
        seen.push(x!, y!)
        return (x! - 3) ** 2 + Math.sqrt(y! + 1)
      }
      const gradient = ([x, y]: number[]) => [2 * (x! - 3), 0.5 / Math.sqrt(y! + 1)]
      const options = { method, gradient, bounds: [-0.5, 2] as const }
      const result = await minimize(f as never, [1, 1], options)
      const digits = method === 'consensus' ? 2 : 6
      expect(result.values[0]).toBeCloseTo(2, digits)
      expect(result.values[1]).toBeCloseTo(-0.5, digits)
      expect(seen.every((x) => x >= -0.5 && x <= 2)).toBe(true)
    },
  )

  test('the default keeps to bounds, and bounds that are far change nothing', async () => {
    const far = await minimize(barrier, [10, 1e-3, 5], { bounds: [-100, 100] })
    expect(far.method).toBe('projectedNewton')
    expect(far.converged).toBe(true)
    for (const x of far.values) expect(x).toBeCloseTo(1, 8)
  })

  test('a start on a bound may leave it', async () => {
    for (const method of ['lbfgsb', 'projectedNewton'] as const) {
      const result = await minimize((x: Tensor) => np.sum(np.square(np.subtract(x, 0.5))), [0, 1], {
        method,
        bounds: [0, 1],
      })
      expect(Array.from(result.values)).toEqual([0.5, 0.5])
    }
  })

  test('a method without bounds refuses them, and says which keeps them', async () => {
    await expect(minimize(rosenbrock, [0, 0], { method: 'lbfgs', bounds: [-1, 1] })).rejects.toThrow(
      /lbfgs does not keep to bounds, expected one of lbfgsb, projectedNewton, nelderMead, consensus/,
    )
  })
})
