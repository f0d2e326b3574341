import { Matrix, pseudoInverse, solve } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  conjugateGradient,
  inverseOperator,
  lsmr,
  minres,
  Random,
  toDense,
  transposeOperator,
} from '../../src/linalg/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { operatorOf, withEigenvalues } from './operators/dense.js'

const random = new Random(11)
const rectangle = (rows: number, columns: number) =>
  new Matrix(Array.from({ length: rows }, () => [...random.normals(columns)]))
const column = (x: ArrayLike<number>) => Matrix.columnVector(Array.from(x))
const distance = (x: ArrayLike<number>, y: Matrix) => column(x).sub(y).norm() / y.norm()

const n = 30
const positive = withEigenvalues(
  Array.from({ length: n }, (_, i) => 0.1 + i),
  1,
)
const indefinite = withEigenvalues(
  Array.from({ length: n }, (_, i) => i - 9.5),
  2,
)
const b = random.normals(n)
const tolerance = 1e-12

describe('conjugate gradients', () => {
  test('solve a positive definite system', async () => {
    const solution = await conjugateGradient(operatorOf(positive), b, { tolerance })
    expect(distance(solution.x, solve(positive, column(b)))).toBeLessThan(1e-10)
    expect(solution).toMatchObject({ converged: true, reason: 'converged' })
    expect(solution.products).toBe(solution.steps + 1)
  })

  test('the residual told is that of the solution', async () => {
    const { x, residual } = await conjugateGradient(operatorOf(positive), b, { maxSteps: 5 })
    const exact =
      column(b)
        .sub(positive.mmul(column(x)))
        .norm() / column(b).norm()
    expect(residual / exact).toBeCloseTo(1, 10)
  })

  test('k different eigenvalues take k steps', async () => {
    const three = withEigenvalues(
      Array.from({ length: n }, (_, i) => [1, 5, 20][i % 3]!),
      3,
    )
    expect((await conjugateGradient(operatorOf(three), b, { tolerance: 1e-9 })).steps).toBe(3)
  })

  test('the inverse as preconditioner leaves one step, and a good one fewer than none', async () => {
    const scales = Array.from({ length: n }, (_, i) => 10 ** (i / 10))
    const scaled = Matrix.diag(scales).mmul(positive).mmul(Matrix.diag(scales))
    const inverse = operatorOf(solve(scaled, Matrix.eye(n)))
    const jacobi = operatorOf(Matrix.diag(scaled.diagonal().map((d) => 1 / d)))
    const steps = async (options: object) =>
      (await conjugateGradient(operatorOf(scaled), b, { tolerance: 1e-6, ...options })).steps
    expect(await steps({ preconditioner: inverse })).toBe(1)
    expect(await steps({ preconditioner: jacobi })).toBeLessThan((await steps({})) / 2)
  })

  test('a start near the solution saves steps', async () => {
    const x = solve(positive, column(b))
    const near = Float64Array.from(x.to1DArray(), (value) => value + 1e-5 * random.normal())
    const cold = await conjugateGradient(operatorOf(positive), b, { tolerance: 1e-8 })
    const warm = await conjugateGradient(operatorOf(positive), b, { tolerance: 1e-8, start: near })
    expect(warm.steps).toBeLessThan(cold.steps)
    expect(distance(warm.x, x)).toBeLessThan(1e-6)
  })

  test('negative curvature is found and handed out', async () => {
    const solution = await conjugateGradient(operatorOf(indefinite), b)
    expect(solution).toMatchObject({ converged: false, reason: 'negative curvature' })
    expect(solution.message).toContain('not positive definite')
    const p = column(solution.negativeCurvature!)
    expect(p.transpose().mmul(indefinite).mmul(p).get(0, 0)).toBeLessThanOrEqual(0)
  })

  test('an indefinite preconditioner and a step limit are told', async () => {
    const preconditioner = operatorOf(Matrix.eye(n).mul(-1))
    const refused = await conjugateGradient(operatorOf(positive), b, { preconditioner })
    expect(refused).toMatchObject({ converged: false, reason: 'indefinite preconditioner' })
    const limited = await conjugateGradient(operatorOf(positive), b, { maxSteps: 3 })
    expect(limited).toMatchObject({ converged: false, reason: 'step limit', steps: 3, products: 4 })
    expect(limited.message).toContain('Not converged in 3 steps')
  })

  test('float32 products that cannot meet a tolerance are not called converged', async () => {
    const single = operatorOf(positive, 'float32')
    expect((await conjugateGradient(single, b, { tolerance: 1e-5 })).reason).toBe('converged')
    const solution = await conjugateGradient(single, b, { tolerance: 1e-12 })
    expect(solution.converged).toBe(false)
    expect(solution.residual).toBeGreaterThan(1e-9)
  })
})

describe('minres', () => {
  test('solves an indefinite system, from anywhere', async () => {
    const expected = solve(indefinite, column(b))
    for (const start of [undefined, random.normals(n)]) {
      const solution = await minres(operatorOf(indefinite), b, { tolerance, ...(start && { start }) })
      expect(distance(solution.x, expected)).toBeLessThan(1e-10)
      expect(solution.reason).toBe('converged')
    }
  })

  test('the residual never grows', async () => {
    const residuals: number[] = []
    await minres(operatorOf(indefinite), b, { tolerance, onStep: ({ residual }) => residuals.push(residual) })
    residuals.slice(1).forEach((residual, i) => {
      expect(residual).toBeLessThanOrEqual(residuals[i]! * (1 + 1e-12))
    })
    expect(residuals.length).toBeGreaterThan(10)
  })

  test('of a singular system it finds the solution, or a least-squares solution that it calls so', async () => {
    const singular = withEigenvalues(
      Array.from({ length: n }, (_, i) => (i < 10 ? 0 : i - 15.5)),
      4,
    )
    const inside = singular.mmul(column(b)).to1DArray()
    const solved = await minres(operatorOf(singular), Float64Array.from(inside), { tolerance: 1e-10 })
    expect(solved.reason).toBe('converged')
    const outside = await minres(operatorOf(singular), b, { tolerance: 1e-10 })
    expect(outside).toMatchObject({ converged: true, reason: 'least squares' })
    const left = column(b).sub(singular.mmul(column(outside.x)))
    expect(singular.mmul(left).norm()).toBeLessThan(1e-6)
    const nearest = column(b).sub(singular.mmul(pseudoInverse(singular)).mmul(column(b)))
    expect(left.norm()).toBeCloseTo(nearest.norm(), 9)
  })

  test('the zero operator leaves x at 0', async () => {
    const solution = await minres(operatorOf(Matrix.zeros(3, 3)), Float64Array.of(1, 2, 3))
    expect(solution).toMatchObject({ reason: 'least squares', residual: 1, steps: 0 })
  })
})

describe('lsmr', () => {
  test.each([
    [30, 12],
    [12, 30],
    [15, 15],
  ])('%i equations for %i unknowns: the shortest least-squares solution', async (rows, columns) => {
    const a = rectangle(rows, columns)
    const b = random.normals(rows)
    const solution = await lsmr(operatorOf(a), b, { tolerance: 1e-13 })
    expect(solution.converged).toBe(true)
    expect(solution.reason).toBe(rows > columns ? 'least squares' : 'converged')
    expect(distance(solution.x, pseudoInverse(a).mmul(column(b)))).toBeLessThan(1e-9)
  })

  test('a matrix without full rank', async () => {
    const a = rectangle(20, 4).mmul(rectangle(4, 9))
    const b = random.normals(20)
    const { x } = await lsmr(operatorOf(a), b, { tolerance: 1e-13 })
    expect(distance(x, pseudoInverse(a).mmul(column(b)))).toBeLessThan(1e-9)
  })

  test('damping is that of the normal equations', async () => {
    const a = rectangle(12, 20)
    const b = random.normals(12)
    const damped = a.transpose().mmul(a).add(Matrix.eye(20).mul(0.49))
    const { x, reason } = await lsmr(operatorOf(a), b, { damping: 0.7, tolerance: 1e-13 })
    expect(distance(x, solve(damped, a.transpose().mmul(column(b))))).toBeLessThan(1e-10)
    expect(reason).toBe('least squares')
  })
})

describe('inverseOperator', () => {
  test.each([
    ['conjugateGradient', positive],
    ['minres', indefinite],
    ['lsmr', rectangle(n, n).add(Matrix.eye(n).mul(10))],
  ] as const)('by %s it is the inverse matrix', async (method, matrix) => {
    const inverse = inverseOperator(operatorOf(matrix), { method, tolerance: 1e-13 })
    const expected = solve(matrix, Matrix.eye(n)).to1DArray()
    const dense = await toDense(inverse)
    const transposed = await toDense(transposeOperator(inverse))
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        expect(dense.data[i * n + j]).toBeCloseTo(expected[i * n + j]!, 9)
        expect(transposed.data[j * n + i]).toBeCloseTo(expected[i * n + j]!, 9)
      }
  })

  test('a rectangle has its pseudo-inverse', async () => {
    const a = rectangle(9, 5)
    const inverse = inverseOperator(operatorOf(a), { method: 'lsmr', tolerance: 1e-13 })
    expect([inverse.rows, inverse.columns]).toEqual([5, 9])
    const expected = pseudoInverse(a).to1DArray()
    ;(await toDense(inverse)).data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 9)
    })
  })

  test('vectors of a block share the products, and give what each gives alone', async () => {
    const calls: number[] = []
    const inner = operatorOf(positive)
    const counting = {
      ...inner,
      apply(x: Tensor) {
        calls.push(x.shape[0]!)
        return inner.apply(x)
      },
    }
    const block = new Tensor(random.normals(4 * n), [4, n])
    const together = await inverseOperator(counting).apply(block)
    expect(calls[0]).toBe(4)
    expect(calls.length).toBeLessThan(40)
    for (let i = 0; i < 4; i++) {
      const { x } = await conjugateGradient(inner, Float64Array.from(block.data.subarray(i * n, (i + 1) * n)))
      expect(together.data.slice(i * n, (i + 1) * n)).toEqual(x)
    }
  })

  test('a solve that does not converge throws, saying the residual', async () => {
    const slow = inverseOperator(operatorOf(positive), { maxSteps: 2 })
    await expect(toDense(slow)).rejects.toThrow(
      /inverseOperator: vector 0 of 30: Not converged in 2 steps: the residual is \d/,
    )
    const singular = inverseOperator(operatorOf(Matrix.zeros(2, 2)), { method: 'minres' })
    await expect(toDense(singular)).rejects.toThrow('least-squares')
  })

  test('float32 in, float32 out', async () => {
    const inverse = inverseOperator(operatorOf(positive, 'float32'), { tolerance: 1e-5 })
    const x = await inverse.apply(new Tensor(Float32Array.from(b), [1, n]))
    expect(x.dtype).toBe('float32')
    expect(distance(x.data, solve(positive, column(b)))).toBeLessThan(1e-3)
  })
})

describe('every solver', () => {
  const a = operatorOf(positive)

  test.each([
    ['conjugateGradient', conjugateGradient],
    ['minres', minres],
    ['lsmr', lsmr],
  ] as const)('%s: zero, bad options, abort, progress', async (name, method) => {
    expect(await method(a, new Float64Array(n))).toMatchObject({ residual: 0, steps: 0, converged: true })
    await expect(method(a, b.subarray(1))).rejects.toThrow(
      `${name}: the right-hand side has ${n - 1} elements, expected ${n}`,
    )
    await expect(
      method(
        a,
        b.map(() => Number.NaN),
      ),
    ).rejects.toThrow('expected finite numbers')
    await expect(method(a, b, { tolerance: 0 })).rejects.toThrow(`${name}: tolerance is 0`)
    await expect(method(a, b, { maxSteps: 0 })).rejects.toThrow(`${name}: maxSteps is 0`)
    const controller = new AbortController()
    const seen: number[] = []
    const onStep = ({ done }: { done: number }) => {
      seen.push(done)
      if (done === 3) controller.abort(new Error('enough'))
    }
    const options = { tolerance, signal: controller.signal, onStep }
    await expect(method(a, b, options)).rejects.toThrow('enough')
    expect(seen).toEqual([1, 2, 3])
  })

  test('misfits of method and operator are told', async () => {
    const wide = operatorOf(rectangle(2, 3))
    const two = Float64Array.of(1, 2)
    await expect(conjugateGradient(wide, two)).rejects.toThrow('conjugateGradient: operator is 2 by 3')
    await expect(minres(wide, two)).rejects.toThrow('minres: operator is 2 by 3')
    const { applyTranspose: _, ...onward } = wide
    await expect(lsmr(onward, two)).rejects.toThrow('no applyTranspose')
    await expect(lsmr(wide, two, { damping: -1 })).rejects.toThrow('lsmr: damping is -1')
    await expect(conjugateGradient(a, b, { preconditioner: wide })).rejects.toThrow(
      `preconditioner is 2 by 3, expected ${n} by ${n}`,
    )
  })
})
