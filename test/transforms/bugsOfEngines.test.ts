/**
 * Classes of mistakes that engines of automatic differentiation have made, one group each, with the threads
 * that report them: those of the machinery, 8 to 16.
 */
import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { dtypes } from '../../src/tensor/dtype.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  customJvp,
  customVjp,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  linearize,
  trace,
  vjp,
  vmap,
} from '../../src/transforms/index.js'
import { cases } from '../helpers/cases.js'
import {
  atPoint,
  difference,
  expectClose,
  randomDirections,
  randomLike,
  shifted,
} from '../helpers/derivatives.js'
import { expectDerivatives, type Unary, zeros } from '../helpers/expectDerivatives.js'

// jax #3186 #15906 #4853 #3348 #17982 #7100 #6098 #9661
describe('8. long loops', () => {
  const loop = (steps: number) => (x: Tensor) => {
    let y = x
    for (let k = 0; k < steps; k++) y = np.add(np.multiply(y, 0.5), np.sin(y))
    return y
  }
  const equations = (f: Unary) => trace(f, 0.3).program.equations.length

  test('ten thousand steps do not overflow the stack in any mode', () => {
    const f = loop(10_000)
    const slope = grad(f)(0.3).item()
    expect(Number.isFinite(slope)).toBe(true)
    expect(jvp(f, [0.3], [1])[1].item()).toBeCloseTo(slope, 12)
    expect(Number.isFinite(hessian(f)(0.3).item())).toBe(true)
    expect(vmap(f)([0.3]).shape).toEqual([1])
  })

  test('derivative programs grow in proportion to the loop', () => {
    for (const transform of [
      (f: Unary) => (x: Tensor) => grad(f)(x),
      (f: Unary) => (x: Tensor) => jvp(f, [x], [1])[1],
      (f: Unary) => (x: Tensor) => hessian(f)(x),
    ]) {
      const [a, b, c] = [100, 200, 300].map((n) => equations(transform(loop(n)))) as [number, number, number]
      expect(c - b).toBe(b - a)
    }
  })
})

// jax #4433 #16000 #7651 #7652 #19386 #25724 #23779 #10818 #34330
describe('9. integers and dtypes', () => {
  const indices = tensor(Int32Array.of(2, 0))

  test('derivatives in integer arguments are refused, in the floats beside them allowed', () => {
    const f = (x: Tensor, i: Tensor) => np.sum(np.square(np.take(x, i)))
    expect(() => grad(f, { argument: 1 })([1, 2, 3], indices)).toThrow(/argument 1 is int32\[2\]/)
    expect(grad(f)([1, 2, 3], indices).toArray()).toEqual([2, 0, 6])
    expect(() => jvp(f, [[1, 2, 3], indices], [[1, 1, 1], indices])).toThrow(/argument 1 is int32\[2\]/)
    expect(() => hessian(f)(indices, indices)).toThrow(/argument 0 is int32\[2\]/)
  })

  test('integer results have zero tangents of their own type, and take zero cotangents', () => {
    const f = (x: Tensor) => ({ loss: np.sum(x), where: np.argmax(x), large: np.greater(x, 1) })
    const [, moved] = jvp(f, [[1, 2]], [[1, 1]])
    expect([moved.loss.item(), moved.where.toString(), moved.large.toString()]).toEqual([
      2,
      'int32[]',
      'bool[2]',
    ])
    expect(moved.where.item()).toBe(0)
    const zero = { loss: 1, where: 0, large: [false, false] }
    expect(vjp(f, [1, 2])[1](zero)[0].toArray()).toEqual([1, 1])
    expect(
      vmap((x: Tensor) => jvp(f, [x], [[1, 1]])[1].loss)([
        [1, 2],
        [3, 4],
      ]).toArray(),
    ).toEqual([2, 2])
  })

  test('a path through integers carries no derivative', () => {
    expectDerivatives((x) => np.multiply(np.astype(np.astype(x, 'int32'), 'float64'), x), [2.5], [2], [[0]])
  })

  test('float32 is never widened by numbers, nor float64 narrowed', () => {
    const x = tensor(Float32Array.of(1, 2))
    const f = (x: Tensor) => np.sum(np.power(np.multiply(np.add(x, 0.1), 2), 1.5))
    expect([grad(f)(x).dtype, hessian(f)(x).dtype, hvp(f)(x, [1, 1]).dtype]).toEqual([
      'float32',
      'float32',
      'float32',
    ])
    const mixed = (x: Tensor, y: Tensor) => np.sum(np.multiply(x, y))
    const [gx, gy] = grad(mixed, { argument: [0, 1] })(x, [1, 2])
    expect([gx?.dtype, gy?.dtype]).toEqual(['float32', 'float64'])
  })
})

// jax #979 #1853 #3293 #4891 #15872 #3433; torch #92140
describe('10. complex numbers', () => {
  test('there is no complex dtype: roots and logarithms of negative numbers are NaN', () => {
    expect(dtypes.every((name) => !name.includes('complex'))).toBe(true)
    expect(np.sqrt(-1).item()).toBeNaN()
    expect(np.log(-1).item()).toBeNaN()
    expect(() => tensor('1+2i' as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: tensor: expected numbers nested 0 deep, got 1+2i at depth 0]`,
    )
    expect(() => grad((x: Tensor) => x)({ re: 1, im: 2 } as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: the function returned float64[], float64[], expected one float number; reduce it with sum or mean, or use jacobian]`,
    )
  })
})

// jax #1521 #12469 #9296 #776 #40626 #40648 #1104
describe('11. gather and scatter', () => {
  const twice = tensor(Int32Array.of(1, 1, 0))

  test('positions read more than once collect every derivative', () => {
    expectDerivatives((x) => np.multiply(np.take(x, twice), [1, 10, 100]), [1, 2, 3], [100, 11, 0], zeros(3))
    expectDerivatives(
      (x) => np.prod(np.take(x, twice)),
      [2, 3, 4],
      [9, 12, 0],
      [
        [0, 6, 0],
        [6, 4, 0],
        [0, 0, 0],
      ],
    )
  })

  test('updates to the same position are added, and each gets its cotangent', () => {
    const f: Unary = (u) => np.multiply(np.scatterAdd(np.zeros([3]), twice, u), [1, 10, 100])
    expectDerivatives(f, [1, 2, 3], [10, 10, 1], zeros(3))
  })

  test('positions out of range are refused, not clamped', () => {
    const wrong = tensor(Int32Array.of(3))
    expect(() => np.take([1, 2, 3], wrong)).toThrow(/3 is out/)
    expect(() => grad((x: Tensor) => np.sum(np.take(x, wrong)))([1, 2, 3])).toThrow(/3 is out/)
    expect(() => np.scatterAdd([1, 2, 3], wrong, [1])).toThrow(/3 is out/)
  })

  test('batched positions with shared values, and the reverse', () => {
    const rows = tensor(Int32Array.of(0, 1, 1, 1), { shape: [2, 2] })
    const f = (x: Tensor, i: Tensor) => grad((x: Tensor) => np.sum(np.square(np.take(x, i))))(x)
    expect(vmap(f, { inAxes: [null, 0] })([1, 2], rows).toArray()).toEqual([
      [2, 4],
      [0, 8],
    ])
    expect(
      vmap(f, { inAxes: [0, null] })(
        [
          [1, 2],
          [3, 4],
        ],
        tensor(Int32Array.of(1, 1)),
      ).toArray(),
    ).toEqual([
      [0, 8],
      [0, 16],
    ])
  })
})

// jax #669 #2311 #4646 #8732
describe('12. eigenvalues and singular values', () => {
  test('sums over equal eigenvalues and singular values have finite, right derivatives', () => {
    // sum w^2 = |A|^2 of a symmetric matrix, so its slope is 2 A, whatever eigenvalues are equal.
    const squares = (a: Tensor) => np.sum(np.square(np.eigvalsh(a)))
    const symmetric = [
      [2, 0, 0],
      [0, 2, 0],
      [0, 0, 5],
    ]
    const twice = (rows: number[][]) => rows.map((row) => row.map((x) => expect.closeTo(2 * x, 12)))
    expect(grad(squares)(symmetric).toArray()).toEqual(twice(symmetric))
    const singular = (a: Tensor) => np.sum(np.square(np.svd(a).s))
    const equal = [
      [3, 0],
      [0, 3],
      [0, 0],
    ]
    expect(grad(singular)(equal).toArray()).toEqual(twice(equal))
    expect(
      vjp((a: Tensor) => np.eigh(a), symmetric)[1](np.eigh(symmetric))
        .flatMap((x) => [...x.data])
        .every(Number.isFinite),
    ).toBe(true)
  })

  test('distinct eigenvalues turn their vectors by the gaps between them', () => {
    // Along [[0, 1], [1, 0]] the first eigenvector of diag(1, 4) turns by 1 / (1 - 4).
    const [, turned] = jvp(
      (a: Tensor) => np.eigh(a).eigenvectors,
      [
        [
          [1, 0],
          [0, 4],
        ],
      ],
      [
        [
          [0, 1],
          [1, 0],
        ],
      ],
    )
    expect(turned.toArray()).toEqual([
      [expect.closeTo(0, 12), expect.closeTo(1 / 3, 12)],
      [expect.closeTo(-1 / 3, 12), expect.closeTo(0, 12)],
    ])
  })
})

// ForwardDiff #83 #313 #238; ReverseDiff #45. The file confusion.test.ts has the rest.
describe('13. perturbation confusion', () => {
  test('nested derivatives of functions that close over outer variables', () => {
    const f = (x: Tensor) => np.multiply(x, grad((y: Tensor) => np.add(x, y))(1))
    expect([grad(f)(1).item(), jvp(f, [1], [1])[1].item()]).toEqual([1, 1])
    const g = (x: Tensor) => np.sum(grad((y: Tensor) => np.sum(np.multiply(x, np.square(y))))(x))
    expect(grad(g)([1, 2]).toArray()).toEqual([4, 8])
    expect(jacobian((x: Tensor) => jacobian((y: Tensor) => np.multiply(x, y))(x))([1, 2]).shape).toEqual([
      2, 2, 2,
    ])
  })
})

// torch #49824 #36608 #9391 #8874
describe('14. inputs are never changed', () => {
  const seed = 4242
  test(`by no primitive under any transformation, seed ${seed}`, () => {
    for (const c of cases) {
      const inputs = c.sample(seed)
      const copies = inputs.map((x) => x.data.slice())
      const { f, at } = atPoint({ ...c, sample: () => inputs }, seed)
      c.call(...inputs)
      if (at.length > 0) {
        const v = randomDirections(at, seed)
        const given = v.map((x) => x.data.slice())
        const [value, pull] = vjp(f, ...at)
        const kept = value.data.slice()
        const u = randomLike(value, seed)
        const cotangent = u.data.slice()
        const first = pull(u).map((x) => x.data.slice())
        expect(pull(u).map((x) => x.data)).toEqual(first)
        const [, push] = linearize(f, ...at)
        expect(push(...v).data).toEqual(push(...v).data)
        jvp(f, at, v)
        expect(v.map((x) => x.data)).toEqual(given)
        expect(u.data).toEqual(cotangent)
        expect(value.data).toEqual(kept)
      }
      expect(inputs.map((x) => x.data)).toEqual(copies)
    }
  })
})

// jax #2912 #4008 #3964 #7098 #3819 #20889 #23065 #3558
describe('15. custom rules', () => {
  const clipped = customVjp(
    (x: Tensor) => np.square(x),
    (x: Tensor) => [np.square(x), x] as const,
    (x: Tensor, ct: Tensor) => [np.multiply(np.clip(ct, -1, 1), np.multiply(x, 2))],
  )
  const sine = customJvp(
    (x: Tensor) => np.sin(x),
    ([x], [v]) => [np.sin(x), np.multiply(v, np.multiply(np.cos(x), 10))],
  )

  test('are used by every mode, inside vmap and nested, and differentiated for higher orders', () => {
    const slope = (x: number) => 10 * Math.cos(x)
    expect(grad(sine)(0.3).item()).toBeCloseTo(slope(0.3), 12)
    expect(jvp(sine, [0.3], [1])[1].item()).toBeCloseTo(slope(0.3), 12)
    expect(vmap(grad(sine))([0.3, 0.7]).toArray()).toEqual(
      [0.3, 0.7].map((x) => expect.closeTo(slope(x), 12)),
    )
    expect(grad((x: Tensor) => grad(sine)(x))(0.3).item()).toBeCloseTo(-10 * Math.sin(0.3), 12)
  })

  test('of reverse mode may be what is no derivative', () => {
    expect(grad((x: Tensor) => np.multiply(clipped(x), 7))(3).item()).toBe(6)
    expect(vmap(grad((x: Tensor) => np.multiply(clipped(x), 7)))([3, 4]).toArray()).toEqual([6, 8])
  })

  test('of the wrong shape are refused by name', () => {
    const wrong = customVjp(
      (x: Tensor) => np.sum(x),
      (x: Tensor) => [np.sum(x), x] as const,
      () => [[1, 2, 3]],
    )
    expect(() => grad(wrong)([1, 2])).toThrow(/customVjp.*float64\[3\].*expected float64\[2\]/)
  })
})

// torch #79705 #196700; mlx #3220; jax #29342 #28144 #654
describe('16. second order of layer norm, symbolic zeros under vmap, shapes of Jacobians', () => {
  test('the second derivative of a layer norm with a known closed form', () => {
    // With epsilon 1/4 and scale [1, 2] it is -t / sqrt(1 + t^2) in x = [t, 0].
    const f = (t: Tensor) => {
      const x = np.multiply(t, [1, 0])
      return np.sum(np.layerNorm(x, { epsilon: 0.25, scale: [1, 2] }))
    }
    const t = 0.7
    expect(f(tensor(t)).item()).toBeCloseTo(-t / Math.sqrt(1 + t * t), 14)
    expectDerivatives(f, [t].flat(), [-((1 + t * t) ** -1.5)], [[3 * t * (1 + t * t) ** -2.5]])
    expect(hessian(f)(t).item()).toBeCloseTo(0.7749142079590942, 14)
  })

  test('gradients of gradients of a layer norm in values, scale and offset agree with differences', () => {
    const random = (shape: number[], seed: number) =>
      randomLike(new Tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)), shape), seed)
    const at = [random([2, 4], 1), random([4], 2), random([4], 3)] as [Tensor, Tensor, Tensor]
    const target = random([2, 4], 4)
    const f = (x: Tensor, scale: Tensor, offset: Tensor) =>
      np.sum(np.multiply(target, np.square(np.layerNorm(x, { scale, offset }))))
    const all = (...xs: [Tensor, Tensor, Tensor]) => grad(f, { argument: [0, 1, 2] })(...xs)
    const v = randomDirections(at, 5) as [Tensor, Tensor, Tensor]
    const second = jvp(all, at, v)[1]
    second.forEach((got, i) => {
      expectSameShape(got, at[i] as Tensor)
      const moved = difference(
        (t) => all(...(shifted(at, v, t) as [Tensor, Tensor, Tensor]))[i] as Tensor,
        1e-3,
      )
      expectClose(got, moved, 1e-6)
    })
  })

  test('vmap of derivatives where an output or input does not depend on the rest', () => {
    const f = (x: Tensor, y: Tensor) => ({
      used: np.square(x),
      ignored: np.multiply(y, 0.5),
      fixed: tensor(1),
    })
    const pushed = vmap((x: Tensor) => jvp((x: Tensor) => f(x, tensor(3)), [x], [1])[1])([1, 2])
    expect([pushed.used.toArray(), pushed.ignored.toArray(), pushed.fixed.toArray()]).toEqual([
      [2, 4],
      [0, 0],
      [0, 0],
    ])
    const pulled = vmap((x: Tensor) => vjp(f, x, 3)[1]({ used: 1, ignored: 0, fixed: 0 }))([1, 2])
    expect(pulled.map((x) => x.toArray())).toEqual([
      [2, 4],
      [0, 0],
    ])
    expect(
      vmap((x: Tensor) => hessian((y: Tensor) => np.sum(np.multiply(x, y)))([1, 2]))([1, 2]).shape,
    ).toEqual([2, 2, 2])
  })

  test('Jacobians have the shape of the result, then of the argument', () => {
    const f = (x: Tensor) => ({ outer: np.outer(x, x), sum: np.sum(x), none: np.zeros([0]) })
    for (const mode of ['forward', 'reverse'] as const) {
      const j = jacobian(f, { mode })([1, 2, 3])
      expect([j.outer.shape, j.sum.shape, j.none.shape]).toEqual([[3, 3, 3], [3], [0, 3]])
    }
    const tree = jacobian((p: { a: Tensor; b: Tensor }) => np.multiply(p.a, p.b))({ a: [1, 2], b: 3 })
    expect([tree.a.toArray(), tree.b.toArray()]).toEqual([
      [
        [3, 0],
        [0, 3],
      ],
      [1, 2],
    ])
    expect(jacobian((x: Tensor) => np.sum(x))(new Float64Array(0)).shape).toEqual([0])
    expect(jacobian((x: Tensor) => x)(2).shape).toEqual([])
  })
})

function expectSameShape(x: Tensor, y: Tensor): void {
  expect(x.shape).toEqual(y.shape)
}
