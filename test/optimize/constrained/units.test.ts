import { describe, expect, test } from 'vitest'
import { constraintsOf, equationProblems } from '../../../papers/hockSchittkowski.js'
import * as np from '../../../src/numpy/index.js'
import { type ConstrainedOptions, minimize } from '../../../src/optimize/index.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { inequalityProblems } from './inequalities.js'

interface Units {
  readonly value: number
  readonly constraints: number
  readonly parameters: number
}

interface Problem {
  readonly start: readonly number[]
  readonly value: (x: Tensor) => Tensor
  readonly options: Pick<ConstrainedOptions, 'constraints' | 'bounds'>
}

const equation = (name: string): Problem => {
  const problem = equationProblems.find((each) => each.name === name)!
  return { ...problem, options: { constraints: constraintsOf(problem) } }
}
const inequality = (name: string): Problem => inequalityProblems.find((each) => each.name === name)!

/** The same problem with everything measured in other units. */
function measured({ start, value, options }: Problem, units: Units) {
  const inner = (y: Tensor) => np.divide(y, units.parameters)
  const constraints = options.constraints.map(({ value: c, matrix, lower, upper, equal }) => ({
    value: (y: Tensor) =>
      np.multiply(
        units.constraints,
        matrix ? np.matmul(matrix as never, inner(y)) : (c!(inner(y)) as Tensor),
      ),
    ...(lower !== undefined && { lower: scaledEnd(lower, units.constraints) }),
    ...(upper !== undefined && { upper: scaledEnd(upper, units.constraints) }),
    ...(equal !== undefined && { equal: scaledEnd(equal, units.constraints) }),
  }))
  const bounds = options.bounds as readonly [number | number[], number | number[]] | undefined
  return minimize(
    (y: Tensor) => np.multiply(units.value, value(inner(y))),
    start.map((x) => x * units.parameters),
    {
      constraints,
      ...(bounds && {
        bounds: [scaledEnd(bounds[0], units.parameters), scaledEnd(bounds[1], units.parameters)] as never,
      }),
    },
  )
}

const scaledEnd = (end: number | ArrayLike<number>, by: number) =>
  typeof end === 'number' ? end * by : Array.from(end, (x) => x * by)

const cases: readonly Units[] = [
  { value: 1e-12, constraints: 1, parameters: 1 },
  { value: 1e12, constraints: 1, parameters: 1 },
  { value: 1, constraints: 1e-12, parameters: 1 },
  { value: 1, constraints: 1e12, parameters: 1 },
  { value: 1, constraints: 1, parameters: 1e-9 },
  { value: 1, constraints: 1, parameters: 1e9 },
  { value: 1e-8, constraints: 1e8, parameters: 1e-4 },
]

describe.each([
  ['HS7', equation('HS7')],
  ['HS48', equation('HS48')],
  ['HS77', equation('HS77')],
  ['HS43', inequality('HS43')],
  ['HS71', inequality('HS71')],
  ['HS76', inequality('HS76')],
] as const)('%s', (_, problem) => {
  const usual = measured(problem, { value: 1, constraints: 1, parameters: 1 })
  test.each(cases)('in units %o has the same solution', async (units) => {
    const [known, result] = [await usual, await measured(problem, units)]
    expect(known.converged).toBe(true)
    expect(result.converged, result.message).toBe(true)
    result.values.forEach((x, i) => {
      expect(Math.abs(x / units.parameters - known.values[i]!)).toBeLessThan(1e-4)
    })
    result.multipliers.forEach((l, j) => {
      const size = units.value / units.constraints
      expect(Math.abs(l / size - known.multipliers[j]!)).toBeLessThan(1e-4)
    })
  })
})
