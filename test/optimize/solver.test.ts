import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { type DescentState, leastSquares, prepareLeastSquares, type Scale } from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'

const rosenbrock = ({ x, y }: Record<'x' | 'y', Tensor>) =>
  np.stack([np.multiply(10, np.subtract(y, np.square(x))), np.subtract(1, x)])
const start = { x: -1.2, y: 1 }

describe('a run', () => {
  test.each(['levenbergMarquardt', 'damped', 'dogleg'] as const)(
    'stopped after any step continues with the same digits (%s)',
    async (method) => {
      const whole = await leastSquares(rosenbrock, start, { method })
      expect(whole.converged).toBe(true)
      for (let maxSteps = 1; maxSteps < whole.iterations; maxSteps += 3) {
        const part = await leastSquares(rosenbrock, start, { method, maxSteps })
        expect(part.reason).toBe('maxSteps')
        expect(part.converged).toBe(false)
        const state = structuredClone(part.state)
        const rest = await leastSquares(rosenbrock, start, { method, state })
        expect(rest.values).toEqual(whole.values)
        expect(rest.iterations).toBe(whole.iterations)
      }
    },
  )

  test('reports every step, and its history is that of the steps', async () => {
    const seen: DescentState<Scale>[] = []
    const result = await leastSquares(rosenbrock, start, { onStep: (state) => seen.push(state) })
    expect(seen.length).toBe(result.iterations)
    expect(result.history.slice(1).map(({ value }) => value)).toEqual(seen.map(({ value }) => value))
    const values = result.history.filter(({ accepted }) => accepted).map(({ value }) => value)
    expect(values).toEqual([...values].sort((a, b) => b - a))
  })

  test('ends with the signal’s reason', async () => {
    const stop = new AbortController()
    const onStep = ({ iteration }: { iteration: number }) => {
      if (iteration === 3) stop.abort(new Error('enough'))
    }
    await expect(leastSquares(rosenbrock, start, { signal: stop.signal, onStep })).rejects.toThrow('enough')
  })

  test('of a prepared problem starts anywhere', async () => {
    const problem = await prepareLeastSquares(rosenbrock, start)
    for (const from of [
      [3, -2],
      [-4, 7],
    ])
      expect(Array.from((await problem.solve({ start: Float64Array.from(from) })).values)).toEqual([1, 1])
    await problem.dispose()
  })

  test('hands out nothing that it writes over later', async () => {
    const problem = await prepareLeastSquares(rosenbrock, start)
    const states: DescentState<Scale>[] = []
    const copies: DescentState<Scale>[] = []
    const onStep = (state: DescentState<Scale>) => {
      states.push(state)
      copies.push(structuredClone(state))
    }
    const { model } = await problem.solve({ onStep })
    const copy = structuredClone(model)
    await problem.solve({ start: Float64Array.of(3, -2) })
    expect(states).toEqual(copies)
    expect(model).toEqual(copy)
    const [x, y] = states.at(-1)!.point
    expect(Array.from(model.residual)).toEqual([10 * (y! - x! * x!), 1 - x!])
    expect(Array.from(model.columns, (c) => c + 0)).toEqual([-20 * x!, -1, 10, 0])
  })

  test('with a tolerance takes fewer steps', async () => {
    const f = ({ x, y }: Record<'x' | 'y', Tensor>) => np.concatenate([rosenbrock({ x, y }), [3]])
    const [exact, rough] = [await leastSquares(f, start), await leastSquares(f, start, { tolerance: 0.3 })]
    expect(rough.reason).toBe('optimal')
    expect(rough.iterations).toBeLessThan(exact.iterations)
  })
})
