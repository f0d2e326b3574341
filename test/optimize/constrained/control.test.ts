import { describe, expect, test } from 'vitest'
import { ellipticControl } from '../../../papers/constrainedProblems.js'
import { constraintsOf } from '../../../papers/hockSchittkowski.js'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import {
  constraintPreconditioner,
  gramPattern,
} from '../../../src/optimize/constrained/constraintPreconditioner.js'
import { minimize } from '../../../src/optimize/index.js'
import { rowsOfColumns, type SparseRows } from '../../../src/optimize/leastSquares/sparse/sparseRows.js'
import type { Tensor } from '../../../src/tensor/index.js'
import { distance } from '../sparse/chains.js'

/** x of [lower, diagonal, upper] x = b, a tridiagonal matrix with -1 beside its diagonal, by Thomas' elimination. */
function solveTridiagonal(diagonal: Float64Array, b: Float64Array): Float64Array {
  const n = b.length
  const [pivot, x] = [diagonal.slice(), b.slice()]
  for (let i = 1; i < n; i++) {
    pivot[i] = pivot[i]! - 1 / pivot[i - 1]!
    x[i] = x[i]! + x[i - 1]! / pivot[i - 1]!
  }
  for (let i = n - 1; i >= 0; i--) x[i] = (x[i]! + (i + 1 < n ? x[i + 1]! : 0)) / pivot[i]!
  return x
}

/**
 * By which part the controls of {@link ellipticControl} fail to be best for the states that follow from them: these by
 * Newton's method, the slope by the adjoint equation, all in numbers.
 */
function reducedSlope(z: Float64Array, price = 4e-4): number {
  const n = z.length / 2
  const h = 1 / (n + 1)
  const u = z.slice(n)
  const y = z.slice(0, n)
  const diagonal = () => y.map((yi) => 2 + 3 * h * h * yi * yi)
  for (let step = 0; step < 5; step++) {
    const left = y.map((yi, i) => 2 * yi - (y[i - 1] ?? 0) - (y[i + 1] ?? 0) + h * h * yi ** 3 - u[i]!)
    const move = solveTridiagonal(diagonal(), left)
    y.forEach((yi, i) => {
      y[i] = yi - move[i]!
    })
  }
  const miss = y.map((yi, i) => yi - Math.sin(Math.PI * (i + 1) * h))
  const adjoint = solveTridiagonal(diagonal(), miss)
  const slopes = u.map((ui, i) => (price / h ** 4) * ui + adjoint[i]!)
  return Math.max(...slopes.map(Math.abs)) / Math.max(...adjoint.map(Math.abs))
}

/** A pendulum of unit length swung up in 3 seconds at the least cost, by the trapezoidal rule in n steps. */
function pendulum(n: number) {
  const h = 3 / n
  const parts = (z: Tensor) =>
    [0, n, 2 * n].map((from) => np.slice(z, [from, from + n])) as [Tensor, Tensor, Tensor]
  const earlier = (x: Tensor) => np.concatenate([new Float64Array(1), np.slice(x, [0, n - 1])])
  const last = (x: Tensor) => np.slice(x, [n - 1, n])
  return {
    start: new Float64Array(3 * n).fill(0.1),
    value: (z: Tensor) => np.multiply(h / 2, np.sum(np.square(parts(z)[2]))),
    equations(z: Tensor) {
      const [angle, speed, force] = parts(z)
      const step = (x: Tensor, before: Tensor, rates: Tensor) =>
        np.subtract(np.subtract(x, before), np.multiply(h / 2, rates))
      const [angleBefore, speedBefore] = [earlier(angle), earlier(speed)]
      const fall = np.add(np.sin(angle), np.sin(angleBefore))
      return np.concatenate([
        step(angle, angleBefore, np.add(speed, speedBefore)),
        step(speed, speedBefore, np.subtract(np.multiply(2, force), fall)),
        np.subtract(last(angle), Math.PI),
        last(speed),
      ])
    },
  }
}

describe('optimal control with products of the Hessian', () => {
  test.each([300, 1000, 3000])('of an elliptic equation, %i parameters', async (size) => {
    const problem = ellipticControl(size / 2)
    const solve = (kktSolver?: 'direct') =>
      minimize(problem.value, problem.start as number[], {
        constraints: constraintsOf(problem),
        ...(kktSolver && { kktSolver }),
      })
    const result = await solve()
    expect(result.method).toBe('sqp, krylov')
    expect(result.converged, result.message).toBe(true)
    expect(result.evaluations.matrix).toBe(0)
    expect(result.iterations).toBeLessThan(6)
    expect(result.evaluations.product).toBeLessThan(100)
    expect(reducedSlope(result.values)).toBeLessThan(1e-7)
    if (size > 300) return
    const direct = await solve('direct')
    expect(result.value / direct.value - 1).toBeLessThan(1e-10)
    expect(distance(result.values, direct.values)).toBeLessThan(1e-7)
  })

  test.each([300, 999, 3000])('of a pendulum, %i parameters', async (size) => {
    const { value, equations, start } = pendulum(size / 3)
    const constraints = [{ value: equations, equal: 0 }]
    const result = await minimize(value, start, { constraints })
    expect(result.converged, result.message).toBe(true)
    expect(result.iterations).toBeLessThan(10)
    expect(result.evaluations.product).toBeLessThan(150)
    if (size > 300) {
      // The error of the rule falls with the square of the step.
      const [half, quarter] = await Promise.all(
        [size / 6, size / 12].map(async (steps) => {
          const { value, equations, start } = pendulum(Math.floor(steps))
          return (await minimize(value, start, { constraints: [{ value: equations, equal: 0 }] })).value
        }),
      )
      expect((quarter! - half!) / (half! - result.value)).toBeGreaterThan(3.5)
      expect((quarter! - half!) / (half! - result.value)).toBeLessThan(4.5)
      return
    }
    const direct = await minimize(value, start, { constraints, kktSolver: 'direct' })
    expect(result.value / direct.value - 1).toBeLessThan(1e-9)
    expect(distance(result.values, direct.values)).toBeLessThan(1e-6)
  })

  test('ends at the lowest of many curvatures on a sphere, through points where they are negative', async () => {
    for (const n of [300, 1000]) {
      const a = new Random(`sphere ${n}`).normals(n)
      const result = await minimize(
        (x: Tensor) => np.sum(np.multiply(a, np.square(x))),
        new Random('start').normals(n),
        { constraints: [{ value: (x: Tensor) => np.sum(np.square(x)), equal: 1 }] },
      )
      expect(result.converged, result.message).toBe(true)
      expect(result.value).toBeCloseTo(Math.min(...a), 9)
    }
  })

  test('does not mind constraints that are there twice', async () => {
    const { value, equations, start } = pendulum(80)
    const once = await minimize(value, start, { constraints: [{ value: equations, equal: 0 }] })
    const twice = await minimize(value, start, {
      constraints: [
        { value: equations, equal: 0 },
        { value: equations, equal: 0 },
      ],
    })
    expect(twice.converged, twice.message).toBe(true)
    expect(distance(twice.values, once.values)).toBeLessThan(1e-6)
  })
})

describe('the constraint preconditioner', () => {
  test('solves the equations that elimination solves', () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = new Random(seed)
      const [n, m] = [8, 1 + (seed % 5)]
      const diagonal = random.normals(n).map((x) => 10 ** x)
      const [g, r] = [random.normals(n), random.normals(m)]
      const columns = random.normals(m * n).map((x) => (Math.abs(x) < 0.5 ? 0 : x))
      const rows = Array.from({ length: n + m }, (_, i) =>
        Array.from({ length: n + m }, (_, k) => {
          if (i < n && k < n) return i === k ? diagonal[i]! : 0
          if (i < n) return columns[i * m + k - n]!
          return k < n ? columns[k * m + i - n]! : 0
        }),
      )
      const expected = np.solve(rows, [...g, ...r]).data as Float64Array
      const jacobian = rowsOfColumns(columns, n)
      const { x, l } = constraintPreconditioner(jacobian, diagonal, gramPattern(jacobian, n)!)(g, r)
      expect(distance(Float64Array.of(...x, ...l), expected)).toBeLessThan(1e-10)
    }
  })

  test('is not made where constraints are too many and too dense', () => {
    const rows = 10_000
    const sharing: SparseRows = {
      rowPointers: Int32Array.from({ length: rows + 1 }, (_, i) => i),
      columns: new Int32Array(rows),
      values: new Float64Array(rows).fill(1),
    }
    expect(gramPattern(sharing, 1)).toBeUndefined()
    const apart = { ...sharing, columns: Int32Array.from({ length: rows }, (_, i) => i) }
    expect(gramPattern(apart, rows)!.symbolic.nonzeros).toBe(rows)
  })
})
