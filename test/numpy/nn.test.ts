import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad } from '../../src/transforms/index.js'
import { uniform } from '../helpers/random.js'
import { expectDerivatives } from './derivatives.js'

const values = (x: np.ArrayLike) => np.asarray(x).toArray()
const random = uniform(11)
const make = (...shape: number[]) =>
  np.reshape(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
    shape,
  )
const worst = (x: np.ArrayLike, y: np.ArrayLike) => np.max(np.abs(np.subtract(x, y))).item()

test('softmax and its logarithm stand huge arguments', () => {
  expect(values(np.softmax([1000, 1000, -Infinity]))).toEqual([0.5, 0.5, 0])
  expect(values(np.logSoftmax([1000, 0]))).toEqual([0, -1000])
  expect(values(np.softmax([-Infinity, -Infinity]))).toEqual([NaN, NaN])
  expect(np.softmax(make(2, 3, 4), { axis: [0, 2] }).shape).toEqual([2, 3, 4])
  const x = [
    [1, 2, 3],
    [0, 0, -1],
  ]
  expectDerivatives((y) => np.softmax(y, { axis: 0 }), x)
  expectDerivatives((y) => np.logSoftmax(y), x)
})

test('relu has derivative 0 at 0, leakyRelu its slope', () => {
  expect(values(grad((x: Tensor) => np.sum(np.relu(x)))([-1, 0, 1]))).toEqual([0, 0, 1])
  expect(values(grad((x: Tensor) => np.sum(np.leakyRelu(x, { slope: 0.1 })))([-1, 0, 1]))).toEqual([
    0.1, 0.1, 1,
  ])
  expect(np.softplus(1000).item()).toBe(1000)
  expect(np.sigmoid(-800).item()).toBe(0)
  expect(np.elu(1000).item()).toBe(1000)
})

test('crossEntropy takes classes or probabilities', () => {
  const logits = [
    [1, 2, 3],
    [1, 0, 0],
  ]
  const expected = (Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)) - 3 + Math.log(Math.E + 2) - 1) / 2
  expect(np.crossEntropy(logits, np.array([2, 0], { dtype: 'int32' })).item()).toBeCloseTo(expected, 14)
  expect(np.crossEntropy(logits, np.oneHot([2, 0], 3)).item()).toBeCloseTo(expected, 14)
  expectDerivatives((x) => np.crossEntropy(x, [2, 0]), logits)
  expect(() => np.crossEntropy(logits, [3, 0])).toThrowErrorMatchingInlineSnapshot(
    `[Error: takeAlongAxis: index 3 is out of range for an axis of length 3]`,
  )
  expect(() => np.crossEntropy(logits, [[1, 2]])).toThrowErrorMatchingInlineSnapshot(
    `[Error: crossEntropy: labels are float64[1,2] for logits float64[2,3]; give class positions without the last axis, or float probabilities of the same shape]`,
  )
  expect(np.meanSquaredError([1, 2], [3, 2]).item()).toBe(2)
})

test('normalization over axes and with given statistics', () => {
  const x = make(2, 3, 4)
  const normal = np.layerNorm(x, { axis: [1, 2], epsilon: 0 })
  expect(worst(np.mean(normal, { axis: [1, 2] }), 0)).toBeLessThan(1e-15)
  expect(worst(np.std(normal, { axis: [1, 2] }), 1)).toBeLessThan(1e-14)
  expectDerivatives((y) => np.layerNorm(y, { scale: [1, 2, 3, 4], offset: 1 }), x, 1e-5)
  const [mean, variance, scale, offset] = [
    [1, 2, 3],
    [4, 9, 16],
    [1, 2, 3],
    [0, 0, 1],
  ]
  const batch = np.batchNorm(x, { mean, variance }, { scale, offset, epsilon: 0 })
  const at = np.slice(x, 1, 2, 3).item()
  expect(np.slice(batch, 1, 2, 3).item()).toBeCloseTo(((at - 3) / 4) * 3 + 1, 14)
})

describe('convolution', () => {
  /** One output element from the definition. */
  const byDefinition = (
    x: ReturnType<typeof make>,
    w: ReturnType<typeof make>,
    o: number,
    p: number,
    stride: number,
    pad: number,
    dilation: number,
    groups: number,
  ) => {
    let sum = 0
    const [per, size, length] = [w.shape[1]!, w.shape[2]!, x.shape[2]!]
    for (let c = 0; c < per; c++)
      for (let k = 0; k < size; k++) {
        const i = stride * p + dilation * k - pad
        const channel = Math.floor(o / (w.shape[0]! / groups)) * per + c
        if (i >= 0 && i < length) sum += np.slice(w, o, c, k).item() * np.slice(x, 0, channel, i).item()
      }
    return sum
  }

  test('agrees with its definition with strides, padding, dilation and groups', () => {
    const [x, w] = [make(1, 4, 9), make(6, 2, 3)]
    const y = np.conv(x, w, { strides: 2, padding: 1, dilation: 2, groups: 2 })
    expect(y.shape).toEqual([1, 6, 4])
    for (let o = 0; o < 6; o++)
      for (let p = 0; p < 4; p++)
        expect(np.slice(y, 0, o, p).item()).toBeCloseTo(byDefinition(x, w, o, p, 2, 1, 2, 2), 14)
  })

  test('same padding keeps ceil(n / stride) positions', () => {
    for (const strides of [1, 2, 3])
      for (const n of [4, 5, 7])
        expect(np.conv(make(1, 1, n), make(1, 1, 3), { strides, padding: 'same' }).shape[2]).toBe(
          Math.ceil(n / strides),
        )
  })

  test('convTranspose is its transpose', () => {
    const [x, w] = [make(2, 3, 6, 5), make(4, 3, 3, 2)]
    const options = { strides: 2, padding: [1, [0, 1]] as const, outputPadding: [1, 0] }
    const y = np.conv(x, w, options)
    const u = make(...y.shape)
    const back = np.convTranspose(u, w, options)
    expect(back.shape).toEqual(x.shape)
    expect(np.vdot(u, y).item()).toBeCloseTo(np.vdot(back, x).item(), 13)
  })

  test('is differentiated in image and kernel', () => {
    const [x, w] = [make(1, 2, 4, 3), make(2, 2, 2, 2)]
    expectDerivatives((y) => np.square(np.conv(y, w, { padding: 1 })), x)
    expectDerivatives((y) => np.square(np.conv(x, y, { strides: [2, 1] })), w)
  })

  test('says what does not fit', () => {
    expect(() => np.conv(make(1, 3, 5), make(2, 2, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: conv: kernel float64[2,2,3] in 1 group(s) expects 2 channels and results in multiples of 1, got float64[1,3,5]]`,
    )
    expect(() => np.conv(make(1, 3), make(2, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: conv: got float64[1,3] and kernel float64[2,3], expected [N, C, ...spatial] and [.., .., ...window]]`,
    )
    expect(() => np.conv(make(1, 1, 2), make(1, 1, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: conv: a window of 3 does not fit 2 + 0 + 0 along spatial axis 0]`,
    )
    expect(() => np.conv(make(1, 1, 5), make(1, 1, 3), { strides: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: conv: strides is [0], expected 1 whole number(s) of at least 1]`,
    )
    expect(() => np.conv(make(1, 1, 5), make(1, 1, 3), { padding: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: conv: padding is -1, expected 'valid', 'same', a whole number, or one or [before, after] for each of 1 axes]`,
    )
  })
})

describe('pooling', () => {
  const x = [[[1, 5, 2, 2, 4]]]
  test('maximum and mean under a window', () => {
    expect(values(np.maxPool(x, 2))).toEqual([[[5, 2]]])
    expect(values(np.maxPool(x, 3, { strides: 1, padding: 1 }))).toEqual([[[5, 5, 5, 4, 4]]])
    expect(values(np.avgPool(x, 2, { strides: 2, padding: [[1, 0]] }))).toEqual([[[1, 3.5, 3]]])
    expect(values(np.avgPool(x, 2, { strides: 2, padding: [[1, 0]], countPadding: true }))).toEqual([
      [[0.5, 3.5, 3]],
    ])
  })

  test('ties of a maximum share its derivative', () => {
    expect(
      values(grad((y: Tensor) => np.sum(np.maxPool(y, 2, { strides: 2, padding: [[1, 0]] })))(x)),
    ).toEqual([[[1, 1, 0, 0, 1]]])
    expect(values(grad((y: Tensor) => np.sum(np.maxPool(y, [2])))([[[2, 2, 1, 0]]]))).toEqual([
      [[0.5, 0.5, 1, 0]],
    ])
    expectDerivatives((y) => np.square(np.avgPool(y, 3, { strides: 1, padding: 'same' })), x)
    expectDerivatives((y) => np.square(np.maxPool(y, 2, { strides: 1 })), [[[1, 5, 2, 3, 4]]])
  })
})
