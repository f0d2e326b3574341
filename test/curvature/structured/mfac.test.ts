import { inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { dynamicMFac, staticMFac } from '../../../src/curvature/structured/index.js'
import { Random, topEigenpairs } from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/index.js'
import { expectDense, expectNear, expectStructured, plusDamping, randomMatrix, tensorOf } from './dense.js'

/** damping I + G^T G / m, by dense products. */
function fisher(gradients: Matrix, damping: number): Matrix {
  return plusDamping(gradients.transpose().mmul(gradients).div(gradients.rows), damping)
}

const rowsOf = (gradients: Matrix) => gradients.to2DArray().map((row) => Float64Array.from(row))

describe('static M-FAC', () => {
  test.each([
    [1, 1, 0.5],
    [6, 15, 0.1],
    [20, 8, 1e-3],
    [16, 40, 1e-5],
  ])('%i gradients of %i elements with damping %f', async (m, d, damping) => {
    const gradients = randomMatrix(m, d, m)
    const operator = staticMFac(tensorOf(gradients), damping)
    const dense = fisher(gradients, damping)
    await expectDense(operator, dense, 1e-12)
    await expectDense(operator.inverse(), inverse(dense))
    await expectDense(operator.inverse(0.2), inverse(plusDamping(dense, 0.2)))
    const diagonal = inverse(dense).diagonal()
    operator
      .inverse()
      .diagonal()
      .forEach((value, i) => {
        expectNear(value, diagonal[i]!, 1e-9)
      })
  })

  test.each([
    ['float64', 1e-9],
    ['float32', 1e-4],
  ] as const)('everything it knows is that of the dense matrix, in %s', async (dtype, accuracy) => {
    const gradients = randomMatrix(5, 9, 3)
    await expectStructured(staticMFac(tensorOf(gradients, dtype), 0.4), fisher(gradients, 0.4), accuracy)
  })

  test('bad gradients and dampings are refused', () => {
    expect(() => staticMFac(new Tensor(new Float64Array(3)), 1)).toThrow(
      'gradients has shape [3], expected [m, d]',
    )
    expect(() => staticMFac(tensorOf(Matrix.eye(2)), 0)).toThrow('staticMFac: damping is 0')
    expect(() => staticMFac(tensorOf(Matrix.eye(2)), 1).inverse(-1)).toThrow('the sum of dampings is 0')
  })
})

describe('dynamic M-FAC', () => {
  const [d, window] = [12, 5]

  test('is the inverse of the last gradients, at every push and far beyond the window', async () => {
    const gradients = randomMatrix(60, d, 4)
    const operator = dynamicMFac(d, { window, damping: 0.05 })
    const x = new Tensor(new Random(6).normals(2 * d), [2, d])
    for (const [i, gradient] of rowsOf(gradients).entries()) {
      operator.push(gradient)
      expect(operator.count).toBe(Math.min(i + 1, window))
      const last = gradients.subMatrix(Math.max(0, i - window + 1), i, 0, d - 1)
      const dense = inverse(fisher(last, 0.05))
      const expected = new Matrix(x.toArray() as number[][]).mmul(dense).to1DArray()
      const product = await operator.inverse().apply(x)
      product.data.forEach((value, at) => {
        expectNear(value, expected[at]!, 1e-9)
      })
    }
    const last = gradients.subMatrix(60 - window, 59, 0, d - 1)
    await expectStructured(operator, fisher(last, 0.05))
  })

  test.each([0, 1, 3, 7])(
    'after %i pushes it is what static M-FAC is of the same gradients',
    async (pushes) => {
      const gradients = randomMatrix(7, d, 5)
      const operator = dynamicMFac(d, { window: 7, damping: 0.2 })
      for (const gradient of rowsOf(gradients).slice(0, pushes)) operator.push(gradient)
      if (pushes === 0) return expectStructured(operator, Matrix.eye(d).mul(0.2))
      const held = gradients.subMatrix(0, pushes - 1, 0, d - 1)
      const same = staticMFac(tensorOf(held), 0.2)
      await expectDense(operator.inverse(), inverse(fisher(held, 0.2)))
      expectNear(operator.logDeterminant(), same.logDeterminant(), 1e-10)
      expectNear(operator.inverse().trace(), same.inverse().trace(), 1e-10)
    },
  )

  test('keeps float32 gradients and multiplies float32 vectors', async () => {
    const gradients = randomMatrix(8, d, 7)
    const operator = dynamicMFac(d, { window: 4, damping: 0.5, dtype: 'float32' })
    for (const gradient of rowsOf(gradients)) operator.push(gradient)
    await expectStructured(operator, fisher(gradients.subMatrix(4, 7, 0, d - 1), 0.5), 1e-4)
  })

  test('an inverse stays that of the gradients when it was made, and a pushed array may be reused', async () => {
    const operator = dynamicMFac(d, { window: 2, damping: 0.3 })
    const gradient = new Random(8).normals(d)
    operator.push(gradient)
    const dense = inverse(fisher(new Matrix([[...gradient]]), 0.3))
    const before = operator.inverse()
    gradient.fill(1)
    for (let i = 0; i < 3; i++) operator.push(gradient)
    await expectDense(before, dense)
    expectNear(before.trace(), dense.trace(), 1e-9)
  })

  test('is an operator for the eigenvalue solvers', async () => {
    const operator = dynamicMFac(d, { window: 1, damping: 0.25 })
    operator.push(Float64Array.from({ length: d }, (_, i) => (i === 3 ? 2 : 0)))
    const { eigenvalues } = await topEigenpairs(operator, { count: 2, seed: 1 })
    expect(eigenvalues[0]!.value).toBeCloseTo(4.25, 9)
    expect(eigenvalues[1]!.value).toBeCloseTo(0.25, 9)
  })

  test('bad options and gradients are refused', () => {
    expect(() => dynamicMFac(0)).toThrow('dynamicMFac: size is 0')
    expect(() => dynamicMFac(2, { window: 0 })).toThrow('dynamicMFac: window is 0')
    expect(() => dynamicMFac(2, { damping: -1 })).toThrow('dynamicMFac: damping is -1')
    const operator = dynamicMFac(2)
    expect(() => operator.push(Float64Array.of(1))).toThrow('the gradient has 1 elements')
    expect(() => operator.push(Float64Array.of(1, Number.NaN))).toThrow('norm NaN, expected 2 finite numbers')
    expect(operator.count).toBe(0)
  })
})
