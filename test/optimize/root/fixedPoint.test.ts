import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import { type AndersonState, fixedPoint } from '../../../src/optimize/index.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { uniform } from '../../helpers/random.js'

/** x -> A x + b with the spectral radius asked for. */
function affine(seed: number, n: number, radius: number) {
  const random = uniform(seed)
  const raw = Array.from({ length: n }, () => Array.from({ length: n }, () => random() - 0.5))
  const a = np.add(raw, np.transpose(np.asarray(raw)))
  const largest = Math.max(...np.eigvalsh(a).data.map(Math.abs))
  const matrix = np.multiply(a, radius / largest)
  const b = np.asarray(Array.from({ length: n }, () => random()))
  const expected = np.solve(np.subtract(np.eye(n), matrix), b).data
  return { g: (x: Tensor) => np.add(np.matmul(matrix, x), b), expected }
}

describe('fixedPoint', () => {
  test('finds the point that cosine leaves as it is', async () => {
    const result = await fixedPoint((x: Tensor) => np.cos(x), [1])
    expect(result.reason).toBe('solved')
    expect(result.values[0]).toBeCloseTo(0.7390851332151607, 10)
    expect(result.evaluations).toBe(result.iterations + 1)
  })

  test('of affine maps ends as the linear system says, in far fewer steps than plain iteration', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { g, expected } = affine(seed, 10, 0.99)
      const [mixed, plain] = [
        await fixedPoint(g, new Float64Array(10)),
        await fixedPoint(g, new Float64Array(10), { memory: 0, maxSteps: 5000 }),
      ]
      for (const { values, converged } of [mixed, plain]) {
        expect(converged).toBe(true)
        values.forEach((x, i) => {
          expect(x / (expected[i] as number)).toBeCloseTo(1, 6)
        })
      }
      expect(mixed.iterations).toBeLessThan(plain.iterations / 5)
    }
  })

  test('with a window of all dimensions is exact after as many steps, as GMRES is', async () => {
    const { g } = affine(2, 6, 0.9)
    expect((await fixedPoint(g, new Float64Array(6), { memory: 6 })).iterations).toBeLessThanOrEqual(8)
  })

  test('finds fixed points that plain iteration flees', async () => {
    const { g, expected } = affine(4, 5, 3)
    const mixed = await fixedPoint(g, new Float64Array(5))
    expect(mixed.converged).toBe(true)
    mixed.values.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i] as number, 6)
    })
  })

  test('goes back to the best point where g is not finite', async () => {
    const result = await fixedPoint((x: Tensor) => np.subtract(3, np.sqrt(x)), [8.5], { maxSteps: 200 })
    expect(result.converged).toBe(true)
    expect(result.values[0]! + Math.sqrt(result.values[0]!)).toBeCloseTo(3, 9)
  })

  test('keeps trees, fixed parameters, and continues from a state with the same digits', async () => {
    const g = ({ a, b }: Record<'a' | 'b', Tensor>) => ({ a: np.cos(np.multiply(a, b)), b: np.sin(a) })
    const whole = await fixedPoint(g, { a: 1, b: 0.5 })
    const states: AndersonState[] = []
    await fixedPoint(g, { a: 1, b: 0.5 }, { onStep: (state) => states.push(state) })
    const rest = await fixedPoint(g, { a: 1, b: 0.5 }, { state: structuredClone(states[2]!) })
    expect(rest.values).toEqual(whole.values)
    expect(whole.point.b.item()).toBeCloseTo(Math.sin(whole.point.a.item()), 9)
  })

  test('says that a map without fixed point has none', async () => {
    const result = await fixedPoint((x: Tensor) => np.add(np.add(x, 1), np.square(x)), [0], { maxSteps: 50 })
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('maxSteps')
  })

  test('refuses maps to other lengths, and starts outside the domain', async () => {
    await expect(fixedPoint((x: Tensor) => np.concatenate([x, x]), [1])).rejects.toThrow(
      /g: returns 2 numbers for 1/,
    )
    await expect(fixedPoint((x: Tensor) => np.log(x), [-1])).rejects.toThrow(/g is not finite there/)
    await expect(fixedPoint((x: Tensor) => x, [1], { mixing: 2 })).rejects.toThrow(/mixing: got 2/)
  })
})
