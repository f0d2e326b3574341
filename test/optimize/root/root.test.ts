import { describe, expect, test } from 'vitest'
import * as np from '../../../src/numpy/index.js'
import { root } from '../../../src/optimize/index.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { uniform } from '../../helpers/random.js'

const { add, multiply, square, subtract } = np

function broyden(x: Tensor): Tensor {
  const n = x.shape[0]!
  const left = np.concatenate([[0], np.slice(x, [0, n - 1])])
  const right = np.concatenate([np.slice(x, [1, n]), [0]])
  return add(subtract(multiply(subtract(3, multiply(2, x)), x), add(left, multiply(2, right))), 1)
}

describe('root', () => {
  test('solves systems with known solutions', async () => {
    const circleAndLine = ({ x, y }: Record<'x' | 'y', Tensor>) => [
      subtract(add(square(x), square(y)), 25),
      subtract(add(x, y), 7),
    ]
    const f = (p: Record<'x' | 'y', Tensor>) => np.stack(circleAndLine(p))
    const result = await root(f, { x: 10, y: 1 })
    expect(result.reason).toBe('solved')
    expect(result.message).toBe('The equations hold.')
    expect([result.point.x.item(), result.point.y.item()].map((x) => Math.round(x * 1e12) / 1e12)).toEqual([
      4, 3,
    ])
    expect(result.names).toEqual(['x', 'y'])
  })

  test('solves Broyden’s tridiagonal equations and Powell’s badly scaled ones', async () => {
    const broydens = await root(broyden, new Float64Array(30).fill(-1))
    expect(broydens.converged).toBe(true)
    expect(Math.max(...broydens.residual.map(Math.abs))).toBeLessThan(1e-14)

    const powell = ({ x, y }: Record<'x' | 'y', Tensor>) =>
      np.stack([
        subtract(multiply(multiply(1e4, x), y), 1),
        subtract(add(np.exp(np.negative(x)), np.exp(np.negative(y))), 1.0001),
      ])
    const powells = await root(powell, { x: 0, y: 1 })
    expect(powells.converged).toBe(true)
    // More, Garbow and Hillstrom (1981), problem 3.
    expect(powells.values[0]! / 1.098159e-5).toBeCloseTo(1, 5)
    expect(powells.values[1]! / 9.106146).toBeCloseTo(1, 5)
  })

  test('solves thousands of equations from a sparse Jacobian, or from its products', async () => {
    const start = new Float64Array(2000).fill(-1)
    const sparse = await root(broyden, start)
    const products = await root(broyden, start, { jacobian: 'matrixFree' })
    expect([sparse.derivatives, products.derivatives]).toEqual(['sparse', 'matrix-free'])
    for (const { residual, converged, message } of [sparse, products]) {
      expect(converged, message).toBe(true)
      expect(Math.max(...residual.map(Math.abs))).toBeLessThan(1e-12)
    }
    const none = await root((x: Tensor) => add(square(x), 1), start, { jacobian: 'matrixFree', maxSteps: 50 })
    expect(none.converged).toBe(false)
  })

  test('solves random linear systems as solve does', async () => {
    const random = uniform(3)
    const a = Array.from({ length: 8 }, () => Array.from({ length: 8 }, () => random() - 0.5))
    const b = Array.from({ length: 8 }, () => random())
    const { values } = await root((x: Tensor) => subtract(np.matmul(a, x), b), new Float64Array(8))
    const expected = np.solve(a, b).data
    values.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i] as number, 10)
    })
  })

  test('finds double roots, slowly', async () => {
    const result = await root((x: Tensor) => square(subtract(x, 2)), [5])
    expect(result.converged).toBe(true)
    expect(result.values[0]).toBeCloseTo(2, 3)
  })

  test('takes functions of numbers, with given derivatives or by differences', async () => {
    const f = ([x]: number[]) => [Math.cos(x!) - x!]
    const given = await root(f, [1], { jacobian: ([x]: number[]) => [[-Math.sin(x!) - 1]] })
    const differences = await root(f, [1], { jacobian: 'finiteDifferences' })
    for (const { values, converged } of [given, differences]) {
      expect(converged).toBe(true)
      expect(values[0]).toBeCloseTo(0.7390851332151607, 12)
    }
  })

  test('within bounds finds the root that is there', async () => {
    const result = await root((x: Tensor) => np.sin(x), [5], { bounds: [4, 8] })
    expect(result.converged).toBe(true)
    expect(result.values[0]).toBeCloseTo(2 * Math.PI, 9)
  })

  test('of equations without a solution says so', async () => {
    const result = await root((x: Tensor) => add(square(x), 1), [3])
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('noRoot')
    expect(result.residual[0]).toBeCloseTo(1, 6)
  })

  test('refuses more or fewer equations than unknowns', async () => {
    await expect(root((x: Tensor) => np.concatenate([x, x]), [1, 2])).rejects.toThrow(
      /equations: got 4 for 2/,
    )
  })
})
