import { describe, expect, test } from 'vitest'
import { constrainedLogistic } from '../../../papers/constrainedProblems.js'
import { constraintsOf, equationProblems } from '../../../papers/hockSchittkowski.js'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import {
  type ConstrainedOptions,
  minimize,
  prepareConstrained,
  prepareMinimize,
  sketched,
} from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { inequalityProblems } from './inequalities.js'
import { failureOf } from './kkt.js'

const squares = (x: Tensor) => np.sum(np.square(x))
const plainly = (f: (x: Tensor) => Tensor) => (x: Float64Array) => f(new Tensor(x))

describe.each([{ method: 'augmentedLagrangian' }, { method: 'sqp' }, { kktSolver: 'krylov' }] as const)(
  'from starts good and bad, with %o',
  (options) => {
    test('what is called a minimum satisfies the conditions, by differences of function and constraints', async () => {
      let [converged, runs] = [0, 0]
      for (const problem of equationProblems.filter((_, k) => k % 4 === 1)) {
        const { value, equations } = problem
        const { solve } = await prepareConstrained(value, problem.start as number[], {
          constraints: constraintsOf(problem),
        })
        const rows = equations(np.asarray(problem.start) as Tensor).size
        const ends = { lower: Array(rows).fill(0), upper: Array(rows).fill(0) }
        for (let seed = 0; seed < 3; seed++) {
          const draw = new Random(seed).normals(problem.start.length)
          const start = draw.map((x, i) => (problem.start[i]! + x) * 10 ** (seed % 3))
          const result = await solve({ ...options, start, maxSteps: 200 })
          runs++
          if (!result.converged) continue
          converged++
          const failure = failureOf(
            result,
            (x) => value(new Tensor(x)).item(),
            (x) => plainly(equations)(x).data as Float64Array,
            ends,
          )
          expect(failure, `${problem.name}, seed ${seed}: ${result.message}`).toBeLessThan(1e-5)
        }
      }
      expect(converged / runs).toBeGreaterThan(0.8)
    })
  },
)

test('inequalities from starts good and bad: what is called a minimum is feasible, with multipliers of the right sign', async () => {
  let [converged, runs] = [0, 0]
  for (const problem of inequalityProblems) {
    const { solve, parameters } = await prepareConstrained(
      problem.value,
      problem.start as number[],
      problem.options,
    )
    for (let seed = 0; seed < 3; seed++) {
      const draw = new Random(seed).normals(problem.start.length)
      const start = draw.map((x, i) =>
        Math.min(
          Math.max((problem.start[i]! + x) * 10 ** (seed % 3), parameters.lower[i]!),
          parameters.upper[i]!,
        ),
      )
      const result = await solve({ start, maxSteps: 400 })
      runs++
      if (!result.converged) continue
      converged++
      const { conditions, violation, values, boundMultipliers } = result
      expect(violation).toBeLessThan(1e-6)
      expect(conditions.complementarity).toBeLessThan(1e-6)
      values.forEach((x, i) => {
        const [low, high] = [parameters.lower[i]!, parameters.upper[i]!]
        expect(x >= low && x <= high).toBe(true)
        const free = x > low && x < high
        const force =
          boundMultipliers[i]! / Math.max(1, Math.abs(result.value), ...result.multipliers.map(Math.abs))
        if (free) expect(Math.abs(force), problem.name).toBeLessThan(1e-5)
        else if (x === low) expect(force).toBeLessThan(1e-5)
        else expect(force).toBeGreaterThan(-1e-5)
      })
    }
  }
  expect(converged / runs).toBeGreaterThan(0.8)
})

describe('what cannot be solved', () => {
  const contradiction = (ends: Partial<Record<'equal' | 'lower' | 'upper', number>>[]) =>
    ends.map((end) => ({ matrix: [[1, 0]], ...end }))

  test.each([
    ['equations', contradiction([{ equal: 1 }, { equal: 2 }])],
    ['inequalities', contradiction([{ upper: 1 }, { lower: 2 }])],
    ['an equation without solution', [{ value: squares, equal: -1 }]],
  ] as const)('contradicting %s are infeasible', async (_, constraints) => {
    const result = await minimize(squares, [0.3, 0.1], { constraints })
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('infeasible')
    expect(result.message).toContain('no step nearby lessens their violation')
  })

  test('constraints that say the same twice are solved, and the message says that multipliers are not determined', async () => {
    for (const method of ['sqp', 'augmentedLagrangian'] as const) {
      const constraints = [
        {
          matrix: [
            [1, 0],
            [2, 0],
          ],
          equal: [1, 2],
        },
      ]
      const result = await minimize(squares, [0.3, 0.1], { method, constraints })
      expect(result.converged, result.message).toBe(true)
      expect(result.values[0]).toBeCloseTo(1, 10)
      expect(result.multipliers[0]! + 2 * result.multipliers[1]!).toBeCloseTo(-2, 8)
      expect(result.message).toContain('linearly dependent')
    }
  })

  test('a cusp, where there are no multipliers, is reached or not called a minimum', async () => {
    const value = (x: Tensor) => np.dot(np.asarray([1, -1]) as Tensor, np.power(x, np.asarray([3, 2])))
    for (const method of ['sqp', 'augmentedLagrangian'] as const) {
      const result = await minimize((x: Tensor) => np.sum(np.slice(x, [0, 1])), [2, 1], {
        method,
        constraints: [{ value, equal: 0 }],
        maxSteps: 300,
      })
      if (result.converged) expect(Math.hypot(...result.values)).toBeLessThan(1e-6)
      expect(result.value).toBeCloseTo(0, 1)
    }
  })

  test('a function that falls without end within the constraints is unbounded', async () => {
    const ends = [{ upper: 5 }, { equal: 0 }]
    for (const end of ends) {
      const constraints = [{ matrix: [[1, -1]], ...end }]
      const result = await minimize((x: Tensor) => np.negative(squares(x)), [1, 2], { constraints })
      expect(result.converged).toBe(false)
      expect(result.reason).toBe('unbounded')
    }
  })

  test('the top of a hill on a circle is a saddle, not a minimum', async () => {
    const constraints = [{ value: squares, equal: 1 }]
    const hill = (x: Tensor) => np.dot(np.asarray([1, 2]) as Tensor, np.square(x))
    const result = await minimize(hill, [0, 1], { constraints })
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('saddle')
  })

  test('too few steps say so', async () => {
    const constraints = [{ value: squares, equal: 4 }]
    const result = await minimize((x: Tensor) => np.sum(np.exp(x)), [1, 5], { constraints, maxSteps: 1 })
    expect(result.reason).toBe('maxSteps')
  })
})

describe('bad input throws at once and says what was expected', () => {
  const solve = (options: ConstrainedOptions, start: readonly number[] = [1, 2]) =>
    minimize(squares, start as number[], options)
  const row = { matrix: [[1, 1]] }
  test.each<[string, ConstrainedOptions, RegExp]>([
    ['no constraint', { constraints: [] }, /constraints: got none, expected a list/],
    ['no ends', { constraints: [row] }, /constraints\[0\]: has no ends, expected lower, upper or equal/],
    ['nothing to hold', { constraints: [{ equal: 1 }] }, /neither value nor matrix/],
    ['both', { constraints: [{ ...row, value: squares, equal: 1 }] }, /got value and matrix/],
    ['equal and lower', { constraints: [{ ...row, equal: 1, lower: 0 }] }, /equal beside lower or upper/],
    [
      'crossed ends',
      { constraints: [{ ...row, name: 'sum', lower: 1, upper: 0 }] },
      /sum: the ends of element 0/,
    ],
    ['an end that is NaN', { constraints: [{ ...row, lower: Number.NaN }] }, /the ends of element 0 are NaN/],
    [
      'too many ends',
      { constraints: [{ ...row, lower: [1, 2] }] },
      /got 2 numbers, expected one, or one for each of 1/,
    ],
    [
      'a wide matrix',
      { constraints: [{ matrix: [[1, 1, 1]], equal: 1 }] },
      /shape \[1,3\], expected \[rows, 2\]/,
    ],
    [
      'a constraint outside its domain',
      { constraints: [{ value: (x: Tensor) => np.log(np.negative(x)), lower: 0 }] },
      /element 0 is NaN at the start/,
    ],
    [
      'an unknown method',
      { constraints: [{ ...row, equal: 1 }], method: 'slsqp' as never },
      /expected sqp or augmentedLagrangian/,
    ],
    [
      'sqp with inequalities',
      { constraints: [{ ...row, lower: 1 }], method: 'sqp' },
      /sqp takes equations alone, got inequalities/,
    ],
    [
      'an unknown solver',
      { constraints: [{ ...row, equal: 1 }], kktSolver: 'lu' as never },
      /expected one of direct, krylov, sketched/,
    ],
    [
      'a solver for another method',
      { constraints: [{ ...row, lower: 1 }], kktSolver: 'direct' },
      /expected it for sqp alone/,
    ],
    ['a negative tolerance', { constraints: [{ ...row, equal: 1 }], tolerance: -1 }, /tolerance: got -1/],
    [
      'a gradient by hand',
      { constraints: [{ ...row, equal: 1 }], gradient: squares as never },
      /expected exact or finiteDifferences/,
    ],
  ])('%s', async (_, options, message) => {
    await expect(solve(options)).rejects.toThrow(message)
  })

  test('constraints for prepareMinimize', async () => {
    const options = { constraints: [{ ...row, equal: 1 }] } as never
    await expect(prepareMinimize(squares, [1, 2], options)).rejects.toThrow(/see prepareConstrained/)
  })

  test('sketches that there are not, or none', () => {
    expect(() => sketched({ sketch: 'sparse' as never })).toThrow(
      /sketch: got "sparse", expected gaussian or kaczmarz/,
    )
    expect(() => sketched({ maxSketches: 0 })).toThrow(/maxSketches: got 0, expected at least 1/)
  })

  test('a function outside its domain', async () => {
    const options = { constraints: [{ ...row, equal: 1 }] }
    await expect(minimize((x: Tensor) => np.sum(np.log(x)), [-1, 2], options)).rejects.toThrow(
      /start: the function is NaN there/,
    )
  })
})

describe('stopped and continued', () => {
  const problem = equationProblems.find(({ name }) => name === 'HS7')!
  test.each([
    { method: 'augmentedLagrangian' },
    { kktSolver: 'direct' },
    { kktSolver: 'krylov' },
    { kktSolver: 'sketched', tolerance: 1e-6 },
  ] as const)('with %o gives the same digits', async (options) => {
    const { solve } = await prepareConstrained(problem.value, problem.start as number[], {
      constraints: constraintsOf(problem),
    })
    const whole = await solve(options)
    const part = await solve({ ...options, maxSteps: 4 })
    expect(part.reason).toBe('maxSteps')
    const rest = await solve({ ...options, state: structuredClone(part.state) })
    expect(rest.values).toEqual(whole.values)
    expect(rest.iterations).toBe(whole.iterations)
    expect(Array.from(rest.multipliers)).toEqual(Array.from(whole.multipliers))
  })

  test('an abort is heard amid sketches', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 50)
    const long = constrainedLogistic(new Random('long'), 60, 20)
    const run = minimize(long.value, long.start as number[], {
      constraints: constraintsOf(long),
      kktSolver: sketched({ maxSketches: 1e9 }),
      signal: stop.signal,
    })
    await expect(run).rejects.toThrow('enough')
  })

  test('an abort throws its reason, and the state last shown continues', async () => {
    const stop = new AbortController()
    const seen: unknown[] = []
    const constraints = constraintsOf(problem)
    const onStep = (state: unknown) => {
      if (seen.push(state) === 3) stop.abort(new Error('enough'))
    }
    const start = problem.start as number[]
    const run = minimize(problem.value, start, { constraints, signal: stop.signal, onStep })
    await expect(run).rejects.toThrow('enough')
    const rest = await minimize(problem.value, start, { constraints, state: seen[2] as never })
    const whole = await minimize(problem.value, start, { constraints })
    expect(rest.values).toEqual(whole.values)
  })
})
