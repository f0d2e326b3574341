import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad } from '../../src/transforms/index.js'
import { expectDerivatives } from './derivatives.js'

const values = (x: np.ArrayLike) => np.asarray(x).toArray()
const matrix = [
  [1, 2, 3],
  [4, 5, 7],
]

test('sums and means over any axes', () => {
  expect(np.sum(matrix).item()).toBe(22)
  expect(values(np.sum(matrix, { axis: -1 }))).toEqual([6, 16])
  expect(values(np.mean(matrix, { axis: 0, keepdims: true }))).toEqual([[2.5, 3.5, 5]])
  expect(values(np.average(matrix, { axis: 0, weights: [1, 3] }))).toEqual([3.25, 4.25, 6])
  expect(np.average(matrix, { weights: [1, 0, 0] }).item()).toBe(2.5)
  expect(() => np.sum(matrix, { axis: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[Error: sum: axis 2 is out of range for 2 dimension(s)]`,
  )
  expect(() => np.sum(matrix, { axis: [0, -2] })).toThrowErrorMatchingInlineSnapshot(
    `[Error: sum: axis [0,-2] names an axis twice]`,
  )
})

describe('products', () => {
  test('prod is right at every length, and empty is 1', () => {
    for (let n = 0; n <= 7; n++)
      expect(np.prod(np.add(np.arange(n), 1)).item()).toBe([1, 1, 2, 6, 24, 120, 720, 5040][n])
    expect(values(np.prod(matrix, { axis: 0 }))).toEqual([4, 10, 21])
    expect(values(np.prod(matrix, { axis: 1, keepdims: true }))).toEqual([[6], [140]])
  })

  test('derivatives are right where one or two factors are 0', () => {
    expect(values(grad(np.prod)([2, 0, 3]))).toEqual([0, 6, 0])
    expectDerivatives(np.prod, [2, 0, 3, 0, 5])
    expectDerivatives(np.cumprod, [2, 0, 3, 0, 5])
  })

  test('scans run along an axis', () => {
    expect(values(np.cumprod([1, 2, 3, 4, 5]))).toEqual([1, 2, 6, 24, 120])
    expect(values(np.cumsum(matrix, { axis: 0 }))).toEqual([
      [1, 2, 3],
      [5, 7, 10],
    ])
    expect(values(np.cumsum(matrix))).toEqual([1, 3, 6, 10, 15, 22])
    expect(values(np.diff(matrix))).toEqual([
      [1, 1],
      [1, 2],
    ])
  })
})

test('extremes share the derivative among ties; positions are the first', () => {
  expect(values(np.max(matrix, { axis: 0 }))).toEqual([4, 5, 7])
  expect(values(grad(np.max)([3, 1, 3]))).toEqual([0.5, 0, 0.5])
  expect(values(grad(np.min)([3, 1, 1]))).toEqual([0, 0.5, 0.5])
  expect(np.argmax([1, 3, 3]).item()).toBe(1)
  expect(values(np.argmin(matrix, { axis: 1, keepdims: true }))).toEqual([[0], [0]])
  expect(() => np.max([])).toThrowErrorMatchingInlineSnapshot(
    `[Error: max: float64[0] has no elements along axes [0]]`,
  )
})

test('variance, std and norm, with derivative 0 where they are not differentiable', () => {
  expect(np.variance([1, 2, 3, 4]).item()).toBe(1.25)
  expect(np.variance([1, 2, 3, 4], { ddof: 1 }).item()).toBeCloseTo(5 / 3, 14)
  expect(np.std([1, 3]).item()).toBe(1)
  expect(values(grad(np.std)([2, 2, 2]))).toEqual([0, 0, 0])
  expect(values(grad((x: Tensor) => np.norm(x))([0, 0]))).toEqual([0, 0])
  expect(values(grad((x: Tensor) => np.norm(x, { ord: 3 }))([0, 0]))).toEqual([0, 0])
  expect(values(np.norm(matrix, { axis: 1, ord: 1 }))).toEqual([6, 16])
  expect(values(np.norm([3, -4, 0], { ord: Infinity }))).toBe(4)
  expect(np.norm([3, -4, 0], { ord: 0 }).item()).toBe(2)
  expect(() => np.norm([1], { ord: 0.5 })).toThrowErrorMatchingInlineSnapshot(
    `[Error: norm: ord is 0.5, expected 0, 1 or more, or an infinity]`,
  )
  expectDerivatives(np.std, [1, 2, 5])
  expectDerivatives((x) => np.norm(x), [3, 4, 0])
  expectDerivatives((x) => np.norm(x, { ord: 3 }), [3, -4, 1])
  expectDerivatives((x) => np.average(matrix, { weights: x, axis: 1 }), [1, 2, 4])
})

test('sorting puts elements, positions and derivatives in order', () => {
  expect(values(np.sort([3, 1, 2]))).toEqual([1, 2, 3])
  expect(values(np.sort(matrix, { axis: 0, descending: true }))).toEqual([
    [4, 5, 7],
    [1, 2, 3],
  ])
  expect(values(np.argsort([3, 1, 3, 1]))).toEqual([1, 3, 0, 2])
  expect(values(np.argsort([3, 1, 3, 1], { descending: true }))).toEqual([0, 2, 1, 3])
  expect(values(np.sort(matrix, { axis: null, descending: true }))).toEqual([7, 5, 4, 3, 2, 1])
  const { values: largest, indices } = np.topK(matrix, 2, { axis: 1 })
  expect(values(largest)).toEqual([
    [3, 2],
    [7, 5],
  ])
  expect(values(indices)).toEqual([
    [2, 1],
    [2, 1],
  ])
  expect(values(grad((x: Tensor) => np.sum(np.multiply(np.sort(x), [1, 10, 100])))([3, 1, 2]))).toEqual([
    100, 1, 10,
  ])
  expect(() => np.topK([1, 2], 3)).toThrowErrorMatchingInlineSnapshot(
    `[Error: topK: k is 3, expected 0 to 2 for float64[2] along axis -1]`,
  )
})

test('sorting puts NaN last, as NumPy does', () => {
  expect(values(np.sort([NaN, 2, 1, NaN, 0]))).toEqual([0, 1, 2, NaN, NaN])
  expect(values(np.sort([Infinity, 2, -Infinity, Infinity]))).toEqual([-Infinity, 2, Infinity, Infinity])
})
