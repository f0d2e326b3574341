import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import {
  fixedPoint,
  leastSquares,
  minimize,
  multiStart,
  prepareLeastSquares,
  prepareMinimize,
} from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'

const x = [1, 2, 3, 4]
const y = [2, 4.1, 5.9, 8]
const line = (p: Record<'a' | 'b', Tensor>) => np.subtract(np.add(np.multiply(p.a, x), p.b), y)
const start = { a: 1, b: 0 }
const squares = (v: Tensor) => np.sum(np.square(v))

/** What TypeScript would not let through. */
const untyped = (value: unknown) => value as never
const solveLine = (options: object) => leastSquares(line, start, options)
const least = (options: object) => minimize(squares, [1, 2], options)

const cases: Readonly<Record<string, readonly [run: () => Promise<unknown>, message: string]>> = {
  'no start': [
    () => leastSquares(line, untyped(undefined)),
    'start: got undefined, expected tensors, numbers',
  ],
  'a start of words': [() => leastSquares(line, untyped(['one'])), 'start at [0]: got "one"'],
  'a residual that is no function': [
    () => leastSquares(untyped('a*x'), start),
    'residual: got "a*x", expected a function of tensors, or a program',
  ],
  'a residual that returns nothing': [
    () =>
      leastSquares(
        untyped(() => undefined),
        start,
      ),
    'what residual returns: got undefined, expected tensors, numbers',
  ],
  'a residual of plain arithmetic': [
    () => leastSquares((b: number[]) => x.map((xi) => b[0]! * xi), [1, 1]),
    'residual: returns plain numbers, which hide how they depend on the parameters; make them with the functions of ' +
      'evolute/numpy, or choose finiteDifferences',
  ],
  'a function of plain arithmetic': [
    () => minimize((v: number[]) => Math.exp(v[0]!), [1]),
    'f: returns plain numbers',
  ],
  'a constraint of plain arithmetic': [
    () => minimize(squares, [1, 2], { constraints: [{ value: () => 3, equal: 1 }] }),
    'constraints[0]: returns plain numbers',
  ],
  'bounds that are a number': [
    () => solveLine({ bounds: 5 }),
    'bounds: got 5, expected [lower, upper] for all, or { name: [lower, upper] } for some',
  ],
  'bounds of a name that are one number': [() => solveLine({ bounds: { a: 5 } }), 'bounds: got {"a":5}'],
  'a fixed name outside a list': [
    () => solveLine({ fixed: 'a' }),
    "fixed: got \"a\", expected a list of names such as ['a', 'b[2]']",
  ],
  'shared names outside groups': [
    () => solveLine({ shared: ['a', 'b'] }),
    'shared: got "a", expected a list of groups',
  ],
  'a method without search': [
    () => solveLine({ method: { descent: 1 } }),
    'method: got an object of descent, expected a name, or { descent, search }',
  ],
  'a minimiser without search': [() => least({ method: {} }), 'method: got an object of nothing'],
  'a Jacobian of another tool': [
    () => solveLine({ jacobian: '2-point' }),
    'jacobian: got 2-point, expected exact, dense',
  ],
  'a Jacobian with too few rows': [
    () =>
      leastSquares(([a, b]: number[]) => x.map((xi) => a! * xi + b!), [1, 1], { jacobian: () => [[1, 2]] }),
    'jacobian: got 1 rows, expected 4, one for each residual',
  ],
  'a tolerance below 0': [() => solveLine({ tolerance: -1 }), 'tolerance: got -1, expected 0 or more'],
  'a number of steps that is none': [
    () => solveLine({ maxSteps: Number.NaN }),
    'maxSteps: got NaN, expected 0 or more',
  ],
  'the state of another problem': [
    async () => solveLine({ state: (await leastSquares((b: Tensor) => np.subtract(b, y), y)).state }),
    'state: is of 4 parameters, expected 2',
  ],
  'a state that is none': [() => least({ state: {} }), 'state: is of no parameters, expected 2'],
  'a state that is no fixed point’s': [
    () => fixedPoint((v: Tensor) => np.cos(v), [1], { state: untyped({}) }),
    'state: is of no parameters, expected 1',
  ],
  'a gradient of another tool': [
    () => least({ gradient: 'fd' }),
    'gradient: got "fd", expected exact, finiteDifferences or a function',
  ],
  'a gradient that is too short': [
    () => minimize(([a, b]: number[]) => a! * b!, [1, 2], { gradient: () => [1] }),
    'gradient: row 0 has 1 numbers, expected 2, one for each parameter',
  ],
  'several values by differences': [
    () => minimize((v: number[]) => v, [1, 2], { gradient: 'finiteDifferences' }),
    'f: returns 2 numbers, expected one',
  ],
  'a curvature of another size': [
    () => least({ curvature: () => np.eye(3) }),
    'curvature: returns an array of shape [3,3], expected [2, 2], by the parameters that vary',
  ],
  'one constraint outside a list': [
    () => least({ constraints: { value: squares, equal: 1 } }),
    'constraints: got object, expected a list such as',
  ],
  'a constraint that is a function': [
    () => least({ constraints: [squares] }),
    'constraints[0]: got a function, expected an object such as',
  ],
  'a constraint of another tool': [
    () => least({ constraints: [{ type: 'eq', fun: squares }] }),
    'constraints[0]: got neither value nor matrix but type, fun, expected one of them',
  ],
  'a linear solver that is none': [
    () => least({ constraints: [{ value: squares, equal: 1 }], kktSolver: {} }),
    'kktSolver: got an object of nothing, expected a name, or sketched(...)',
  ],
}

describe('bad input is named, with what was expected', () => {
  test.each(Object.entries(cases))('%s', async (_, [run, message]) => {
    await expect(run()).rejects.toThrow(message)
  })
})

describe('another start of a prepared problem', () => {
  test('is checked as the first one', async () => {
    const { solve } = await prepareLeastSquares(line, start, { bounds: { a: [0, 3] } })
    await expect(solve({ start: [1] })).rejects.toThrow(
      'start: got 1 numbers, expected 2, one for each parameter',
    )
    await expect(solve({ start: [5, 0] })).rejects.toThrow(
      'start: a is 5, expected it within its bounds 0 to 3',
    )
    const minimum = await prepareMinimize(squares, [1, 2])
    await expect(minimum.solve({ start: [1, Number.NaN] })).rejects.toThrow('start: [1] is NaN')
  })

  test('may be any list of numbers', async () => {
    const { solve } = await prepareLeastSquares(line, start)
    const { best } = await multiStart((from) => solve({ start: Array.from(from) }), [Float64Array.of(3, 3)])
    expect(best.values[0]).toBeCloseTo(1.98, 10)
  })
})

test('functions of numbers may return tensors', async () => {
  const f = (v: number[]) => np.sum(np.square(np.subtract(v, [1, 2])))
  const result = await minimize(f, [0, 0], { gradient: 'finiteDifferences' })
  expect(result.values[1]).toBeCloseTo(2, 6)
  const residual = (v: number[]) => np.subtract(v, [1, 2])
  const solved = await leastSquares(residual, [0, 0], { jacobian: 'finiteDifferences' })
  expect(solved.values[1]).toBeCloseTo(2, 8)
})

test('sigma may be a tensor', async () => {
  const sigma = [1, 2, 1, 2]
  const [list, tensor] = [await solveLine({ sigma }), await solveLine({ sigma: np.asarray(sigma) })]
  expect(tensor.values).toEqual(list.values)
})
