import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  blockDiagonalOperator,
  diagonalOperator,
  kroneckerOperator,
  type LinearOperator,
  productOperator,
  Random,
  scaleOperator,
  shiftOperator,
  submatrixOperator,
  sumOperator,
  toDense,
  transposeOperator,
} from '../../../src/linalg/index.js'
import { Tensor } from '../../../src/tensor/tensor.js'
import { operatorOf } from './dense.js'

const random = new Random(7)
const matrix = (rows: number, columns: number) =>
  new Matrix(Array.from({ length: rows }, () => [...random.normals(columns)]))

const a = matrix(4, 3)
const b = matrix(3, 5)
const c = matrix(2, 6)
const square = matrix(4, 4)

type Make = (of: (matrix: Matrix) => LinearOperator) => LinearOperator

const blocks = Matrix.zeros(9, 14)
blocks.setSubMatrix(a, 0, 0).setSubMatrix(b, 4, 3).setSubMatrix(c, 7, 8)

const compositions: [string, Make, Matrix][] = [
  ['a matrix', (of) => of(a), a],
  ['a multiple', (of) => scaleOperator(of(a), -2.5), a.clone().mul(-2.5)],
  [
    'a sum',
    (of) => sumOperator(of(a), of(a), of(b.subMatrix(0, 2, 0, 3).transpose())),
    a
      .clone()
      .mul(2)
      .add(b.subMatrix(0, 2, 0, 3).transpose()),
  ],
  ['a shift', (of) => shiftOperator(of(square), 3), square.clone().add(Matrix.eye(4).mul(3))],
  ['a transpose', (of) => transposeOperator(of(a)), a.transpose()],
  ['a product', (of) => productOperator(of(square), of(a), of(b)), square.mmul(a).mmul(b)],
  ['blocks along the diagonal', (of) => blockDiagonalOperator(of(a), of(b), of(c)), blocks],
  [
    'a chosen block',
    (of) => submatrixOperator(of(b), [2, 0], { from: 1, to: 4 }),
    b.selection([2, 0], [1, 2, 3]),
  ],
  [
    'a principal block',
    (of) => submatrixOperator(of(square), Int32Array.of(3, 1)),
    square.selection([3, 1], [3, 1]),
  ],
  [
    'an index twice',
    (of) => submatrixOperator(of(square), [0, 2, 2]),
    square.selection([0, 2, 2], [0, 2, 2]),
  ],
  ['a Kronecker product', (of) => kroneckerOperator(of(a), of(c)), a.kroneckerProduct(c)],
  [
    'a composition of them all',
    (of) => {
      const block = blockDiagonalOperator(of(a), transposeOperator(of(c)))
      const whole = productOperator(transposeOperator(block), scaleOperator(block, 2))
      return submatrixOperator(shiftOperator(whole, 0.5), { from: 1, to: 5 })
    },
    (() => {
      const block = Matrix.zeros(10, 5).setSubMatrix(a, 0, 0).setSubMatrix(c.transpose(), 4, 3)
      return block.transpose().mmul(block).mul(2).add(Matrix.eye(5).mul(0.5)).subMatrix(1, 4, 1, 4)
    })(),
  ],
]

describe.each(['float64', 'float32'] as const)('in %s', (dtype) => {
  const digits = dtype === 'float64' ? 12 : 4

  test.each(compositions)('%s is that of the dense matrices', async (_, make, expected) => {
    const operator = make((matrix) => operatorOf(matrix, dtype))
    expect([operator.rows, operator.columns]).toEqual([expected.rows, expected.columns])
    const dense = await toDense(operator, { block: 3 })
    expect(dense.dtype).toBe(dtype)
    expectSame(dense, expected, digits)
    expectSame(await toDense(transposeOperator(operator)), expected.transpose(), digits)
  })

  test('a diagonal multiplies element by element', async () => {
    const diagonal = dtype === 'float64' ? Float64Array.of(1, -2, 3) : Float32Array.of(1, -2, 3)
    expectSame(await toDense(diagonalOperator(diagonal)), Matrix.diag([1, -2, 3]), digits)
  })
})

function expectSame(got: Tensor, expected: Matrix, digits: number): void {
  expect(got.shape).toEqual([expected.rows, expected.columns])
  const values = expected.to1DArray()
  got.data.forEach((value, i) => {
    expect(value).toBeCloseTo(values[i]!, digits)
  })
}

test('a block of vectors goes through each operator in one call', async () => {
  const calls: number[] = []
  const counted = (matrix: Matrix): LinearOperator => {
    const operator = operatorOf(matrix)
    return {
      ...operator,
      apply(x) {
        calls.push(x.shape[0]!)
        return operator.apply(x)
      },
    }
  }
  const operator = productOperator(
    blockDiagonalOperator(counted(a), counted(a)),
    submatrixOperator(counted(matrix(6, 8)), { from: 0, to: 6 }, { from: 0, to: 8 }),
  )
  await operator.apply(new Tensor(random.normals(40), [5, 8]))
  expect(calls).toEqual([5, 5, 5])
})

test('without products of its transpose an operator composes, but cannot be transposed', async () => {
  const { applyTranspose: _, ...onward } = operatorOf(a)
  const operator = sumOperator(onward, scaleOperator(operatorOf(a), 2))
  expectSame(await toDense(operator), a.clone().mul(3), 12)
  expect(() => transposeOperator(operator)).toThrow(
    'transposeOperator: the operator (4 by 3 float64) has no applyTranspose',
  )
})

test('operators that do not fit are named by their place', () => {
  const single = operatorOf(a, 'float32')
  expect(() => productOperator(operatorOf(square), operatorOf(a), operatorOf(a))).toThrow(
    'productOperator: operator 1 is 4 by 3 float64 and operator 2 is 4 by 3 float64',
  )
  expect(() => blockDiagonalOperator(operatorOf(a), single)).toThrow(
    'blockDiagonalOperator: operator 1 is 4 by 3 float32, the first is 4 by 3 float64',
  )
  expect(() => kroneckerOperator(single, operatorOf(a))).toThrow('kroneckerOperator: operator 1')
  expect(() => submatrixOperator(operatorOf(a), [0, 4])).toThrow('rows has index 4, expected from 0 to 3')
  expect(() => submatrixOperator(operatorOf(a), [0], [0.5])).toThrow('columns has index 0.5')
  expect(() => submatrixOperator(operatorOf(a), { from: 2, to: 2 })).toThrow('rows is empty')
})

test.each([
  ['blockDiagonalOperator', blockDiagonalOperator(operatorOf(a), operatorOf(b))],
  ['submatrixOperator', submatrixOperator(operatorOf(square), [0, 1])],
  ['kroneckerOperator', kroneckerOperator(operatorOf(a), operatorOf(b))],
  ['diagonalOperator', diagonalOperator(Float64Array.of(1, 2))],
])('%s refuses vectors of another length', async (name, operator) => {
  const wrong = new Tensor(new Float64Array(7), [1, 7])
  await expect(async () => operator.apply(wrong)).rejects.toThrow(
    `${name}: vectors has shape [1,7], expected [k, ${operator.columns}]`,
  )
})

test('the dense matrix can be stopped, and tells how far it is', async () => {
  const controller = new AbortController()
  const seen: number[] = []
  const onStep = ({ done }: { done: number }) => {
    seen.push(done)
    if (done === 2) controller.abort(new Error('enough'))
  }
  const options = { block: 1, signal: controller.signal, onStep }
  await expect(toDense(operatorOf(square), options)).rejects.toThrow('enough')
  expect(seen).toEqual([1, 2])
})
