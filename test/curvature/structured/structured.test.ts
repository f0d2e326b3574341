import { inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  correctedEigenvalues,
  factoredDamping,
  structuredBlockDiagonal,
  structuredDense,
  structuredDiagonal,
  structuredEigenKronecker,
  structuredKronecker,
  structuredLowRank,
} from '../../../src/curvature/structured/index.js'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { Tensor, tensor } from '../../../src/tensor/index.js'
import { randomSymmetric } from '../../linalg/operators/dense.js'
import {
  expectDense,
  expectStructured,
  plusDamping,
  randomMatrix,
  randomPositive,
  tensorOf,
} from './dense.js'

const random = new Random(5)
const positive = (n: number) => Float64Array.from(random.normals(n), (x) => 0.2 + x * x)
const single = (x: Float64Array) => Float32Array.from(x)

describe.each([
  ['float64', 1e-9],
  ['float32', 1e-4],
] as const)('in %s, against dense matrices:', (dtype, accuracy) => {
  const vector = (x: Float64Array) => (dtype === 'float64' ? x : single(x))

  test('diagonal', async () => {
    const d = positive(7)
    await expectStructured(structuredDiagonal(vector(d)), Matrix.diag([...d]), accuracy)
  })

  test.each([1, 2, 9])('dense symmetric of %i rows', async (n) => {
    const a = randomPositive(n, n)
    await expectStructured(structuredDense(tensorOf(a, dtype)), a, accuracy)
  })

  test('blocks along the diagonal', async () => {
    const [a, b, d] = [randomPositive(4, 1), randomPositive(2, 2), positive(3)]
    const operator = structuredBlockDiagonal(
      structuredDense(tensorOf(a, dtype)),
      structuredDiagonal(vector(d)),
      structuredDense(tensorOf(b, dtype)),
    )
    const dense = Matrix.zeros(9, 9)
      .setSubMatrix(a, 0, 0)
      .setSubMatrix(Matrix.diag([...d]), 4, 4)
      .setSubMatrix(b, 7, 7)
    await expectStructured(operator, dense, accuracy)
  })

  test.each([
    [1, 1],
    [3, 5],
    [6, 2],
  ])('Kronecker product of %i and %i rows', async (p, q) => {
    const [l, r] = [randomPositive(p, 3), randomPositive(q, 4)]
    const operator = structuredKronecker(tensorOf(l, dtype), tensorOf(r, dtype))
    await expectStructured(operator, l.kroneckerProduct(r), accuracy)
  })

  test.each(['left', 'right', 'both'])('Kronecker product with a diagonal factor: %s', async (side) => {
    const [p, q] = [4, 3]
    const diagonal = (n: number) => Matrix.diag([...positive(n)])
    const l = side === 'right' ? randomPositive(p, 3) : diagonal(p)
    const r = side === 'left' ? randomPositive(q, 4) : diagonal(q)
    const factor = (matrix: Matrix, isDiagonal: boolean) =>
      isDiagonal ? tensor(matrix.diagonal(), { dtype }) : tensorOf(matrix, dtype)
    const operator = structuredKronecker(factor(l, side !== 'right'), factor(r, side !== 'left'))
    await expectStructured(operator, l.kroneckerProduct(r), accuracy)
    const damped = operator.inverse(0.2, 'factored')
    const [a, b] = factoredDamping(tensorOf(l), tensorOf(r), 0.2)
    const expected = inverse(plusDamping(l, a)).kroneckerProduct(inverse(plusDamping(r, b)))
    await expectDense(damped, expected, accuracy)
  })

  test('Kronecker product with corrected eigenvalues', async () => {
    const [p, q] = [4, 3]
    const [left, right] = [randomPositive(p, 5), randomPositive(q, 6)].map(
      (matrix) => np.eigh(tensorOf(matrix)).eigenvectors,
    ) as [Tensor, Tensor]
    const values = positive(p * q)
    const basis = matrixOf(left).kroneckerProduct(matrixOf(right))
    const half = basis.mmul(Matrix.diag([...values.map(Math.sqrt)]))
    const dense = half.mmul(half.transpose())
    const cast = (x: Tensor) => np.astype(x, dtype)
    const operator = structuredEigenKronecker(cast(left), cast(right), tensor(values, { shape: [p, q] }))
    await expectStructured(operator, dense, accuracy)
  })

  test.each([
    [8, 1, 1],
    [8, 3, 1],
    [5, 7, 1],
    [8, 3, -1],
  ] as const)('%i by its diagonal and rank %i, sign %i', async (n, rank, sign) => {
    const d = Float64Array.from(positive(n), (x) => x + (sign === 1 ? 0 : 3))
    const rows = randomMatrix(rank, n, 8).mul(sign === 1 ? 1 : 0.3)
    const dense = rows
      .transpose()
      .mmul(rows)
      .mul(sign)
      .add(Matrix.diag([...d]))
    await expectStructured(structuredLowRank(d, tensorOf(rows, dtype), sign), dense, accuracy)
  })
})

function matrixOf(x: Tensor): Matrix {
  return new Matrix(x.toArray() as number[][])
}

describe('Kronecker products', () => {
  const [l, r] = [randomPositive(4, 11), randomPositive(3, 12)]
  const operator = structuredKronecker(tensorOf(l), tensorOf(r))

  test('multiply a weight laid out row by row from both sides', async () => {
    const x = randomMatrix(4, 3, 13)
    const product = await operator.apply(new Tensor(Float64Array.from(x.to1DArray()), [1, 12]))
    const expected = l.mmul(x).mmul(r).to1DArray()
    product.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12)
    })
  })

  test('factored damping is that of both factors, with the traces balanced', async () => {
    const [a, b] = factoredDamping(tensorOf(l), tensorOf(r), 0.09)
    expect(a * b).toBeCloseTo(0.09, 12)
    expect(a / b).toBeCloseTo(l.trace() / 4 / (r.trace() / 3), 12)
    const expected = inverse(plusDamping(l, a)).kroneckerProduct(inverse(plusDamping(r, b)))
    await expectDense(operator.inverse(0.09, 'factored'), expected)
  })

  test('factored damping of a factor that is 0 is even', () => {
    expect(factoredDamping(np.zeros([2, 2]), np.eye(3), 0.25)).toEqual([0.5, 0.5])
  })

  test('corrected eigenvalues are the second moment in the eigenbasis, and nearest to it', async () => {
    const [samples, p, q] = [40, 4, 3]
    const gradients = randomMatrix(samples, p * q, 14)
    const [left, right] = [l, r].map((x) => np.eigh(tensorOf(x)).eigenvectors) as [Tensor, Tensor]
    const three = new Tensor(tensorOf(gradients).data, [samples, p, q])
    const values = await correctedEigenvalues(left, right, three)
    const basis = matrixOf(left).kroneckerProduct(matrixOf(right))
    const moment = gradients.transpose().mmul(gradients).div(samples)
    const expected = basis.transpose().mmul(moment).mmul(basis).diagonal()
    values.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 10)
    })
  })
})

test('a layer of 784 inputs and 256 outputs, as large ones are run', async () => {
  const [p, q] = [256, 784]
  const [l, r] = [randomSymmetric(p, 21), randomSymmetric(q, 22)]
  const operator = structuredKronecker(tensorOf(l, 'float32'), tensorOf(r, 'float32'))
  const x = randomMatrix(p, q, 23)
  const vector = new Tensor(Float32Array.from(x.to1DArray()), [1, p * q])
  const product = await operator.apply(vector)
  for (const [i, j] of [
    [0, 0],
    [100, 500],
    [255, 783],
  ] as const) {
    const expected = l.getRowVector(i).mmul(x).mmul(r.getColumnVector(j)).get(0, 0)
    expect(Math.abs(product.data[i * q + j]! / expected - 1)).toBeLessThan(1e-3)
  }
})

describe('what does not fit', () => {
  const two = tensor([
    [2, 1],
    [1, 2],
  ])

  test('is refused when made', () => {
    expect(() => structuredDense(tensor([[1, 2]]))).toThrow('structuredDense: matrix has shape [1,2]')
    expect(() =>
      structuredDense(
        tensor([
          [1, 2],
          [3, 1],
        ]),
      ),
    ).toThrow('structuredDense: matrix has 3 at (1, 0) and 2 at (0, 1), expected a symmetric matrix')
    expect(() => structuredDense(tensor([[Number.NaN]]))).toThrow('expected finite numbers')
    expect(() => structuredKronecker(two, np.astype(two, 'float32'))).toThrow(
      'structuredKronecker: left is float64 and right float32',
    )
    expect(() => structuredEigenKronecker(two, two, np.ones([4, 1]))).toThrow(
      'eigenvalues has shape [4,1], expected [2,2]',
    )
    expect(() => structuredLowRank(Float64Array.of(1, 2, 3), two)).toThrow(
      'rows has shape [2,2], expected [r, 3]',
    )
    expect(() =>
      structuredBlockDiagonal(structuredDense(two), structuredDiagonal(Float32Array.of(1))),
    ).toThrow('operator 1 is 1 by 1 float32')
  })

  test('is refused when an inverse or determinant needs a positive definite matrix', () => {
    const bad = structuredDiagonal(Float64Array.of(1, -2))
    expect(() => bad.inverse()).toThrow(
      'structuredDiagonal: eigenvalue 1 is -2 with damping 0, expected more than 0; raise the damping',
    )
    expect(() => bad.logDeterminant(2)).toThrow('eigenvalue 1 is 0 with damping 2')
    expect(bad.inverse(3).trace()).toBe(1.25)
    const singular = np.ones([2, 2])
    expect(() => structuredDense(singular).inverse()).toThrow('not positive definite')
    expect(() => structuredKronecker(np.multiply(two, -1), two).inverse()).toThrow('left: eigenvalue 0 is -3')
    expect(() => structuredLowRank(Float64Array.of(1, 1), two, -1).inverse()).toThrow('not positive definite')
    expect(() => structuredLowRank(Float64Array.of(1, 0), two).inverse()).toThrow('eigenvalue 1 is 0')
  })

  test.each([
    ['structuredDense', structuredDense(two)],
    ['structuredKronecker', structuredKronecker(two, two)],
    ['structuredEigenKronecker', structuredEigenKronecker(two, two, two)],
    ['structuredLowRank', structuredLowRank(Float64Array.of(1, 2), two)],
  ])('%s refuses vectors of another length', async (name, operator) => {
    await expect(async () => operator.apply(new Tensor(new Float64Array(7), [1, 7]))).rejects.toThrow(
      `${name}: vectors has shape [1,7], expected [k, ${operator.columns}]`,
    )
  })
})
