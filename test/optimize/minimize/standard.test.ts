import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import { type MinimizeMethodName, minimize } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { grad } from '../../../src/transforms/index.js'
import { uniform } from '../../helpers/random.js'
import { rosenbrock, scaledQuadratic, testFunctions } from './functions.js'

const secondOrder = [
  'newton',
  'newtonCG',
  'projectedNewton',
  'trustRegionNewton',
  'trustRegionKrylov',
  'cubicNewton',
  'gradientRegularizedNewton',
  'gradientNormalizedNewton',
  'dampedNewton',
] as const
const firstOrder = ['lbfgs', 'lbfgsb', 'conjugateGradient'] as const

const cases = [...secondOrder, ...firstOrder, 'nelderMead' as const, undefined].flatMap((method) =>
  testFunctions.map((problem) => [method ?? 'default', problem.name, method, problem] as const),
)

describe('standard functions', () => {
  test.each(cases)('%s ends at a minimum of %s', async (_, __, method, { f, start, minima }) => {
    const result = await minimize(f, [...start], { ...(method && { method }), maxSteps: 5000 })
    expect(result.converged, result.message).toBe(true)
    const nearest = Math.min(...minima.map((m) => Math.abs(result.value - m) / Math.max(1, Math.abs(m))))
    expect(nearest).toBeLessThan(1e-6)
    const gradient = grad(f)(new Tensor(result.values)).data as Float64Array
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-5)
  })
})

describe('badly scaled problems', () => {
  test.each(secondOrder)('%s solves a quadratic of condition 1e12', async (method) => {
    const result = await minimize(scaledQuadratic(20, 12), new Float64Array(20), { method })
    expect(result.converged).toBe(true)
    expect(result.value).toBeLessThan(1e-12)
  })

  test.each([...secondOrder, ...firstOrder] as MinimizeMethodName[])(
    '%s claims a minimum of a rotated quadratic only where its gradient vanishes',
    async (method) => {
      const random = uniform(7)
      const n = 6
      for (const decades of [0, 4, 8, 12]) {
        const a = Float64Array.from({ length: n * n }, () => random() - 0.5)
        const { eigenvectors: q } = np.eigh(
          np.add(new Tensor(a, [n, n]), np.transpose(new Tensor(a, [n, n]))),
        )
        const f = (x: Tensor) => np.add(scaledQuadratic(n, decades)(np.matmul(q, x)), 1)
        const result = await minimize(f, new Float64Array(n), { method, maxSteps: 800 })
        const gradient = grad(f)(new Tensor(result.values)).data as Float64Array
        expect(result.gradient.every((g, i) => Math.abs(g - gradient[i]!) < 1e-12)).toBe(true)
        if (result.converged) expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6)
        else expect(result.reason).toMatch(/maxSteps|stalled/)
        if (decades <= 4) expect(result.converged, `${result.message} ${decades}`).toBe(true)
      }
    },
  )

  test('the default does not depend on the units of the parameters', async () => {
    const units = new Tensor(Float64Array.of(1e-8, 1e8))
    const plain = await minimize(rosenbrock, [-1.2, 1])
    const scaled = await minimize((x: Tensor) => rosenbrock(np.multiply(x, units)), [-1.2e8, 1e-8])
    expect(scaled.converged).toBe(true)
    expect(Math.abs(scaled.iterations - plain.iterations)).toBeLessThan(3)
    expect(scaled.values[0]! * 1e-8).toBeCloseTo(1, 9)
    expect(scaled.values[1]! * 1e8).toBeCloseTo(1, 9)
  })
})

describe('what is no minimum', () => {
  const saddle = (x: Tensor) => np.sum(np.multiply(new Tensor(Float64Array.of(1, -1)), np.square(x)))
  const twoWells = (x: Tensor) => np.add(saddle(x), np.sum(np.multiply(0.25, np.power(x, 4))))

  test.each(['trustRegionNewton', 'cubicNewton'] as const)(
    '%s leaves a saddle that it starts on',
    async (method) => {
      const result = await minimize(twoWells, [0, 0], { method })
      expect(result.converged).toBe(true)
      expect(result.value).toBeCloseTo(-1, 12)
      expect(Math.abs(result.values[1]!)).toBeCloseTo(Math.SQRT2, 8)
    },
  )

  test.each([...secondOrder, ...firstOrder])(
    '%s says that a function without minimum has none',
    async (method) => {
      const result = await minimize((x: Tensor) => np.negative(np.sum(np.exp(x))), [1, 2], { method })
      expect(result.converged).toBe(false)
      expect(result.reason).toMatch(/unbounded|maxSteps|stalled/)
    },
  )

  test.each(['lbfgs', 'newton', 'trustRegionNewton'] as const)(
    '%s does not claim a kink to be smooth',
    async (method) => {
      const result = await minimize((x: Tensor) => np.add(np.sum(np.abs(np.subtract(x, 0.3))), 1), [1, 2], {
        method,
      })
      if (result.converged) expect(result.optimality).toBeLessThan(1e-6)
      else expect(result.reason).toMatch(/stalled|maxSteps/)
    },
  )
})
