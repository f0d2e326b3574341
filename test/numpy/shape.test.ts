import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, trace } from '../../src/transforms/index.js'
import { expectDerivatives } from './derivatives.js'

const values = (x: np.ArrayLike) => np.asarray(x).toArray()
const cube = np.reshape(np.arange(24), [2, 3, 4])
const at = (...index: number[]) => index[0]! * 12 + index[1]! * 4 + index[2]!

test('reshape works out one length and says what does not fit', () => {
  expect(np.reshape(cube, [4, -1]).shape).toEqual([4, 6])
  expect(np.reshape(cube, -1).shape).toEqual([24])
  expect(np.ravel(cube).shape).toEqual([24])
  expect(() => np.reshape(cube, [5, -1])).toThrowErrorMatchingInlineSnapshot(
    `[Error: reshape: float64[2,3,4] has 24 elements, which do not fit shape [5,-1]]`,
  )
  expect(() => np.reshape(cube, [-1, -1])).toThrowErrorMatchingInlineSnapshot(
    `[Error: reshape: float64[2,3,4] has 24 elements, which do not fit shape [-1,-1]]`,
  )
})

test('axes are moved as in NumPy', () => {
  expect(np.transpose(cube).shape).toEqual([4, 3, 2])
  expect(np.transpose(cube, [1, -1, 0]).shape).toEqual([3, 4, 2])
  expect(np.swapaxes(cube, 0, -1).shape).toEqual([4, 3, 2])
  expect(np.moveaxis(cube, 0, -1).shape).toEqual([3, 4, 2])
  expect(np.moveaxis(cube, [0, 1], [-1, -2]).shape).toEqual([4, 3, 2])
  expect(np.expandDims(cube, [0, -1]).shape).toEqual([1, 2, 3, 4, 1])
  expect(np.squeeze([[[1], [2]]]).shape).toEqual([2])
  expect(np.squeeze([[[1], [2]]], { axis: -1 }).shape).toEqual([1, 2])
  expect(() => np.squeeze(cube, { axis: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[Error: squeeze: axis 1 of float64[2,3,4] has length 3, expected 1]`,
  )
  expect(() => np.transpose(cube, [0, 1])).toThrowErrorMatchingInlineSnapshot(
    `[Error: transpose: [0,1] is not a permutation of the 3 axes of float64[2,3,4]]`,
  )
})

test('arrays are joined, cut, repeated and turned', () => {
  expect(values(np.concatenate([[1, 2], [3]]))).toEqual([1, 2, 3])
  expect(
    values(
      np.stack(
        [
          [1, 2],
          [3, 4],
        ],
        { axis: -1 },
      ),
    ),
  ).toEqual([
    [1, 3],
    [2, 4],
  ])
  expect(np.split(np.arange(6), 3).map(values)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ])
  expect(np.split(np.arange(6), [1, -1]).map(values)).toEqual([[0], [1, 2, 3, 4], [5]])
  expect(
    np
      .unstack(
        [
          [1, 2],
          [3, 4],
        ],
        { axis: 1 },
      )
      .map(values),
  ).toEqual([
    [1, 3],
    [2, 4],
  ])
  expect(values(np.tile([1, 2], 2))).toEqual([1, 2, 1, 2])
  expect(values(np.tile([[1, 2]], [2, 1]))).toEqual([
    [1, 2],
    [1, 2],
  ])
  expect(values(np.repeat([1, 2], 2))).toEqual([1, 1, 2, 2])
  expect(
    values(
      np.repeat(
        [
          [1, 2],
          [3, 4],
        ],
        2,
        { axis: 0 },
      ),
    ),
  ).toEqual([
    [1, 2],
    [1, 2],
    [3, 4],
    [3, 4],
  ])
  expect(
    values(
      np.flip([
        [1, 2],
        [3, 4],
      ]),
    ),
  ).toEqual([
    [4, 3],
    [2, 1],
  ])
  expect(values(np.roll([1, 2, 3], 1))).toEqual([3, 1, 2])
  expect(values(np.roll([[1, 2, 3]], -4, { axis: 1 }))).toEqual([[2, 3, 1]])
  expect(() => np.split(np.arange(5), 2)).toThrowErrorMatchingInlineSnapshot(
    `[Error: split: length 5 of axis 0 is not divided by 2; give the positions to cut at]`,
  )
  expect(() => np.stack([[1], [1, 2]])).toThrowErrorMatchingInlineSnapshot(
    `[Error: stack: got float64[1] and float64[2], expected one shape]`,
  )
})

test('pad has five modes', () => {
  const x = [1, 2, 3]
  expect(values(np.pad(x, [1, 2]))).toEqual([0, 1, 2, 3, 0, 0])
  expect(values(np.pad(x, 1, { value: 9 }))).toEqual([9, 1, 2, 3, 9])
  expect(values(np.pad(x, 2, { mode: 'edge' }))).toEqual([1, 1, 1, 2, 3, 3, 3])
  expect(values(np.pad(x, 4, { mode: 'reflect' }))).toEqual([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3])
  expect(values(np.pad(x, 4, { mode: 'symmetric' }))).toEqual([3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1])
  expect(values(np.pad(x, 2, { mode: 'wrap' }))).toEqual([2, 3, 1, 2, 3, 1, 2])
  expect(
    np.pad(cube, [
      [0, 1],
      [0, 0],
      [2, 2],
    ]).shape,
  ).toEqual([3, 3, 8])
  expectDerivatives((y) => np.power(np.pad(y, 4, { mode: 'reflect' }), 3), x)
})

describe('slice', () => {
  const n = 7
  const x = np.arange(n)
  /** Python's rule, by counting. */
  const python = (start: number | null, stop: number | null, step: number) => {
    const inside = (i: number) => (i < 0 ? i + n : i)
    const from = start === null ? (step > 0 ? 0 : n - 1) : inside(start)
    const to = stop === null ? (step > 0 ? n : -1) : inside(stop)
    const clamp = (i: number) => (step > 0 ? Math.max(0, Math.min(n, i)) : Math.max(-1, Math.min(n - 1, i)))
    const found: number[] = []
    for (let i = clamp(from); step > 0 ? i < clamp(to) : i > clamp(to); i += step) found.push(i)
    return found
  }

  test('agrees with counting for every start, stop and step', () => {
    for (const start of [null, -9, -7, -3, 0, 2, 6, 7, 9])
      for (const stop of [null, -9, -7, -2, 0, 3, 6, 7, 9])
        for (const step of [-8, -3, -1, 1, 2, 8])
          expect(values(np.slice(x, [start, stop, step])), `${start}:${stop}:${step}`).toEqual(
            python(start, stop, step),
          )
  })

  test('takes indices, which drop the axis, and keeps what is not named', () => {
    expect(values(np.slice(cube, -1, [1, 3], [null, null, -2]))).toEqual([
      [at(1, 1, 3), at(1, 1, 1)],
      [at(1, 2, 3), at(1, 2, 1)],
    ])
    expect(np.slice(cube, null, 0).shape).toEqual([2, 4])
    expect(np.slice(cube, 0, 0, 0).item()).toBe(0)
    expectDerivatives((y) => np.square(np.slice(y, [null, null, -2])), [1, 2, 3, 4])
  })

  test('says what is out of range', () => {
    expect(() => np.slice(cube, 2)).toThrowErrorMatchingInlineSnapshot(
      `[Error: slice: index 2 is out of range for an axis of length 2]`,
    )
    expect(() => np.slice(cube, 0, 0, 0, 0)).toThrowErrorMatchingInlineSnapshot(
      `[Error: slice: got 4 ranges for float64[2,3,4]]`,
    )
    expect(() => np.slice(cube, [0, 1, 0])).toThrowErrorMatchingInlineSnapshot(
      `[Error: slice: step is 0, expected a whole number other than 0]`,
    )
  })
})

describe('indices', () => {
  test('take puts the axes of the indices in place of the axis', () => {
    expect(
      np.take(
        cube,
        [
          [0, 1],
          [2, -1],
        ],
        { axis: 1 },
      ).shape,
    ).toEqual([2, 2, 2, 4])
    expect(values(np.take([10, 20, 30], [-1, 0]))).toEqual([30, 10])
    expect(np.take(cube, 5).item()).toBe(5)
    expect(() => np.take([1, 2], [2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: take: index 2 is out of range for an axis of length 2]`,
    )
    expect(() => np.take([1, 2], [0.5])).toThrowErrorMatchingInlineSnapshot(
      `[Error: take: got 0.5, expected whole numbers]`,
    )
    expect(() => trace((i: Tensor) => np.take([1, 2], i), [0])).toThrowErrorMatchingInlineSnapshot(
      `[Error: take: got float64, expected int32; convert with astype(x, 'int32')]`,
    )
  })

  test('traced indices may be negative', () => {
    const f = (x: np.ArrayLike, i: np.ArrayLike) => np.sum(np.take(x, i))
    expect(values(grad(f)([1, 2, 3], np.array([-1, -1, 0], { dtype: 'int32' })))).toEqual([1, 0, 2])
  })

  test('takeAlongAxis picks for every row its own', () => {
    const x = [
      [1, 2, 3],
      [4, 5, 6],
    ]
    expect(
      values(
        np.takeAlongAxis(
          x,
          [
            [2, 0],
            [-1, 1],
          ],
          1,
        ),
      ),
    ).toEqual([
      [3, 1],
      [6, 5],
    ])
    expect(values(np.takeAlongAxis(x, [[1, 0, 1]], 0))).toEqual([[4, 2, 6]])
    expect(values(np.takeAlongAxis(x, [[1]], 1))).toEqual([[2], [5]])
    expectDerivatives((y) => np.square(np.takeAlongAxis(y, [[1, 1, 0]], 0)), x)
  })

  test('gatherNd and scatterAdd are transposes', () => {
    expect(
      values(
        np.gatherNd(cube, [
          [0, 1, 2],
          [1, -1, 3],
        ]),
      ),
    ).toEqual([at(0, 1, 2), at(1, 2, 3)])
    expect(np.gatherNd(cube, [[0, 1]]).shape).toEqual([1, 4])
    expect(values(np.scatterAdd([4], [1, 1, -1], [1, 2, 5]))).toEqual([0, 3, 0, 5])
    expect(values(np.scatterAdd(np.array([1, 1, 1]), [0, 0], 2))).toEqual([5, 1, 1])
    expect(
      values(
        np.scatterAdd(
          [2, 3],
          [2, 0],
          [
            [1, 2],
            [3, 4],
          ],
          1,
        ),
      ),
    ).toEqual([
      [2, 0, 1],
      [4, 0, 3],
    ])
    expectDerivatives((y) => np.square(np.scatterAdd(np.array([1, 2, 3]), [0, 0, 2], y)), [1, 2, 3])
    expectDerivatives(
      (y) =>
        np.square(
          np.gatherNd(y, [
            [0, 1],
            [1, 1],
            [0, 1],
          ]),
        ),
      [
        [1, 2],
        [3, 4],
      ],
    )
  })
})

test('creation functions give NumPy values', () => {
  expect(values(np.arange(2, 8, 2.5))).toEqual([2, 4.5, 7])
  expect(values(np.arange(3, 0, -1))).toEqual([3, 2, 1])
  expect(values(np.linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1])
  expect(values(np.eye(2, { m: 3, k: 1 }))).toEqual([
    [0, 1, 0],
    [0, 0, 1],
  ])
  expect(np.zeros(3, { dtype: 'int32' }).toString()).toBe('int32[3]')
  expect(values(np.full([2], 7))).toEqual([7, 7])
  expect(np.onesLike(np.array([1], { dtype: 'float32' })).dtype).toBe('float32')
  expect(grad((x: Tensor) => np.sum(np.full([3], x)))(2).item()).toBe(3)
})
