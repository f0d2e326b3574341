import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { direct } from '../../../src/optimize/constrained/direct.js'
import { tracedConstrained } from '../../../src/optimize/constrained/functions.js'
import { krylov } from '../../../src/optimize/constrained/krylov.js'
import { lagrangianOf } from '../../../src/optimize/constrained/lagrangian.js'
import { minresSteps } from '../../../src/optimize/constrained/minresSteps.js'
import { kktMatrix, nullSpaceStep, tangentSpace } from '../../../src/optimize/constrained/nullSpace.js'
import { type KktSystem, sketched } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'

/** A random symmetric matrix, indefinite if its shift is small. */
function symmetric(random: Random, n: number, shift: number): Float64Array {
  const root = random.normals(n * n)
  return root.map((x, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return (x + root[j * n + i]!) / 2 + (i === j ? shift : 0)
  })
}

/** The solution of [H + shift, J^T; J, 0] d = -(g, r), by elimination. */
function bySolve(
  hessian: Float64Array,
  jacobian: Float64Array,
  shift: number,
  g: Float64Array,
  r: Float64Array,
): number[] {
  const [n, m] = [g.length, r.length]
  const rows = Array.from({ length: n + m }, (_, i) =>
    Array.from({ length: n + m }, (_, j) => {
      if (i < n && j < n) return hessian[i * n + j]! + (i === j ? shift : 0)
      if (i < n) return jacobian[(j - n) * n + i]!
      return j < n ? jacobian[(i - n) * n + j]! : 0
    }),
  )
  return Array.from(
    np.solve(
      rows,
      [...g, ...r].map((x) => -x),
    ).data as Float64Array,
  )
}

const ones = (n: number) => new Float64Array(n).fill(1)

describe('the null-space step', () => {
  test('solves the equations that elimination solves, with Hessians of any sign', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed)
      const [n, m] = [2 + (seed % 7), 1 + (seed % 2)]
      const hessian = symmetric(random, n, seed % 3)
      const [jacobian, gradient, residual] = [random.normals(m * n), random.normals(n), random.normals(m)]
      const matrix = { hessian, jacobian }
      const space = tangentSpace(matrix, n)
      const shift = seed % 2 ? 0 : 3
      const { move, change } = nullSpaceStep(matrix, space, shift, { gradient, residual, sizes: ones(m) })
      const expected = bySolve(hessian, jacobian, shift, gradient, residual)
      ;[...move, ...change].forEach((x, i) => {
        expect(x).toBeCloseTo(expected[i]!, 8)
      })
    }
  })

  test('of as many equations as unknowns is Newton’s', () => {
    const random = new Random('square')
    const [jacobian, residual] = [random.normals(9), random.normals(3)]
    const matrix = { hessian: symmetric(random, 3, 0), jacobian }
    const space = tangentSpace(matrix, 3)
    expect(space.tangent.length).toBe(0)
    const right = { gradient: random.normals(3), residual, sizes: ones(3) }
    const { move } = nullSpaceStep(matrix, space, 0, right)
    const expected = np.solve(
      new Tensor(jacobian, [3, 3]),
      residual.map((r) => -r),
    ).data
    move.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i] as number, 10)
    })
  })

  test('of equations that depend on each other satisfies those that agree, and shares the force among them', () => {
    const hessian = Float64Array.of(2, 0, 0, 3)
    const jacobian = Float64Array.of(1, 1, 2, 2)
    const matrix = { hessian, jacobian }
    const space = tangentSpace(matrix, 2)
    expect(space.normal.length).toBe(1)
    const right = { gradient: Float64Array.of(1, -1), residual: Float64Array.of(-1, -2), sizes: ones(2) }
    const { move, change } = nullSpaceStep(matrix, space, 0, right)
    const [dx, l] = [bySolve(hessian, jacobian.slice(0, 2), 0, right.gradient, Float64Array.of(-1)), change]
    expect(move[0]).toBeCloseTo(dx[0]!, 12)
    expect(move[1]).toBeCloseTo(dx[1]!, 12)
    expect(l[0]! + 2 * l[1]!).toBeCloseTo(dx[2]!, 12)
    expect(l[1]! / l[0]!).toBeCloseTo(2, 10)
  })

  test('of equations that contradict each other goes between them', () => {
    const matrix = { hessian: Float64Array.of(1, 0, 0, 1), jacobian: Float64Array.of(1, 0, 1, 0) }
    const right = { gradient: new Float64Array(2), residual: Float64Array.of(-1, -2), sizes: ones(2) }
    const { move } = nullSpaceStep(matrix, tangentSpace(matrix, 2), 0, right)
    expect(move[0]).toBeCloseTo(1.5, 12)
  })
})

describe('solvers of the equations', () => {
  const n = 5
  const random = new Random('solvers')
  const weights = random.normals(n)
  const value = (x: Tensor) => np.add(np.sum(np.square(x)), np.sum(np.sin(np.multiply(x, weights))))
  const constraints = (x: Tensor) => np.stack([np.sum(np.square(x)), np.sum(x)])
  const system = async (): Promise<KktSystem> => {
    const draw = new Random('point')
    const f = tracedConstrained(value, constraints, new Float64Array(n), 2)
    const model = await lagrangianOf(f).at(draw.normals(n), draw.normals(2).map(Math.abs))
    return {
      model,
      residual: model.constraints,
      sizes: ones(2),
      optimality: 1e-20,
      iteration: 0,
      signal: undefined,
    }
  }

  test.each([
    ['direct', direct, 1e-10],
    ['krylov', krylov(), 1e-8],
    ['krylov without a preconditioner', { name: 'minres', prepare: minresSteps }, 1e-8],
    ['Gaussian sketches', sketched(), 1e-8],
    ['Kaczmarz’s', sketched({ sketch: 'kaczmarz' }), 1e-8],
  ] as const)('%s agree with elimination', async (_, solver, error) => {
    const given = await system()
    const { model, residual } = given
    const expected = bySolve(
      await model.hessian(),
      (await kktMatrix(model)).jacobian,
      0,
      model.gradient,
      residual,
    )
    const { move, change } = await (await solver.prepare(given)).solve(1e-9)
    const size = Math.hypot(...expected)
    ;[...move, ...change].forEach((x, i) => {
      expect(Math.abs(x - expected[i]!)).toBeLessThan(error * size)
    })
  })

  test('sketching is as accurate as asked, works more for more, and stops at its limit', async () => {
    const given = await system()
    const { model, residual } = given
    const works: number[] = []
    for (const accuracy of [1, 1e-3, 1e-6]) {
      const steps = await sketched({ seed: 2 }).prepare(given)
      works.push((await steps.solve(accuracy)).work)
    }
    expect(works).toEqual([...works].sort((a, b) => a - b))
    expect(works[2]).toBeGreaterThan(works[0]!)
    const limited = await sketched({ maxSketches: 10 }).prepare(given)
    expect((await limited.solve(1e-6)).work).toBe(10)
    expect(model.constraints).toBe(residual)
  })
})
