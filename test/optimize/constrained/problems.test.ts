import { describe, expect, test } from 'vitest'
import { constraintsOf, equationProblems } from '../../../papers/hockSchittkowski.js'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { minimize, prepareConstrained } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { inequalityProblems } from './inequalities.js'

const same = (value: number, least: number, digits = 1e-7) =>
  expect(Math.abs(value - least)).toBeLessThan(digits * Math.max(1, Math.abs(least)))

describe.each(equationProblems.map((problem) => [problem.name, problem] as const))('%s', (_, problem) => {
  test('is solved by every method, with the published value', async () => {
    const { solve } = await prepareConstrained(problem.value, problem.start as number[], {
      constraints: constraintsOf(problem),
    })
    const methods = [
      { method: 'augmentedLagrangian' },
      { kktSolver: 'direct' },
      { kktSolver: 'krylov', tolerance: 1e-8 },
    ] as const
    for (const options of methods) {
      const result = await solve({ ...options, maxSteps: 300 })
      expect(result.converged, `${JSON.stringify(options)}: ${result.message}`).toBe(true)
      expect(result.reason).toBe('kkt')
      same(result.value, problem.least)
      expect(result.violation).toBeLessThan(1e-6)
      expect(result.optimality).toBeLessThan(1e-8)
    }
  })
})

describe.each(inequalityProblems.map((problem) => [problem.name, problem] as const))('%s', (_, problem) => {
  test('is solved by default, with the published value, and its multipliers have the signs of its ends', async () => {
    const result = await minimize(problem.value, problem.start as number[], problem.options)
    expect(result.converged, result.message).toBe(true)
    expect(result.method).toBe('augmentedLagrangian')
    same(result.value, problem.least)
    expect(result.violation).toBeLessThan(1e-8)
    expect(result.optimality).toBeLessThan(1e-10)
  })
})

describe('closed forms', () => {
  test('the point of a plane nearest to another, with its multipliers', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const random = new Random(seed)
      const a = new Tensor(random.normals(6))
      const matrix = new Tensor(random.normals(12), [2, 6])
      const b = new Tensor(random.normals(2))
      const away = np.subtract(np.matmul(matrix, a), b)
      const l = np.solve(np.matmul(matrix, np.transpose(matrix)), away)
      const nearest = np.subtract(a, np.matmul(np.transpose(matrix), l))
      const f = (x: Tensor) => np.multiply(0.5, np.sum(np.square(np.subtract(x, a))))
      const constraints = [{ matrix, equal: b.data as Float64Array }]
      for (const method of ['sqp', 'augmentedLagrangian'] as const) {
        const result = await minimize(f, new Float64Array(6), { method, constraints })
        expect(result.converged).toBe(true)
        result.values.forEach((x, i) => {
          expect(x).toBeCloseTo(nearest.data[i] as number, 10)
        })
        result.multipliers.forEach((m, j) => {
          expect(m).toBeCloseTo(l.data[j] as number, 9)
        })
      }
    }
  })

  test('the least x^T A x on a sphere is the lowest eigenvalue, and so is the multiplier but for its sign', async () => {
    const root = new Tensor(new Random('sphere').normals(25), [5, 5])
    const a = np.add(root, np.transpose(root))
    const lowest = np.eigvalsh(a).data[0] as number
    const start = new Random('start').normals(5)
    const result = await minimize((x: Tensor) => np.dot(x, np.matmul(a, x)), start, {
      constraints: [{ value: (x: Tensor) => np.sum(np.square(x)), equal: 1 }],
    })
    expect(result.converged, result.message).toBe(true)
    expect(result.value).toBeCloseTo(lowest, 10)
    expect(result.multipliers[0]).toBeCloseTo(-lowest, 10)
  })

  test('a linear program ends at the corner that enumerating them finds', async () => {
    const options = {
      constraints: [
        {
          matrix: [
            [1, 1],
            [1, 3],
          ],
          upper: [4, 6],
        },
      ],
      bounds: [0, Infinity],
    } as const
    const costs = [-1, -2]
    const result = await minimize((x: Tensor) => np.dot(np.asarray(costs) as Tensor, x), [0.1, 0.1], options)
    expect(result.converged, result.message).toBe(true)
    expect(result.value).toBeCloseTo(-5, 9)
    expect(Array.from(result.multipliers, (l) => l.toFixed(6))).toEqual(['0.500000', '0.500000'])
  })

  test('a multiplier is how fast the least value falls as its upper end rises', async () => {
    const at = (end: number) =>
      minimize((x: Tensor) => np.sum(np.exp(np.negative(x))), [0.1, 0.2], {
        constraints: [
          {
            value: (x: Tensor) => np.sum(np.multiply(np.asarray([1, 2]) as Tensor, np.square(x))),
            upper: end,
          },
        ],
      })
    const { multipliers } = await at(1)
    const [above, below] = [await at(1 + 1e-4), await at(1 - 1e-4)]
    expect((below.value - above.value) / 2e-4).toBeCloseTo(multipliers[0]!, 6)
    expect(multipliers[0]).toBeGreaterThan(0.1)
  })

  test('an element with two ends is held by the one that it meets', async () => {
    const f = (x: Tensor) => np.sum(np.square(x))
    const between = (lower: number, upper: number) => ({
      constraints: [{ matrix: [[1, 1]], lower, upper }],
    })
    const below = await minimize(f, [3, -1], between(2, 5))
    expect(Array.from(below.values, (x) => x.toFixed(8))).toEqual(['1.00000000', '1.00000000'])
    expect(below.multipliers[0]).toBeCloseTo(-2, 9)
    const above = await minimize(f, [3, -1], between(-5, -2))
    expect(above.multipliers[0]).toBeCloseTo(2, 9)
    const inside = await minimize(f, [3, -1], between(-5, 5))
    expect(inside.multipliers[0]).toBe(0)
  })
})

describe('parameters', () => {
  const f = ({ a, b }: Record<'a' | 'b', Tensor>) => np.add(np.sum(np.square(a)), np.square(b))
  const sum = {
    name: 'total',
    value: ({ a, b }: Record<'a' | 'b', Tensor>) => np.add(np.sum(a), b),
    equal: 3,
  }

  test('may be a tree, fixed and shared, with bounds by name', async () => {
    const free = await minimize(f, { a: [0, 0], b: 0 }, { constraints: [sum] })
    expect(free.values.every((x) => Math.abs(x - 1) < 1e-10)).toBe(true)
    expect(free.constraintNames).toEqual(['total'])
    const fixed = await minimize(f, { a: [0, 0], b: 2 }, { constraints: [sum], fixed: ['b'] })
    expect(fixed.names).toEqual(['a[0]', 'a[1]'])
    expect(fixed.values[0]).toBeCloseTo(0.5, 10)
    expect(fixed.point.b.item()).toBe(2)
    const bounds = { b: [0, 0.5] } as const
    const bounded = await minimize(f, { a: [0, 0], b: 0 }, { constraints: [sum], bounds })
    expect(bounded.converged, bounded.message).toBe(true)
    expect(bounded.values[2]).toBe(0.5)
    expect(bounded.boundMultipliers[2]).toBeCloseTo(1.5, 8)
  })

  test('of plain functions give the same by finite differences', async () => {
    const options = {
      gradient: 'finiteDifferences',
      constraints: [{ value: ([x, y]: number[]) => x! * y!, lower: 2 }],
      bounds: [0.1, 10],
    } as const
    const result = await minimize(([x, y]: number[]) => x! ** 2 + 4 * y! ** 2, [1, 1], options)
    expect(result.derivatives).toBe('finite differences')
    expect(result.converged, result.message).toBe(true)
    expect(result.values[0]).toBeCloseTo(2, 6)
    expect(result.values[1]).toBeCloseTo(1, 6)
    expect(result.multipliers[0]).toBeCloseTo(-4, 5)
    const equal = await minimize(([x, y]: number[]) => x! ** 2 + 4 * y! ** 2, [1, 1], {
      gradient: 'finiteDifferences',
      constraints: [{ value: ([x, y]: number[]) => [x! * y!], equal: 2 }],
    })
    expect(equal.method).toBe('sqp, direct')
    expect(equal.converged, equal.message).toBe(true)
    expect(equal.values[0]).toBeCloseTo(2, 6)
  })

  test('many of them are solved with products alone', async () => {
    const n = 600
    const f = (x: Tensor) => np.sum(np.subtract(np.exp(x), x))
    const value = (x: Tensor) => np.subtract(np.sum(np.square(x)), np.sum(np.slice(x, [0, 1])))
    const equal = await minimize(f, new Float64Array(n).fill(0.3), { constraints: [{ value, equal: 5 }] })
    expect(equal.method).toBe('sqp, krylov')
    expect(equal.converged, equal.message).toBe(true)
    expect(equal.evaluations.matrix).toBe(0)
    const within = await minimize(f, new Float64Array(n).fill(0.3), {
      constraints: [{ value, lower: 5 }],
      tolerance: 1e-7,
    })
    expect(within.method).toBe('augmentedLagrangian')
    expect(within.converged, within.message).toBe(true)
    expect(within.value).toBeCloseTo(equal.value, 5)
    expect(within.multipliers[0]).toBeCloseTo(equal.multipliers[0]!, 4)
  })
})
