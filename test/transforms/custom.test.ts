import { describe, expect, test } from 'vitest'
import { compileJs, compileProgram } from '../../src/engines/index.js'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  cond,
  customJvp,
  customVjp,
  foriLoop,
  grad,
  hessian,
  implicit,
  jacobian,
  jet,
  jvp,
  laplacian,
  linearize,
  sparseJacobian,
  trace,
  vjp,
  vmap,
} from '../../src/transforms/index.js'
import { expectClose, randomLike } from '../helpers/derivatives.js'

const seed = 5
const vector = (n: number, from = seed) => randomLike(new Tensor(new Float64Array(n)), from)

/** x e^x with its derivative (1 + x) e^x given as a rule. */
const plain = (x: Tensor) => np.multiply(x, np.exp(x))
const byJvp = customJvp(plain, ([x], [t]) => [plain(x), np.multiply(t, np.multiply(np.add(x, 1), np.exp(x)))])
const byVjp = customVjp(
  plain,
  (x) => [plain(x), { x, e: np.exp(x) }],
  ({ x, e }, ct) => [np.multiply(ct, np.multiply(np.add(x, 1), e))],
)

describe.each([
  ['customJvp', byJvp],
  ['customVjp', byVjp],
])('%s', (_, f) => {
  const x = vector(4)
  const total = (f: (x: Tensor) => Tensor) => (x: Tensor) => np.sum(np.sin(f(np.square(x))))

  test('gives the values and the derivatives of every order, in both modes', () => {
    expectClose(f(x), plain(x).data, 1e-15)
    const [value, moved] = jvp(f, [x], [vector(4, 8)])
    const [expected, expectedMoved] = jvp(plain, [x], [vector(4, 8)])
    expectClose(value, expected.data, 1e-15)
    expectClose(moved, expectedMoved.data, 1e-14)
    expectClose(grad(total(f))(x), grad(total(plain))(x).data, 1e-13)
    expectClose(hessian(total(f))(x), hessian(total(plain))(x).data, 1e-12)
    expectClose(jacobian(grad(total(f)), { mode: 'reverse' })(x), hessian(total(plain))(x).data, 1e-12)
    expectClose(jacobian(f, { mode: 'forward' })(x), jacobian(plain)(x).data, 1e-13)
    const third = (f: (x: Tensor) => Tensor) =>
      jvp((x: Tensor) => jvp(grad(total(f)), [x], [vector(4, 3)])[1], [x], [vector(4, 4)])[1]
    expectClose(third(f), third(plain).data, 1e-11)
  })

  test('can be linearised, mapped, nested, compiled, and seen through by sparsity', () => {
    expectClose(linearize(f, x)[1](vector(4, 2)), linearize(plain, x)[1](vector(4, 2)).data, 1e-14)
    const batch = np.stack([x, vector(4, 9), vector(4, 10)])
    expectClose(vmap(grad(total(f)))(batch), vmap(grad(total(plain)))(batch).data, 1e-13)
    expectClose(
      grad((b: Tensor) => np.sum(vmap(total(f))(b)))(batch),
      vmap(grad(total(plain)))(batch).data,
      1e-13,
    )
    const twice = (x: Tensor) => f(f(x))
    expectClose(
      grad((x: Tensor) => np.sum(twice(x)))(x),
      grad((x: Tensor) => np.sum(plain(plain(x))))(x).data,
      1e-12,
    )
    expectClose(compileJs(grad(total(f)))(x), grad(total(plain))(x).data, 1e-13)
    expect(sparseJacobian(f)(x).columns.length).toBe(4)
    const { program } = trace(grad(total(f)), x)
    expect(optimize(program).equations.some(({ primitive }) => primitive.inline)).toBe(false)
  })

  test('works in Taylor mode, collapsed or not, and inside loops and branches', () => {
    const v = vector(4, 2)
    const g = (f: (x: Tensor) => Tensor) => (x: Tensor) => np.sin(f(x))
    const [got, expected] = [f, plain].map((f) => jet(g(f), x, [v, x, null, v, null])[1]) as [
      Tensor[],
      Tensor[],
    ]
    got.forEach((derivative, k) => {
      expectClose(derivative, expected[k]!.data, 1e-12)
    })
    expectClose(laplacian(total(f))(x), laplacian(total(plain))(x).data, 1e-11)
    const loop = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
      np.sum(foriLoop(0, 3, (_, y: Tensor) => np.tanh(cond(np.less(np.sum(y), 100), f, np.sin, y)), x))
    expectClose(grad(loop(f))(x), grad(loop(plain))(x).data, 1e-12)
    expectClose(hessian(loop(f))(x), hessian(loop(plain))(x).data, 1e-11)
    expectClose(compileJs(grad(loop(f)))(x), grad(loop(plain))(x).data, 1e-12)
  })

  test('runs on ONNX Runtime', async () => {
    const executable = await compileProgram(trace(grad(total(f)), x).program, { engine: 'onnx' })
    const [gradient] = await executable.run([x])
    await executable.dispose()
    expectClose(gradient!, grad(total(plain))(x).data, 1e-12)
  })
})

describe('rules of one’s own', () => {
  test('are what derivatives use, not the function: straight-through rounding', () => {
    const round = customVjp(
      (x: Tensor) => np.round(x),
      (x) => [np.round(x), []],
      (_, ct) => [ct],
    )
    expectClose(grad((x: Tensor) => np.sum(np.square(round(x))))(tensor([0.4, 1.6])), [0, 4], 1e-15)
  })

  test('may clip cotangents in reverse mode, which forward mode refuses', () => {
    const clipped = customVjp(
      (x: Tensor) => np.multiply(x, 1),
      (x) => [x, []],
      (_, ct) => [np.clip(ct, -1, 1)],
    )
    const f = (x: Tensor) => np.sum(np.power(clipped(x), 3))
    expectClose(grad(f)(tensor([0.1, 2, -0.5])), [0.03, 1, 0.75], 1e-14)
    expect(() => jvp(f, [tensor([1, 2])], [tensor([1, 1])])).toThrow(
      /forward mode transposes the backward rule/,
    )
  })

  test('take several trees, integers among them, and share unmapped arguments over a batch', () => {
    const pick = customVjp(
      (p: { w: Tensor; b: Tensor }, at: Tensor) => np.add(np.take(p.w, at), p.b),
      (p, at) => [np.add(np.take(p.w, at), p.b), { at, w: p.w }],
      ({ at, w }, ct) => [
        { w: grad((w: Tensor) => np.sum(np.multiply(np.take(w, at), ct)))(w), b: np.sum(ct) },
        null,
      ],
    )
    const f = (p: { w: Tensor; b: Tensor }, at: Tensor) => np.sum(np.square(pick(p, at)))
    const plain = (p: { w: Tensor; b: Tensor }, at: Tensor) =>
      np.sum(np.square(np.add(np.take(p.w, at), p.b)))
    const p = { w: vector(3), b: tensor(0.3) }
    const at = new Tensor(Int32Array.of(2, 0, 2))
    const [got, expected] = [grad(f)(p, at), grad(plain)(p, at)]
    expectClose(got.w, expected.w.data, 1e-14)
    expectClose(got.b, expected.b.data, 1e-14)
    const ats = new Tensor(Int32Array.of(2, 0, 2, 1, 1, 0), [2, 3])
    const mapped = (f: (p: { w: Tensor; b: Tensor }, at: Tensor) => Tensor) =>
      grad((p: { w: Tensor; b: Tensor }) => np.sum(vmap(f, { inAxes: [null, 0] })(p, ats)))(p)
    expectClose(mapped(f).w, mapped(plain).w.data, 1e-14)
    expectClose(mapped(f).b, mapped(plain).b.data, 1e-14)
  })

  test('that return other shapes, trees or numbers of results are refused with their place', () => {
    const x = vector(3)
    const wrongTangent = customJvp(
      (x: Tensor) => np.sin(x),
      ([x], [t]) => [np.sin(x), np.sum(t)],
    )
    expect(() => jvp(wrongTangent, [x], [x])).toThrow(
      "customJvp: the rule's tangent: got float64[], expected float64[3]",
    )
    const wrongTree = customJvp((x: Tensor) => ({ a: x }), (([x]: [Tensor]) => [x, { a: x }]) as never)
    expect(() => jvp(wrongTree, [x], [x])).toThrow(
      /the rule's value: got one tensor, expected the tree \{a:\*\}/,
    )
    const pair = customJvp((x: Tensor) => x, (() => 3) as never)
    expect(() => jvp(pair, [x], [x])).toThrow('the rule must return [value, tangent]')
    const wrongCotangent = customVjp(
      (x: Tensor) => np.sum(x),
      (x) => [np.sum(x), []],
      (_, ct) => [ct],
    )
    expect(() => grad(wrongCotangent)(x)).toThrow(
      "the backward rule's cotangent 0: got float64[], expected float64[3]",
    )
    const missing = customVjp(
      (x: Tensor, y: Tensor) => np.add(x, y),
      (x, y) => [np.add(x, y), []],
      ((_: unknown, ct: Tensor) => [ct]) as never,
    )
    expect(() => vjp(missing, x, x)[1](x)).toThrow(
      /returned 1 cotangents, expected an array with one for each of 2/,
    )
    const outside = (s: Tensor) =>
      np.sum(
        customJvp(
          (x: Tensor) => np.multiply(x, s),
          ([x], [t]) => [x, t],
        )(x),
      )
    expect(outside(tensor(2)).item()).toBeCloseTo(2 * np.sum(x).item(), 14)
    expect(() => grad(outside)(2)).toThrow(
      /a value from outside that is being differentiated.*pass it as an argument/,
    )
  })
})

describe('implicit functions', () => {
  const newton = (a: Tensor): Tensor => {
    let x = 1
    for (let k = 0; k < 50; k++) x -= (x ** 3 + x - a.item()) / (3 * x * x + 1)
    return tensor(x)
  }
  const divide = (product: (v: Tensor) => Tensor, b: Tensor) => np.divide(b, product(tensor(1)))

  test('a scalar root has the derivatives of the inverse function, to third order', () => {
    // x^3 + x = a: dx/da = 1 / (3x^2 + 1); x'' = -6x x'^3; x''' = -6 x'^4 - 18 x x'^2 x''.
    const root = implicit(
      (_: Tensor, a: Tensor) => newton(a),
      (x, a) => np.subtract(np.add(np.power(x, 3), x), a),
      { linearSolve: divide },
    )
    const f = (a: Tensor) => root(1, a)
    const x = newton(tensor(5)).item()
    const first = 1 / (3 * x * x + 1)
    const second = -6 * x * first ** 3
    expect(f(tensor(5)).item()).toBeCloseTo(x, 14)
    const forward = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, [x], [1])[1]
    for (const d of [grad as (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor, forward]) {
      expect(d(f)(tensor(5)).item()).toBeCloseTo(first, 14)
      expect(forward(d(f))(tensor(5)).item()).toBeCloseTo(second, 14)
      expect(grad(d(d(f)))(tensor(5)).item()).toBeCloseTo(-6 * first ** 4 - 18 * x * first ** 2 * second, 12)
    }
    expectClose(vmap(grad(f))(tensor([5, 5])), [first, first], 1e-14)
    expectClose(compileJs(grad(f))(tensor(5)), [first], 1e-14)
    expect(grad((g: Tensor) => root(g, 5))(1).item()).toBe(0)
    const [, derivatives] = jet(f, tensor(5), [1, null, null])
    expect(derivatives[1]!.item()).toBeCloseTo(second, 13)
    expect(derivatives[2]!.item()).toBeCloseTo(-6 * first ** 4 - 18 * x * first ** 2 * second, 12)
  })

  test('a linear system agrees with differences, by matrix and by right side', () => {
    const gauss = (a: readonly (readonly number[])[], b: readonly number[]): number[] => {
      const m = a.map((row, i) => [...row, b[i]!])
      const n = m.length
      for (let k = 0; k < n; k++)
        for (let i = 0; i < n; i++)
          if (i !== k) {
            const factor = m[i]![k]! / m[k]![k]!
            m[i] = m[i]!.map((v, j) => v - factor * m[k]![j]!)
          }
      return m.map((row, i) => row[n]! / row[i]!)
    }
    const dense = (product: (v: Tensor) => Tensor, b: Tensor) => {
      const n = b.size
      const columns = Array.from(
        { length: n },
        (_, j) => product(tensor(Array.from({ length: n }, (_, i) => Number(i === j)))).data,
      )
      return tensor(
        gauss(
          Array.from({ length: n }, (_, i) => columns.map((c) => c[i]!)),
          [...b.data],
        ),
      )
    }
    const solve = implicit(
      (_: Tensor, a: Tensor, b: Tensor) => tensor(gauss(a.toArray() as number[][], [...b.data])),
      (x, a, b) => np.subtract(np.matmul(a, x), b),
      { linearSolve: dense },
    )
    const a = tensor([
      [4, 1, 0.5],
      [1, 3, -0.5],
      [0.2, -1, 5],
    ])
    const b = vector(3)
    const f = (a: Tensor, b: Tensor) => np.sum(np.power(solve(np.zeros([3]), a, b), 3))
    for (const argument of [0, 1]) {
      const gradient = grad(f, { argument })(a, b) as Tensor
      const of = argument === 0 ? a : b
      gradient.data.forEach((g, i) => {
        const at = (h: number) => {
          const data = of.data.slice()
          data[i]! += h
          const moved = new Tensor(data, of.shape)
          return (argument === 0 ? f(moved, b) : f(a, moved)).item()
        }
        expect(g).toBeCloseTo((8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3, 9)
      })
      expectClose(
        jvp((x: Tensor) => (argument === 0 ? f(x, b) : f(a, x)), [of], [of])[1],
        [np.sum(np.multiply(gradient, of)).item()],
        1e-12,
      )
    }
    const h = hessian((b: Tensor) => f(a, b))(b)
    expectClose(
      jacobian(
        grad((b: Tensor) => f(a, b)),
        { mode: 'reverse' },
      )(b),
      h.data,
      1e-12,
    )
    expectClose(np.transpose(h), h.data, 1e-12)
  })
})
