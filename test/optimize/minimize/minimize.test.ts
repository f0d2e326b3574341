import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import {
  consensusBased,
  type IterationState,
  type MinimizeMethodName,
  minimize,
  prepareMinimize,
} from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { ggn, trace } from '../../../src/transforms/index.js'
import { rastrigin, rosenbrock } from './functions.js'

const start = [-1.2, 1]
const plainRosenbrock = ([x, y]: number[]) => 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2
const plainGradient = ([x, y]: number[]) => [-400 * x! * (y! - x! * x!) - 2 * (1 - x!), 200 * (y! - x! * x!)]
const names: readonly MinimizeMethodName[] = [
  'lbfgs',
  'lbfgsb',
  'conjugateGradient',
  'newtonCG',
  'trustRegionNewton',
  'cubicNewton',
  'dampedNewton',
  'gradientNormalizedNewton',
  'projectedNewton',
  'nelderMead',
  'consensus',
]

describe('a run', () => {
  test.each(names)('of %s stopped after any step continues with the same digits', async (method) => {
    const problem = await prepareMinimize(rosenbrock, start)
    const whole = await problem.solve({ method, maxSteps: 60 })
    for (let maxSteps = 1; maxSteps < whole.iterations; maxSteps += 7) {
      const part = await problem.solve({ method, maxSteps })
      expect(part.reason).toBe('maxSteps')
      const state = structuredClone(part.state)
      const rest = await problem.solve({ method, state, maxSteps: 60 - maxSteps })
      expect(rest.values).toEqual(whole.values)
      expect(rest.iterations).toBe(whole.iterations)
    }
    await problem.dispose()
  })

  test('reports every step, counts what it computes, and states its method', async () => {
    const seen: IterationState[] = []
    const result = await minimize(rosenbrock, start, { onStep: (state) => seen.push(state) })
    expect(seen.length).toBe(result.iterations)
    expect(result.history.length).toBe(result.iterations + 1)
    expect(result.evaluations.gradient).toBe(result.iterations + 1)
    expect(result.method).toBe('trustRegionNewton')
    expect(result.derivatives).toBe('exact')
  })

  test.each(['lbfgs', 'nelderMead'] as const)('of %s ends with the signal’s reason', async (method) => {
    const stop = new AbortController()
    const onStep = ({ iteration }: IterationState) => {
      if (iteration === 3) stop.abort(new Error('enough'))
    }
    await expect(minimize(rosenbrock, start, { method, signal: stop.signal, onStep })).rejects.toThrow(
      'enough',
    )
  })
})

describe('derivatives', () => {
  test('that are given lead to the same minimum as exact ones', async () => {
    for (const method of ['lbfgs', 'trustRegionNewton', 'newtonCG'] as const) {
      const result = await minimize(plainRosenbrock as never, start, { method, gradient: plainGradient })
      expect(result.derivatives).toBe('given')
      expect(result.converged, result.message).toBe(true)
      expect(result.values[0]).toBeCloseTo(1, 6)
    }
  })

  test('by finite differences say so, and the default then is L-BFGS', async () => {
    const result = await minimize(plainRosenbrock as never, start, { gradient: 'finiteDifferences' })
    expect(result.derivatives).toBe('finite differences')
    expect(result.method).toBe('lbfgs')
    expect(result.values[0]).toBeCloseTo(1, 5)
  })

  test('of a program are exact, too', async () => {
    const { program } = trace(rosenbrock, new Tensor(Float64Array.from(start)))
    expect((await minimize(program, start)).values[1]).toBeCloseTo(1, 8)
  })

  test('large problems run on ONNX Runtime with as good a result', async () => {
    const from = new Float64Array(2000).fill(1.2)
    const f = (x: Tensor) => np.divide(rosenbrock(x), 2000)
    for (const method of ['lbfgs', 'trustRegionKrylov'] as const) {
      const result = await minimize(f, from, { method, engine: 'onnx' })
      expect(result.converged, result.message).toBe(true)
      expect(Math.max(...result.values.map((x) => Math.abs(x - 1)))).toBeLessThan(1e-4)
    }
  })
})

describe('curvature in place of the Hessian', () => {
  const t = [0, 1, 2, 3, 4]
  const y = [2.9, 1.8, 1.2, 0.7, 0.5]
  const model = ({ size, rate }: Record<'size' | 'rate', Tensor>) =>
    np.multiply(size, np.exp(np.negative(np.multiply(rate, t))))
  const loss = (values: Tensor) => np.multiply(0.5, np.sum(np.square(np.subtract(values, y))))
  const f = (p: Record<'size' | 'rate', Tensor>) => loss(model(p))
  const product = ggn(model as never, loss as never)

  test('by products or as a matrix takes the same steps, Gauss and Newton’s', async () => {
    const units = [Float64Array.of(1, 0), Float64Array.of(0, 1)]
    const matrix = (p: { size: Tensor; rate: Tensor }) =>
      np.stack(
        units.map(([size, rate]) => {
          const column = product(p as never, { size, rate } as never) as { size: Tensor; rate: Tensor }
          return np.stack([column.size, column.rate])
        }),
      )
    const from = { size: 1, rate: 1 }
    const options = { method: 'gradientNormalizedNewton' } as const
    const byProduct = await minimize(f, from, { ...options, curvatureProduct: product as never })
    const byMatrix = await minimize(f, from, { ...options, curvature: matrix })
    const exact = await minimize(f, from, options)
    expect(byProduct.iterations).toBe(byMatrix.iterations)
    byProduct.values.forEach((x, i) => {
      expect(x).toBeCloseTo(byMatrix.values[i]!, 10)
      expect(x).toBeCloseTo(exact.values[i]!, 8)
    })
    expect(byProduct.history[3]!.decrement).not.toBeCloseTo(exact.history[3]!.decrement, 12)
  })

  test('leaves fixed parameters out', async () => {
    const options = { method: 'gradientNormalizedNewton', fixed: ['size'] } as const
    const [a, b] = [
      await minimize(f, { size: 2.9, rate: 1 }, { ...options, curvatureProduct: product as never }),
      await minimize(f, { size: 2.9, rate: 1 }, options),
    ]
    expect(a.names).toEqual(['rate'])
    expect(a.values[0]).toBeCloseTo(b.values[0]!, 9)
    expect(a.point.size.item()).toBe(2.9)
  })
})

describe('without derivatives', () => {
  test('consensus finds the global minimum of Rastrigin’s function, where descent stays nearby', async () => {
    const f = rastrigin(0.4)
    const method = consensusBased({ spread: 3, seed: 1 })
    const global = await minimize(f, [3.4, -2.6, 3.4, 2.4], { method, maxSteps: 3000 })
    expect(global.reason).toBe('collapsed')
    for (const x of global.values) expect(x).toBeCloseTo(0.4, 7)
    const local = await minimize(f, [3.4, -2.6, 3.4, 2.4])
    expect(local.converged).toBe(true)
    expect(local.value).toBeGreaterThan(5)
  })

  test('the same seed gives the same digits, another others', async () => {
    const run = (seed: number) =>
      minimize(rosenbrock, start, { method: consensusBased({ seed, particles: 30 }), maxSteps: 20 })
    const [a, b, c] = [await run(1), await run(1), await run(2)]
    expect(a.values).toEqual(b.values)
    expect(a.values).not.toEqual(c.values)
  })

  test('a simplex minimises what has kinks', async () => {
    const f = ([x, y]: number[]) => Math.abs(x! - 2) + 3 * Math.abs(y! + 1)
    const gradient = () => [0, 0]
    const result = await minimize(f as never, [0, 0], { method: 'nelderMead', gradient })
    expect(result.values[0]).toBeCloseTo(2, 6)
    expect(result.values[1]).toBeCloseTo(-1, 6)
    expect(result.evaluations.gradient).toBe(0)
  })
})

describe('bad input is refused at once', () => {
  test.each([
    [{ method: 'bfgs' }, start, /method: got "bfgs", expected one of lbfgs/],
    [{}, [Number.NaN, 0], /start: \[0\] is NaN/],
    [{ fixed: ['x'] }, start, /fixed: there is no parameter x/],
    [{ bounds: [0, 1] }, start, /start: \[0\] is -1.2, expected it within its bounds/],
    [{ tolerance: -1 }, start, /tolerance: got -1/],
  ])('%j', async (options, from, message) => {
    await expect(minimize(rosenbrock, from, options as object)).rejects.toThrow(message)
  })

  test('functions of more than one number, and starts outside the domain', async () => {
    await expect(minimize((x: Tensor) => np.square(x), start)).rejects.toThrow(/one number/)
    for (const method of ['lbfgs', 'nelderMead', 'consensus'] as const)
      await expect(minimize((x: Tensor) => np.sum(np.log(x)), [-1, 2], { method })).rejects.toThrow(
        /the function is NaN there/,
      )
  })
})
