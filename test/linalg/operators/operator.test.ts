import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  checkSymmetric,
  denseOperator,
  type LinearOperator,
  Random,
  scaleOperator,
  shiftOperator,
  sumOperator,
} from '../../../src/linalg/index.js'
import { Tensor, tensor } from '../../../src/tensor/tensor.js'
import { operatorOf, randomSymmetric } from './dense.js'

describe('operators', () => {
  const a = new Matrix([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const x = tensor([
    [1, 0, 2],
    [0, 1, -1],
  ])

  test('a matrix maps a block of row vectors', async () => {
    const y = await operatorOf(a).apply(x)
    expect(y.toArray()).toEqual([
      [7, 16],
      [-1, -1],
    ])
    const single = await operatorOf(a, 'float32').apply(new Tensor(Float32Array.from(x.data), x.shape))
    expect(single.dtype).toBe('float32')
    expect(single.toArray()).toEqual(y.toArray())
  })

  test('scaled, summed and shifted operators are those of the scaled, summed and shifted matrices', async () => {
    const s = randomSymmetric(3, 1)
    const operator = shiftOperator(sumOperator(scaleOperator(operatorOf(s), 2), operatorOf(s)), -0.5)
    const expected = await operatorOf(s.clone().mul(3).sub(Matrix.eye(3).mul(0.5))).apply(x)
    const got = await operator.apply(x)
    got.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.data[i]!, 13)
    })
  })

  test('shapes and dtypes that do not fit are refused by name', () => {
    expect(() => sumOperator(operatorOf(a), operatorOf(a.transpose()))).toThrow(
      'sumOperator: operator 1 is 3 by 2 float64, the first is 2 by 3 float64',
    )
    expect(() => sumOperator(operatorOf(a), operatorOf(a, 'float32'))).toThrow('float32')
    expect(() => shiftOperator(operatorOf(a), 1)).toThrow('shiftOperator: operator is 2 by 3')
    expect(() => denseOperator(tensor([1, 2]))).toThrow('matrix has shape [2]')
    expect(() => denseOperator(tensor([[true]]))).toThrow('matrix is bool')
    expect(() => operatorOf(a).apply(tensor([1, 2, 3]))).toThrow('vectors has shape [3], expected [k, 3]')
  })
})

describe('checkSymmetric', () => {
  const n = 40

  test.each(['float64', 'float32'] as const)('a symmetric %s operator passes', async (dtype) => {
    const check = await checkSymmetric(operatorOf(randomSymmetric(n, 2), dtype), { seed: 1 })
    expect(check.relativeAsymmetry).toBeLessThan(dtype === 'float64' ? 1e-14 : 1e-6)
    expect(check).toMatchObject({ relativeDifference: 0, deterministic: true })
  })

  test('the asymmetry is about |A - A^T| / |A|', async () => {
    const random = new Random(3)
    const g = new Matrix(Array.from({ length: n }, () => [...random.normals(n)]))
    const a = randomSymmetric(n, 4).add(g.clone().mul(0.1))
    const exact = a.clone().sub(a.transpose()).norm() / a.norm()
    const { relativeAsymmetry } = await checkSymmetric(operatorOf(a), { seed: 1 })
    expect(relativeAsymmetry / exact).toBeGreaterThan(0.2)
    expect(relativeAsymmetry / exact).toBeLessThan(3)
  })

  test('an operator that changes between products is found out', async () => {
    const random = new Random(5)
    const operator = operatorOf(randomSymmetric(n, 2))
    const noisy: LinearOperator = {
      ...operator,
      apply: (x) => scaleOperator(operator, 1 + 0.01 * random.normal()).apply(x),
    }
    const check = await checkSymmetric(noisy)
    expect(check.deterministic).toBe(false)
    expect(check.relativeDifference).toBeGreaterThan(1e-4)
  })

  test('the zero operator is symmetric', async () => {
    expect(await checkSymmetric(operatorOf(Matrix.zeros(3, 3)))).toEqual({
      relativeAsymmetry: 0,
      relativeDifference: 0,
      deterministic: true,
    })
  })
})
