import { describe, expect, test } from 'vitest'
import { primitives } from '../../src/ops/table.js'
import { bind } from '../../src/program/builder.js'
import type { Params, Primitive } from '../../src/program/primitive.js'
import { castTensor, fullTensor, type Tensor, tensor } from '../../src/tensor/tensor.js'

const ones = (...shape: number[]) => fullTensor(shape, 1, 'float64')
const bools = (...shape: number[]) => fullTensor(shape, 1, 'bool')
const ints = (...shape: number[]) => fullTensor(shape, 1, 'int32')
const plain = { strides: [1], padding: [[0, 0]], dilation: [1] }

const call = (name: string, inputs: Tensor[], params: Params = {}) =>
  bind(primitives.find((p) => p.name === name) as Primitive, inputs, params)

describe('operations refuse what does not fit, naming what came and what was expected', () => {
  test('shapes that do not broadcast', () => {
    expect(() => call('add', [ones(2, 3), ones(2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: add: shapes [2,3] and [2] do not broadcast]`,
    )
    expect(() => call('broadcast', [ones(3)], { shape: [3, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[Error: broadcast: float64[3] does not broadcast to shape [3,2]]`,
    )
    expect(() => call('reshape', [ones(3)], { shape: [2] })).toThrowErrorMatchingInlineSnapshot(
      `[Error: reshape: float64[3] does not have the elements of shape [2]]`,
    )
  })

  test('dtypes that differ or have no such operation', () => {
    expect(() => call('add', [ones(2), ints(2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: add: got float64[2] and int32[2], expected float64 or float32 or int32, the same for all]`,
    )
    expect(() => call('exp', [ints(2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: exp: got int32[2], expected float64 or float32]`,
    )
    expect(() => call('and', [ones(2), ones(2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: and: got float64[2] and float64[2], expected bool, the same for all]`,
    )
    expect(() => call('select', [ones(2), ones(2), ones(2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: select: the condition is float64[2], expected bool; make one by a comparison]`,
    )
    for (const [name, inputs, params] of [
      ['reduceSum', [bools(300)], { axes: [0] }],
      ['cumulativeSum', [bools(300)], { axis: 0, reverse: false }],
      ['dot', [bools(3), bools(3)], { contract: [[0], [0]], batch: [[], []] }],
      ['integerPow', [bools(3)], { exponent: 3 }],
      ['convolution', [bools(1, 1, 3), bools(1, 1, 1)], { ...plain, groups: 1, spatial: [3], window: [1] }],
    ] as const)
      expect(() => call(name, [...inputs], params)).toThrow(
        new RegExp(`^${name}: got bool.*expected float64 or float32 or int32; cast it$`),
      )
    expect(() => call('maxPool', [castTensor(ones(3), 'int32')], { ...plain, window: [2] })).toThrow(
      'maxPool: got int32[3], expected float64 or float32; cast it',
    )
  })

  test('parameters outside their range', () => {
    expect(() => call('integerPow', [ones(2)], { exponent: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: integerPow: the exponent is 0.5, expected a positive integer; use pow]`,
    )
    expect(() => call('transpose', [ones(2, 3)], { permutation: [0, 0] })).toThrowErrorMatchingInlineSnapshot(
      `[Error: transpose: [0,0] is not a permutation of 2 axes]`,
    )
    expect(() =>
      call('slice', [ones(4)], { start: [2], limit: [5], stride: [1] }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: slice: [2] to [5] by [1] is outside float64[4]]`)
    expect(() =>
      call('pad', [ones(4)], { low: [-1], high: [0], interior: [0] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: pad: low [-1], high [0], interior [0] do not fit float64[4]]`,
    )
    expect(() => call('argTopK', [ones(4)], { k: 5, largest: true })).toThrowErrorMatchingInlineSnapshot(
      `[Error: argTopK: k is 5, expected 0 to 4, the length of the last axis]`,
    )
  })

  test('reductions of nothing that have no result', () => {
    expect(() => call('reduceMax', [ones(2, 0)], { axes: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[Error: reduceMax: float64[2,0] has no elements along axes [1]]`,
    )
    expect(() => call('argMax', [ones(0)], { axis: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: argMax: float64[0] has no elements along axis 0]`,
    )
    expect(() => call('concatenate', [], { axis: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: concatenate: got no tensors, expected at least one]`,
    )
    expect(() =>
      call('concatenate', [ones(2, 3), ones(3, 3)], { axis: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: concatenate: float64[2,3], float64[3,3] differ elsewhere than in length along axis 1]`,
    )
  })

  test('products', () => {
    const params = { contract: [[1], [0]], batch: [[], []] }
    expect(() => call('dot', [ones(2, 3), ones(2, 3)], params)).toThrowErrorMatchingInlineSnapshot(
      `[Error: dot: float64[2,3] and float64[2,3] do not contract along axes [1] and [0]]`,
    )
  })

  test('positions', () => {
    const params = { axis: 0, batchDims: 0 }
    expect(() => call('gather', [ones(3), ones(1)], params)).toThrowErrorMatchingInlineSnapshot(
      `[Error: gather: indices are float64[1], expected int32]`,
    )
    expect(() =>
      call('gather', [ones(3), tensor(Int32Array.of(-1))], params),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: gather: index -1 is outside 0..2]`)
    expect(() =>
      call('gather', [ones(2, 3), ints(3, 1)], { axis: 1, batchDims: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: gather: float64[2,3] and indices int32[3,1] differ in their first 1 axes]`,
    )
    expect(() =>
      call('gather', [ones(3), ints(1)], { axis: 1, batchDims: 0 }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: gather: axis 1 with 0 batch axes does not fit float64[3]]`)
    expect(() =>
      call('scatterAdd', [ones(4), ints(2, 2)], { ...params, shape: [3] }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: scatterAdd: updates are float64[4], expected shape [2,2]]`)
    expect(() =>
      call('scatterAdd', [ones(1), tensor(Int32Array.of(3))], { ...params, shape: [3] }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: scatterAdd: index 3 is outside 0..2]`)
  })

  test('windows', () => {
    expect(() => call('patches', [ones(2)], { ...plain, window: [3] })).toThrowErrorMatchingInlineSnapshot(
      `[Error: patches: a window of 3 does not fit 2 + 0 + 0 along spatial axis 0]`,
    )
    expect(() =>
      call('unpatches', [ones(2, 2)], { ...plain, window: [2], spatial: [4] }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: unpatches: got float64[2,2], expected shape [2,3]]`)
    const params = { ...plain, spatial: [3], window: [1] }
    expect(() =>
      call('convolution', [ones(1, 2, 3), ones(2, 3, 1)], { ...params, groups: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: convolution: the image is float64[1,2,3], expected [1,3,3] beside float64[2,3,1] with 1 group(s)]`,
    )
    expect(() =>
      call('convolution', [ones(1, 4, 3), ones(3, 2, 1)], { ...params, groups: 2 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: convolution: float64[1,4,3] and float64[3,2,1] do not divide into 2 groups of channels]`,
    )
  })
})
