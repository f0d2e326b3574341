import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad } from '../../src/transforms/index.js'
import { uniform } from '../helpers/random.js'
import { expectDerivatives } from './derivatives.js'

const values = (x: np.ArrayLike) => np.asarray(x).toArray()
const random = uniform(7)
const make = (...shape: number[]) =>
  np.reshape(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
    shape,
  )
const element = (x: Tensor, index: number[]) => np.slice(x, ...index).item()

/** The sum over every assignment of the letters, from the definition. */
function byLoops(subscripts: string, ...operands: Tensor[]): Tensor {
  const [left, right] = subscripts.split('->') as [string, string]
  const inputs = left.split(',')
  const letters = [...new Set([...right, ...left.replace(/,/g, '')])]
  const length = (letter: string) => {
    const i = inputs.findIndex((text) => text.includes(letter))
    return operands[i]!.shape[inputs[i]!.indexOf(letter)]!
  }
  const visit = (chosen: Record<string, number>, rest: string[]): number => {
    const [letter, ...more] = rest
    if (letter === undefined)
      return operands.reduce(
        (product, x, i) =>
          product *
          element(
            x,
            [...inputs[i]!].map((l) => chosen[l]!),
          ),
        1,
      )
    let sum = 0
    for (let i = 0; i < length(letter); i++) sum += visit({ ...chosen, [letter]: i }, more)
    return sum
  }
  const summed = letters.filter((letter) => !right.includes(letter))
  const shape = [...right].map(length)
  const results: number[] = []
  const outer = (chosen: Record<string, number>, rest: string[]): void => {
    const [letter, ...more] = rest
    if (letter === undefined) results.push(visit(chosen, summed))
    else for (let i = 0; i < length(letter); i++) outer({ ...chosen, [letter]: i }, more)
  }
  outer({}, [...right])
  return np.reshape(results, shape)
}

function expectSame(got: Tensor, expected: Tensor): void {
  expect(got.shape).toEqual(expected.shape)
  expect(np.max(np.abs(np.subtract(got, expected))).item()).toBeLessThan(1e-14)
}

describe('einsum agrees with its definition', () => {
  const cases: [string, number[][]][] = [
    [
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      'bij,bjk->bik',
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
    ],
    [
      'ij,ij->',
      [
        [2, 3],
        [2, 3],
      ],
    ],
    ['i,j->ji', [[2], [3]]],
    ['ii->i', [[3, 3]]],
    ['iij->j', [[3, 3, 2]]],
    ['ij->', [[3, 2]]],
    ['abc->cab', [[2, 3, 4]]],
    [
      'ab,bc,cd->da',
      [
        [2, 3],
        [3, 2],
        [2, 4],
      ],
    ],
    ['ab,b,bc->ac', [[2, 3], [3], [3, 4]]],
    [
      'ab,cb->a',
      [
        [2, 3],
        [4, 3],
      ],
    ],
    [
      'ijk,kjm->mi',
      [
        [2, 3, 4],
        [4, 3, 2],
      ],
    ],
    ['a,a,a->a', [[3], [3], [3]]],
    [
      'ii,jj->ij',
      [
        [2, 2],
        [3, 3],
      ],
    ],
  ]
  test.each(cases)('%s', (subscripts, shapes) => {
    const operands = shapes.map((shape) => make(...shape))
    expectSame(np.einsum(subscripts, ...operands), byLoops(subscripts, ...operands))
    expectDerivatives((x) => np.einsum(subscripts, np.square(x), ...operands.slice(1)), operands[0]!)
  })

  test('with an ellipsis, and without a result', () => {
    const [x, y] = [make(2, 3, 4), make(4, 5)]
    expectSame(np.einsum('...j,jk->...k', x, y), byLoops('abj,jk->abk', x, y))
    expectSame(np.einsum('...j,...j', x, x), byLoops('abj,abj->ab', x, x))
    expectSame(np.einsum('ba', y), np.transpose(y))
  })

  test('and says what does not fit', () => {
    const [x, y] = [make(2, 3), make(2, 3)]
    expect(() => np.einsum('ij,jk->ik', x, y)).toThrowErrorMatchingInlineSnapshot(
      `[Error: einsum: 'ij,jk->ik' gives j the lengths 3 and 2 (float64[2,3], float64[2,3])]`,
    )
    expect(() => np.einsum('ij,jk->ik', x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: einsum: 'ij,jk->ik' has 2 operands, got 1]`,
    )
    expect(() => np.einsum('ijk->i', x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: einsum: 'ijk->i' names 3 axes of operand 0, which is float64[2,3]]`,
    )
    expect(() => np.einsum('ij->k', x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: einsum: 'ij->k' has k in the result, expected letters of the operands, each once]`,
    )
    expect(() => np.einsum('i1->i', x)).toThrowErrorMatchingInlineSnapshot(
      `[Error: einsum: 'i1->i' has 'i1', expected letters and at most one ...]`,
    )
  })
})

describe('matmul', () => {
  test('has NumPy semantics for vectors and batches', () => {
    const cases: [number[], number[], string][] = [
      [[3], [3], 'i,i->'],
      [[2, 3], [3], 'ij,j->i'],
      [[3], [3, 2], 'i,ij->j'],
      [[2, 3], [3, 4], 'ij,jk->ik'],
      [[5, 2, 3], [3, 4], 'aij,jk->aik'],
      [[5, 2, 3], [3], 'aij,j->ai'],
      [[3], [5, 3, 2], 'i,aij->aj'],
      [[2, 3], [5, 3, 4], 'ij,ajk->aik'],
      [[5, 2, 3], [5, 3, 4], 'aij,ajk->aik'],
    ]
    for (const [left, right, subscripts] of cases) {
      const [x, y] = [make(...left), make(...right)]
      expectSame(np.matmul(x, y), byLoops(subscripts, x, y))
    }
    expect(np.matmul(make(5, 1, 2, 3), make(6, 3, 4)).shape).toEqual([5, 6, 2, 4])
    expect(np.matmul(make(5, 2, 3), make(1, 1, 3, 4)).shape).toEqual([1, 5, 2, 4])
    expect(np.matmul(make(5, 2, 3), make(1, 3, 4)).shape).toEqual([5, 2, 4])
  })

  test('says what does not fit', () => {
    expect(() => np.matmul(make(2, 3), make(2, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: matmul: float64[2,3] and float64[2,3] do not fit, 3 columns meet 2 rows]`,
    )
    expect(() => np.matmul(2, make(2, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: matmul: float64[] and float64[2,3] do not fit, neither may be a number; use multiply]`,
    )
    expect(() => np.matmul(make(2, 2, 3), make(4, 3, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: matmul: shapes [2] and [4] do not broadcast]`,
    )
  })

  test('is differentiated in both operands', () => {
    const y = make(3, 2)
    expectDerivatives((x) => np.matmul(np.matmul(x, y), x), make(2, 3))
  })
})

test('the other products follow NumPy', () => {
  const [x, y, v] = [make(2, 3, 4), make(5, 4, 2), make(4)]
  expectSame(np.dot(x, y), byLoops('abc,dce->abde', x, y))
  expectSame(np.inner(x, v), byLoops('abc,c->ab', x, v))
  expectSame(np.outer(v, [1, 2]), byLoops('a,b->ab', v, np.array([1, 2])))
  expectSame(np.vdot(x, x), byLoops('abc,abc->', x, x))
  expectSame(
    np.tensordot(x, y, [
      [2, 0],
      [1, 2],
    ]),
    byLoops('abc,dca->bd', x, y),
  )
  const w = make(3, 4)
  expectSame(np.tensordot(x, w), byLoops('abc,bc->a', x, w))
  expect(np.dot(2, [1, 2]).toArray()).toEqual([2, 4])
  expect(() => np.tensordot(x, y, [0, 0])).toThrowErrorMatchingInlineSnapshot(
    `[Error: tensordot: float64[2,3,4] and float64[5,4,2] do not fit, axes [0] and [0] differ in length]`,
  )
  expect(() => np.vdot([1], [1, 2])).toThrowErrorMatchingInlineSnapshot(
    `[Error: vdot: float64[1] and float64[2] do not fit, expected as many elements]`,
  )
})

describe('matrices', () => {
  const x = np.reshape(np.arange(12), [3, 4])
  test('diagonals above, on and below the main one', () => {
    for (let offset = -4; offset <= 5; offset++) {
      const expected: number[] = []
      for (let i = 0; i < 3; i++) if (i + offset >= 0 && i + offset < 4) expected.push(4 * i + i + offset)
      expect(values(np.diagonal(x, { offset })), `offset ${offset}`).toEqual(expected)
    }
    expect(np.trace(x).item()).toBe(15)
    expect(np.diagonal(make(2, 3, 4), { axis1: 0, axis2: 2 }).shape).toEqual([3, 2])
    expect(() => np.diagonal([1])).toThrowErrorMatchingInlineSnapshot(
      `[Error: diagonal: got float64[1], expected at least two axes]`,
    )
  })

  test('diag and diagonal are inverse', () => {
    for (const offset of [-2, -1, 0, 1, 2]) {
      const matrix = np.diag([1, 2, 3], { offset })
      expect(values(np.diag(matrix, { offset }))).toEqual([1, 2, 3])
      expect(np.sum(matrix).item()).toBe(6)
    }
    expectDerivatives((y) => np.square(np.diag(y, { offset: -1 })), [1, 2])
  })

  test('triangles', () => {
    expect(values(np.tril(x))).toEqual([
      [0, 0, 0, 0],
      [4, 5, 0, 0],
      [8, 9, 10, 0],
    ])
    expect(values(np.triu(x, { offset: 1 }))).toEqual([
      [0, 1, 2, 3],
      [0, 0, 6, 7],
      [0, 0, 0, 11],
    ])
    expect(
      values(
        grad((y: Tensor) => np.sum(np.tril(y)))([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toEqual([
      [1, 0],
      [1, 1],
    ])
  })
})

test('a number is weak in products, and mixed dtypes promote', () => {
  const x = np.ones([2, 2], { dtype: 'float32' })
  expect(np.dot(2, x).dtype).toBe('float32')
  expect(np.matmul(x, np.eye(2)).dtype).toBe('float64')
  expect(np.einsum('ij,ij->', x, np.ones([2, 2], { dtype: 'int32' })).dtype).toBe('float32')
  expect(np.stack([np.slice(x, 0, 0), 1]).dtype).toBe('float32')
})
