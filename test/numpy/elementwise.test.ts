import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, trace } from '../../src/transforms/index.js'
import { expectDerivatives } from './derivatives.js'

const values = (x: np.ArrayLike) => np.asarray(x).toArray()

describe('dtypes', () => {
  const samples = {
    bool: np.array([true, false]),
    int32: np.array([1, 2], { dtype: 'int32' }),
    float32: np.array([1, 2], { dtype: 'float32' }),
    float64: np.array([1, 2]),
    'whole number': 3,
    fraction: 0.5,
  }

  test('arithmetic promotes, and JavaScript numbers are weak', () => {
    const rows = Object.entries(samples).map(
      ([name, x]) =>
        `${name}: ${Object.values(samples)
          .map((y) => np.add(x, y).dtype)
          .join(' ')}`,
    )
    expect(rows.join('\n')).toMatchInlineSnapshot(`
      "bool: int32 int32 float32 float64 int32 float64
      int32: int32 int32 float32 float64 int32 float64
      float32: float32 float32 float32 float64 float32 float32
      float64: float64 float64 float64 float64 float64 float64
      whole number: int32 int32 float32 float64 float64 float64
      fraction: float64 float64 float32 float64 float64 float64"
    `)
  })

  test('true division gives floats', () => {
    const rows = Object.entries(samples).map(
      ([name, x]) =>
        `${name}: ${Object.values(samples)
          .map((y) => np.divide(x, y).dtype)
          .join(' ')}`,
    )
    expect(rows.join('\n')).toMatchInlineSnapshot(`
      "bool: float64 float64 float32 float64 float64 float64
      int32: float64 float64 float32 float64 float64 float64
      float32: float32 float32 float32 float64 float32 float32
      float64: float64 float64 float64 float64 float64 float64
      whole number: float64 float64 float32 float64 float64 float64
      fraction: float64 float64 float32 float64 float64 float64"
    `)
  })

  test('transcendental functions and means of integers are float64, of float32 float32', () => {
    expect(np.exp(samples.int32).dtype).toBe('float64')
    expect(np.sin(samples.bool).dtype).toBe('float64')
    expect(np.mean(samples.int32).dtype).toBe('float64')
    expect(np.sqrt(samples.float32).dtype).toBe('float32')
    expect(np.sum(samples.bool).dtype).toBe('int32')
    expect(np.power(samples.int32, 2).dtype).toBe('int32')
    expect(np.power(samples.int32, -1).dtype).toBe('float64')
    expect(np.add(samples.int32, 2 ** 40).dtype).toBe('float64')
  })

  test('the same dtypes come out of a traced function', () => {
    const traced = trace((x: Tensor) => np.multiply(np.add(x, 0.5), np.exp(x)), samples.float32)
    expect(traced.program.outputs[0]!.dtype).toBe('float32')
    expect(trace((x: Tensor) => np.add(x, 0.5), samples.int32).program.outputs[0]!.dtype).toBe('float64')
  })
})

test('shapes that do not broadcast are named with the function', () => {
  expect(() => np.subtract([1, 2], [1, 2, 3])).toThrowErrorMatchingInlineSnapshot(
    `[Error: subtract: shapes [2] and [3] do not broadcast]`,
  )
  expect(() => np.where([true, false], [1, 2, 3], 0)).toThrowErrorMatchingInlineSnapshot(
    `[Error: where: shapes [2] and [3] and [] do not broadcast]`,
  )
  expect(() => np.logicalAnd([true, false], [1, 2, 3])).toThrowErrorMatchingInlineSnapshot(
    `[Error: logicalAnd: shapes [2] and [3] do not broadcast]`,
  )
})

describe('arithmetic', () => {
  test('remainder and floorDivide round down as Python does, fmod towards zero', () => {
    const x = [7, -7, 7, -7, 6, -6]
    const y = [3, 3, -3, -3, 3, 3]
    expect(values(np.remainder(x, y))).toEqual([1, 2, -2, -1, 0, -0])
    expect(values(np.floorDivide(x, y))).toEqual([2, -3, -3, 2, 2, -2])
    expect(values(np.fmod(x, y))).toEqual([1, -1, 1, -1, 0, -0])
    const int = (a: number[]) => np.array(a, { dtype: 'int32' })
    expect(values(np.floorDivide(int(x), int(y)))).toEqual([2, -3, -3, 2, 2, -2])
    expect(values(np.remainder(int(x), int(y)))).toEqual([1, 2, -2, -1, 0, 0])
    expect(values(np.floorDivide([1, -1, 0.3], [0, 0, 0.1]))).toEqual([Infinity, -Infinity, 2])
  })

  test('integer powers have finite derivatives of every order at 0', () => {
    const f = (x: np.ArrayLike) => np.sum(np.power(x, 3))
    const first = grad(f)
    const second = grad((x: Tensor) => np.sum(first(x)))
    const third = grad((x: Tensor) => np.sum(second(x)))
    expect(values(first([0, 2]))).toEqual([0, 12])
    expect(values(second([0, 2]))).toEqual([0, 12])
    expect(values(third([0, 2]))).toEqual([6, 6])
  })

  test('power takes the exact way for the exponents that have one', () => {
    expect(values(np.power([4, 9], 0.5))).toEqual([2, 3])
    expect(values(np.power([4, 16], -0.5))).toEqual([0.5, 0.25])
    expect(values(np.power([2, -4], -1))).toEqual([0.5, -0.25])
    expect(values(np.power([2, 0], 0))).toEqual([1, 1])
    expect(values(np.power(2, [1, 2, 3]))).toEqual([2, 4, 8])
    expect(np.power(2, 3).item()).toBe(8)
  })

  test('ties of maximum and clip at its limit get half of the derivative, |x| at 0 none', () => {
    expect(values(grad((x: Tensor) => np.sum(np.maximum(x, 1)))([0, 1, 2]))).toEqual([0, 0.5, 1])
    expect(values(grad((x: Tensor) => np.sum(np.clip(x, 0, 1)))([-1, 0, 0.5, 1, 2]))).toEqual([
      0, 0.5, 1, 0.5, 0,
    ])
    expect(values(np.clip([-1, 5], null, 3))).toEqual([-1, 3])
    expect(grad(np.abs)(0).item()).toBe(0)
  })

  test('rounding keeps integers and follows NumPy for halves', () => {
    expect(values(np.round([0.5, 1.5, -0.5, 2.4]))).toEqual([0, 2, -0, 2])
    expect(values(np.trunc([1.7, -1.7]))).toEqual([1, -1])
    expect(np.floor(np.array([1], { dtype: 'int32' })).dtype).toBe('int32')
  })
})

describe('comparison', () => {
  test('NaN and infinities are told apart', () => {
    const x = [1, NaN, Infinity, -Infinity]
    expect(values(np.isnan(x))).toEqual([0, 1, 0, 0])
    expect(values(np.isinf(x))).toEqual([0, 0, 1, 1])
    expect(values(np.isfinite(x))).toEqual([1, 0, 0, 0])
    expect(values(np.isnan(np.array([1], { dtype: 'int32' })))).toEqual([0])
  })

  test('all and any reduce over axes and keep them on request', () => {
    const x = [
      [true, false],
      [true, true],
    ]
    expect(values(np.all(x, { axis: 1 }))).toEqual([0, 1])
    expect(values(np.any(x, { axis: 0, keepdims: true }))).toEqual([[1, 1]])
    expect(np.all([]).item()).toBe(1)
  })

  test('a guarded where leaks no NaN into the derivative', () => {
    const f = (x: np.ArrayLike) => {
      const safe = np.greater(x, 0)
      return np.sum(np.where(safe, np.log(np.where(safe, x, 1)), 0))
    }
    expect(values(grad(f)([0, 2]))).toEqual([0, 0.5])
  })
})

test('logaddexp and logsumexp stand huge, infinite and equal arguments', () => {
  expect(
    values(np.logaddexp([1000, -Infinity, 0, Infinity], [1000, -Infinity, -Infinity, Infinity])),
  ).toEqual([1000 + Math.LN2, -Infinity, 0, Infinity])
  expect(np.logaddexp(-1e300, 1).item()).toBe(1)
  expect(np.logaddexp(0, -50).item()).toBe(Math.exp(-50))
  const rows = [
    [-Infinity, -Infinity],
    [1000, 1000],
    [Infinity, 0],
  ]
  expect(values(np.logsumexp(rows, { axis: 1 }))).toEqual([-Infinity, 1000 + Math.LN2, Infinity])
  expect(values(np.logsumexp(rows, { axis: 1, keepdims: true }))).toEqual([
    [-Infinity],
    [1000 + Math.LN2],
    [Infinity],
  ])
  const gradient = grad((x: Tensor) => np.sum(np.logsumexp(x, { axis: 1 })))
  expect(values(gradient(rows.slice(0, 2)))).toEqual([
    [0, 0],
    [0.5, 0.5],
  ])
  expectDerivatives((x) => np.logaddexp(x, [1, 2, 3]), [1, 0, 5])
  expectDerivatives(
    (x) => np.logsumexp(x, { axis: 0 }),
    [
      [1, 2],
      [1, -3],
    ],
  )
})

test('hypot neither overflows nor has an infinite derivative at 0', () => {
  expect(values(np.hypot([3, 1e300, 0, 1e-300], [4, 0, 0, 0]))).toEqual([5, 1e300, 0, 1e-300])
  expect(np.hypot(Infinity, 1).item()).toBe(Infinity)
  expect(values(grad((x: Tensor) => np.sum(np.hypot(x, [0, 12])))([0, 5]))).toEqual([0, 5 / 13])
  expectDerivatives((x) => np.hypot(x, [1, 2]), [0, -3])
})

test('sinc has the derivatives of its series at 0 and joins them smoothly', () => {
  // sinc(x) = 1 - (pi x)^2/3! + (pi x)^4/5! - ...
  let f = (x: np.ArrayLike) => np.sinc(x)
  const at0: number[] = []
  for (let order = 0; order <= 6; order++) {
    at0.push(f(0).item())
    const g = f
    f = (x) => grad((y: Tensor) => np.sum(g(y)))(x)
  }
  const expected = [1, 0, -(Math.PI ** 2) / 3, 0, Math.PI ** 4 / 5, 0, -(Math.PI ** 6) / 7]
  at0.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 9)
  })
  expectDerivatives(np.sinc, [0, 0.1, 0.318, 0.319, 1, -2.5])
  for (const x of [1e-9, 0.2, 0.3183, 0.3184, 3.3])
    expect(np.sinc(x).item()).toBeCloseTo(Math.sin(Math.PI * x) / (Math.PI * x), 14)
})

test('erfc keeps its digits in the tail', () => {
  // SciPy 1.11: erfc([-1, 0.5, 1, 1.5, 3, 10, 26])
  const expected = [
    1.842700792949715, 0.4795001221869535, 0.15729920705028513, 0.033894853524689274, 2.209049699858544e-5,
    2.088487583762545e-45, 5.663192408856143e-296,
  ]
  np.erfc([-1, 0.5, 1, 1.5, 3, 10, 26]).data.forEach((value, i) => {
    expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-13)
  })
})

const smoothAt: Record<string, [(x: np.ArrayLike) => ReturnType<typeof np.exp>, number[]]> = {
  exp2: [np.exp2, [-1, 0, 3]],
  log2: [np.log2, [0.5, 3]],
  log10: [np.log10, [0.5, 3]],
  cbrt: [np.cbrt, [-8, 0.3]],
  tan: [np.tan, [-1, 0.5]],
  arcsin: [np.arcsin, [-0.5, 0.2]],
  arccos: [np.arccos, [-0.5, 0.2]],
  arctan2: [(x) => np.arctan2(x, [1, -1]), [-0.5, 2]],
  arcsinh: [np.arcsinh, [-2, 0]],
  arccosh: [np.arccosh, [1.5, 3]],
  arctanh: [np.arctanh, [-0.5, 0.9]],
  degrees: [np.degrees, [1]],
  erf: [np.erf, [-1, 0, 2]],
  erfc: [np.erfc, [-1, 0, 2]],
  remainder: [(x) => np.remainder(x, np.add(np.square(x), 1)), [1.3, -1.3]],
  'power by a tensor': [(x) => np.power(x, [0.3, 2.5]), [1.5, 2]],
  'power of a number': [(x) => np.power(2, x), [1.5, -2]],
  'negative power': [(x) => np.power(x, -3), [1.5, -2]],
  silu: [np.silu, [-3, 0, 3]],
  gelu: [np.gelu, [-3, 0, 3]],
  'gelu by tanh': [(x) => np.gelu(x, { approximate: true }), [-3, 0, 3]],
  elu: [np.elu, [-3, 3]],
  logSigmoid: [np.logSigmoid, [-3, 0, 3]],
}

test.each(Object.entries(smoothAt))('the derivatives of %s agree with differences', (_, [f, x]) => {
  expectDerivatives(f, x)
})
