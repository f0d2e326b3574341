/**
 * Classes of mistakes that engines of automatic differentiation have made, one group each, with the threads
 * that report them: those of functions, 1 to 7.
 */
import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, hvp, jvp } from '../../src/transforms/index.js'
import { expectClose } from '../helpers/derivatives.js'
import { expectDerivatives, type Unary, zeros } from '../helpers/expectDerivatives.js'

const inf = Number.POSITIVE_INFINITY

// jax #347 #1052 #2630 #3407 #5798 #20601 #28262, pull request #2447
describe('1. NaN through where', () => {
  test('a guarded branch gives no NaN at any order', () => {
    const f: Unary = (x) => {
      const positive = np.greater(x, 0)
      return np.where(positive, np.log(np.where(positive, x, 1)), 0)
    }
    expectDerivatives(
      f,
      [0, 2, -1],
      [0, 0.5, 0],
      [
        [0, 0, 0],
        [0, -0.25, 0],
        [0, 0, 0],
      ],
    )
  })

  test('a NaN or infinity that is not selected does not reach the derivative', () => {
    const f: Unary = (x) => np.where(np.array([true, false]), x, np.multiply(tensor([Number.NaN, inf]), 1))
    expectDerivatives(f, [1, 2], [1, 0], zeros(2))
    const g: Unary = (x) => np.where(np.isnan(x), 0, np.square(np.where(np.isnan(x), 0, x)))
    expect(grad((x: Tensor) => np.sum(g(x)))([Number.NaN, 3]).toArray()).toEqual([0, 6])
  })
})

// jax #3058 #4177 #21723 #26248 #39792 #5262 #11716 #2377; autograd #151; torch #2421 #4320
describe('2. norms at zero', () => {
  test.each([2, 1, 3, inf])('the norm of order %s has derivative 0 at 0, at two orders', (ord) => {
    expectDerivatives((x) => np.norm(x, { ord }), [0, 0], [0, 0], zeros(2))
  })

  test('squares and multiples of a norm are finite where it is zero', () => {
    expectDerivatives((x) => np.square(np.norm(x)), [0, 0], [0, 0])
    expectDerivatives((a) => np.norm(np.multiply(a, [0, 0])), [1.3], [0], [[0]])
    const h = hessian((x: Tensor) => np.square(np.norm(x)))([1, 2, 3])
    expectClose(h, [2, 0, 0, 0, 2, 0, 0, 0, 2], 1e-14)
    expect(h.data.every(Number.isFinite)).toBe(true)
  })

  test('a row of zeros does not disturb the others', () => {
    const rows = tensor([0, 0, 3, 4], { shape: [2, 2] })
    const g = grad((x: Tensor) => np.sum(np.norm(x, { axis: 1 })))(rows)
    expectClose(g, [0, 0, 0.6, 0.8], 1e-15)
  })

  test('the standard deviation of equal numbers has derivative 0', () => {
    expectDerivatives((x) => np.std(x), [1, 1, 1], [0, 0, 0], zeros(3))
    expectDerivatives((x) => np.std(x), [7], [0], [[0]])
  })

  test('distances between points that coincide', () => {
    const f = (x: Tensor) => {
      const gaps = np.subtract(np.expandDims(x, 0), np.expandDims(x, 1))
      return np.sum(np.norm(gaps, { axis: -1 }))
    }
    expect(
      grad(f)([
        [0, 0],
        [3, 4],
        [0, 0],
      ]).data.every(Number.isFinite),
    ).toBe(true)
    expect(
      hvp(f)(
        [
          [0, 0],
          [3, 4],
          [0, 0],
        ],
        [
          [1, 0],
          [0, 1],
          [1, 1],
        ],
      ).data.every(Number.isFinite),
    ).toBe(true)
  })
})

// jax #15798 #1722 #6936 #34139; torch #196703 #53989
describe('3. edges of domains', () => {
  test('inverse functions have their one-sided slope, infinite and not NaN', () => {
    expectDerivatives(np.arccos, [1], [-inf])
    expectDerivatives(np.arccos, [-1], [-inf])
    expectDerivatives(np.arcsin, [1], [inf])
    expectDerivatives(np.arccosh, [1], [inf])
    expectDerivatives(np.arctanh, [-1], [inf])
    expectDerivatives(np.log, [0], [inf])
    expectDerivatives(np.sqrt, [0], [inf])
  })

  test('sinc and its derivatives at and near 0, at every order', () => {
    const p = Math.PI
    expectDerivatives(np.sinc, [0], [0], [[(-p * p) / 3]])
    let f: Unary = np.sinc
    const expected = [1, 0, -(p ** 2) / 3, 0, p ** 4 / 5, 0, -(p ** 6) / 7]
    expected.forEach((value) => {
      expect(f(tensor(0)).item() / p ** 6).toBeCloseTo(value / p ** 6, 13)
      const lower = f
      f = (x) => grad(lower)(x)
    })
    for (const x of [1e-12, 1e-6, 1e-3])
      expect(grad((x: Tensor) => np.sinc(x))(x).item() / x).toBeCloseTo((-p * p) / 3, 4)
  })
})

// jax #37820 #10515 #10800 #37821 #2342 #2195; torch #184572 #184574 #76522 #7002 #7049 #191142; tinygrad #17758
describe('4. kinks: one stated subderivative in every mode', () => {
  test('relu and abs have 0, leakyRelu its slope, maximum half', () => {
    expectDerivatives(np.relu, [0, -0], [0, 0], zeros(2))
    expectDerivatives(np.abs, [0], [0], [[0]])
    expectDerivatives((x) => np.leakyRelu(x, { slope: 0.1 }), [0], [0.1], [[0]])
    expectDerivatives((x) => np.maximum(x, 0), [0], [0.5], [[0]])
    expectDerivatives((x) => np.minimum(0, x), [0], [0.5], [[0]])
  })

  test('clip has 1 inside, half at its ends, 0 outside', () => {
    expectDerivatives((x) => np.clip(x, 0, 1), [-1, 0, 0.5, 1, 2], [0, 0.5, 1, 0.5, 0], zeros(5))
  })

  test('|x| written as max(x, -x) has 0 at 0 as abs has', () => {
    expectDerivatives((x) => np.maximum(x, np.negative(x)), [0], [0], [[0]])
  })

  test('reductions over ties share, and sorting moves each derivative with its element', () => {
    expectDerivatives((x) => np.max(x), [2, 2, 1], [0.5, 0.5, 0], zeros(3))
    expectDerivatives((x) => np.min(x), [2, 2, 2], [1 / 3, 1 / 3, 1 / 3], zeros(3))
    expectDerivatives((x) => np.multiply(np.sort(x), [1, 10, 100]), [2, 1, 2], [10, 1, 100], zeros(3))
  })

  test('the absolute value of x^2 keeps the second derivative where it is zero up to the kink', () => {
    expectDerivatives(
      (x) => np.square(np.abs(x)),
      [3, -3],
      [6, -6],
      [
        [2, 0],
        [0, 2],
      ],
    )
  })
})

// jax #12033 #14397 #16419 #17996 #20574 #12409; Enzyme #2855; casadi #2856
describe('5. powers at zero', () => {
  test('a polynomial written with powers has its coefficients as derivatives', () => {
    const f: Unary = (x) => np.sum(np.power(x, np.arange(3)))
    expectDerivatives((x) => np.sum(np.power(np.reshape(x, [1]), [0, 1, 2])), [0], [1], [[2]])
    expect(grad(f)(0).item()).toBe(1)
    expectDerivatives((x) => np.power(x, [0, 1]), [10, 0], [0, 1], zeros(2))
  })

  test.each([0, 1, 2, 3, 4])('x^%i at 0 and at negative x, by numbers, integers and floats', (n) => {
    const slope = (x: number) => (n === 0 ? 0 : n * x ** (n - 1))
    const bend = (x: number) => (n < 2 ? 0 : n * (n - 1) * x ** (n - 2))
    const exponents = [n, tensor(n), tensor(Int32Array.of(n), { shape: [] })]
    for (const exponent of exponents)
      expectDerivatives(
        (x) => np.power(x, exponent),
        [0, -2],
        [slope(0), slope(-2)],
        [
          [bend(0), 0],
          [0, bend(-2)],
        ],
      )
  })

  test('the derivative in the exponent is 0 where the base is 0', () => {
    expectDerivatives((y) => np.power(0, y), [1, 2.5], [0, 0], zeros(2))
  })

  test('negative integer powers and roots', () => {
    expectDerivatives((x) => np.power(x, -1), [2, -2], [-0.25, -0.25])
    expectDerivatives((x) => np.power(x, 0.5), [0], [inf])
    expectDerivatives((x) => np.power(x, 0.5), [4], [0.25])
  })
})

// softplus jax #2107; burn #5373; logsumexp jax #6811 #7390, torch #31829; tanh jax #40343; softmax jax #40344; 1/x jax #3136
describe('6. tails', () => {
  test('softplus, sigmoid, logSigmoid and tanh saturate without NaN', () => {
    const x = [-1e4, 0, 1e4]
    expectDerivatives(
      np.softplus,
      x,
      [0, 0.5, 1],
      [
        [0, 0, 0],
        [0, 0.25, 0],
        [0, 0, 0],
      ],
    )
    expectDerivatives(np.sigmoid, x, [0, 0.25, 0], zeros(3))
    expectDerivatives(np.logSigmoid, x, [1, 0.5, 0])
    expectDerivatives(np.tanh, x, [0, 1, 0], zeros(3))
    expectDerivatives(np.silu, x, [0, 0.5, 1])
    expectDerivatives(np.gelu, x, [0, 0.5, 1])
    expectDerivatives((x) => np.gelu(x, { approximate: true }), x, [0, 0.5, 1])
    expectDerivatives(np.elu, x, [0, 1, 1])
  })

  test('expm1 and log1p are exact near 0, 1/x far out', () => {
    expectDerivatives(np.expm1, [1e-20], [1], [[1]])
    expectDerivatives(np.log1p, [1e-20], [1], [[-1]])
    expectDerivatives(np.reciprocal, [1e100], [-1e-200])
    expectDerivatives(np.reciprocal, [1e200], [0])
  })

  test('logsumexp of huge, equal and infinite numbers', () => {
    expect(np.logsumexp([1000, 1000]).item()).toBe(1000 + Math.LN2)
    expectDerivatives(
      (x) => np.logsumexp(x),
      [1000, 1000],
      [0.5, 0.5],
      [
        [0.25, -0.25],
        [-0.25, 0.25],
      ],
    )
    expectDerivatives((x) => np.logsumexp(x), [-inf, 0], [0, 1], zeros(2))
    expect(np.logsumexp([-inf, -inf]).item()).toBe(-inf)
    expectDerivatives((x) => np.logsumexp(np.add([-inf, -inf], x)), [1], [0], [[0]])
    expectDerivatives((x) => np.logaddexp(x, 0), [1000, -1000, 0], [1, 0, 0.5])
    expectDerivatives((x) => np.logaddexp(np.add(x, -inf), -inf), [1], [0])
  })

  test('softmax, logSoftmax and the cross entropy of huge and masked logits', () => {
    expectDerivatives((x) => np.multiply(np.softmax(x), [1, 0]), [1000, -1000], [0, 0], zeros(2))
    expectDerivatives((x) => np.multiply(np.softmax(x), [1, 2, 0]), [0, 0, -inf], [-0.25, 0.25, 0])
    expectDerivatives((x) => np.multiply(np.logSoftmax(x), [0, 1]), [1e4, -1e4], [-1, 1], zeros(2))
    const loss: Unary = (x) => np.crossEntropy(np.expandDims(x, 0), tensor(Int32Array.of(1)))
    expectDerivatives(loss, [1e5, 0], [1, -1], zeros(2))
  })

  test('float32 tails stay finite', () => {
    const x = tensor(Float32Array.of(-200, -50, 50, 200))
    for (const f of [np.softplus, np.sigmoid, np.tanh, np.silu, np.gelu, np.logSigmoid]) {
      const g = grad((x: Tensor) => np.sum(f(x)))
      expect(g(x).dtype).toBe('float32')
      expect(g(x).data.every(Number.isFinite)).toBe(true)
      expect(jvp(g, [x], [x])[1].data.every(Number.isFinite)).toBe(true)
    }
  })
})

// torch #773 #106789; tensorflow #3862; burn #5533; tinygrad #17404; pytensor #1911
describe('7. products with zeros', () => {
  test.each([
    [
      [2, 3, 4],
      [12, 8, 6],
    ],
    [
      [0, 3, 4],
      [12, 0, 0],
    ],
    [
      [0, 0, 4],
      [0, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  ])('prod %j has gradient %j, and the Hessian of products of the rest', (x, gradient) => {
    const [a, b, c] = x as [number, number, number]
    expectDerivatives((x) => np.prod(x), x, gradient, [
      [0, c, b],
      [c, 0, a],
      [b, a, 0],
    ])
    expectDerivatives((x) => np.max(np.cumprod(x), { axis: 0 }), [2, 3, 4], [12, 8, 6])
  })

  test('cumprod through a zero', () => {
    expectDerivatives(np.cumprod, [2, 0, 3], [1, 2 + 2 * 3, 0])
  })

  test('the empty product and products of one', () => {
    const none = new Float64Array(0)
    expect(np.prod(none).item()).toBe(1)
    expect(grad((x: Tensor) => np.prod(x))(none).shape).toEqual([0])
    expectDerivatives((x) => np.prod(x), [0], [1], [[0]])
  })
})
