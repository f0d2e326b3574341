import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { type MinimizeMethodName, minimize } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { grad } from '../../../src/transforms/index.js'

interface Problem {
  readonly f: (x: Tensor) => Tensor
  readonly start: Float64Array
}

const problems: Readonly<Record<string, (random: Random) => Problem>> = {
  'a curved valley': (random) => ({
    start: random.normals(6),
    f(x) {
      const [head, tail] = [np.slice(x, [0, 5]), np.slice(x, [1, 6])]
      const across = np.square(np.subtract(tail, np.square(head)))
      return np.sum(np.add(np.multiply(100, across), np.square(np.subtract(1, head))))
    },
  }),
  'a quadratic': (random) => {
    const [a, b] = [np.reshape(random.normals(25), [5, 5]), random.normals(5)]
    return {
      start: random.normals(5),
      f: (x) => np.add(np.sum(np.square(np.matmul(a, x))), np.dot(b, x)),
    }
  },
  'a quadratic with a flat of minima': (random) => {
    const [a, b] = [np.reshape(random.normals(10), [2, 5]), random.normals(2)]
    return { start: random.normals(5), f: (x) => np.sum(np.square(np.subtract(np.matmul(a, x), b))) }
  },
  'logistic regression': (random) => {
    const a = np.reshape(random.normals(100), [20, 5])
    return {
      start: random.normals(5),
      f: (x) => np.add(np.sum(np.softplus(np.matmul(a, x))), np.multiply(0.01, np.sum(np.square(x)))),
    }
  },
  quartics: (random) => ({
    start: random.normals(4),
    f: (x) => np.sum(np.power(np.subtract(x, 1), 4)),
  }),
}

/** By which part of its value, or of what it has fallen, a function would fall if a parameter moved by its size or to its bound. */
function slope(
  { f, start }: Problem,
  x: Float64Array,
  bounds?: readonly [Float64Array, Float64Array],
): number {
  const [value, first] = [f(new Tensor(x)).item(), f(new Tensor(start)).item()]
  const gradient = (grad(f)(new Tensor(x)) as Tensor).data as Float64Array
  const steepest = gradient.reduce((most, g, i) => {
    const room = bounds ? (g > 0 ? x[i]! - bounds[0][i]! : bounds[1][i]! - x[i]!) : Infinity
    return g === 0 ? most : Math.max(most, Math.abs(g) * Math.min(room, Math.max(1, Math.abs(x[i]!))))
  }, 0)
  return steepest / Math.max(Math.abs(value), first - value)
}

const unbounded: readonly (MinimizeMethodName | undefined)[] = [
  undefined,
  'lbfgs',
  'conjugateGradient',
  'newton',
  'newtonCG',
  'trustRegionNewton',
  'trustRegionKrylov',
  'cubicNewton',
  'gradientRegularizedNewton',
  'gradientNormalizedNewton',
  'dampedNewton',
]
const bounded: readonly (MinimizeMethodName | undefined)[] = [undefined, 'lbfgsb', 'projectedNewton']

describe.each(Object.keys(problems))('%s, in units from 1e-12 to 1e12', (kind) => {
  test.each([
    ...unbounded.map((method) => [method, false] as const),
    ...bounded.map((method) => [method, true] as const),
  ])('what %s calls a minimum is one (within bounds: %s)', async (method, within) => {
    let converged = 0
    for (let seed = 0; seed < 6; seed++) {
      const random = new Random(`${kind} ${seed}`)
      const problem = problems[kind]!(random)
      const { f, start } = problem
      const exponent = 24 * random.uniform() - 12
      const units = start.map(() => 10 ** (seed % 2 ? 12 * random.uniform() - 6 : exponent))
      const scale = 10 ** (24 * random.uniform() - 12)
      const inUnits = (x: Float64Array) => x.map((value, i) => value * units[i]!)
      const around = [start.map((x) => x - 0.4), start.map((x) => x + 0.4)] as const
      const result = await minimize(
        (x: Tensor) => np.multiply(scale, f(np.divide(x, units))),
        inUnits(start),
        {
          ...(method && { method }),
          ...(within && { bounds: [inUnits(around[0]), inUnits(around[1])] }),
          maxSteps: 400,
        },
      )
      if (!result.converged) continue
      converged++
      const x = result.values.map((value, i) => value / units[i]!)
      const left = slope(problem, x, within ? around : undefined)
      expect(left, `seed ${seed}: ${result.reason} after ${result.iterations}`).toBeLessThan(1e-4)
    }
    if (method === undefined) expect(converged).toBeGreaterThan(4)
  })
})
