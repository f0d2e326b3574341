import { describe, expect, test } from 'vitest'
import { add, div, mul, stopGradient as stop, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum } from '../../src/ops/broadcast.js'
import { dot } from '../../src/ops/dot.js'
import { integerPow } from '../../src/ops/integerPow.js'
import { exp, log, tanh } from '../../src/ops/smooth.js'
import { cos, sin } from '../../src/ops/trigonometric.js'
import type { Value } from '../../src/program/value.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  ggn,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  linearize,
  stopGradient,
  valueAndGrad,
  vjp,
  vmap,
} from '../../src/transforms/index.js'
import { difference, expectClose, gradients, inner, randomLike, shifted } from '../helpers/derivatives.js'

/** Traced functions see tensors; the primitives return the wider type. */
const T = (x: Value) => x as Tensor
const sum = (x: Tensor) =>
  T(
    reduceSum(
      x,
      x.shape.map((_, axis) => axis),
    ),
  )
const matmul = (x: Tensor, y: Tensor) => T(dot(x, y, [[x.shape.length - 1], [0]]))
const derivative = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad(f)(x)
const forward = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, [x], [1])[1]
const times = (x: Tensor, y: Tensor | number) => T(mul(x, y))
const plus = (x: Tensor, y: Tensor | number) => T(add(x, y))

const seed = 99
const matrix = (rows: number, columns: number, from: number) =>
  randomLike(new Tensor(new Float64Array(rows * columns), [rows, columns]), from)

describe(`rules of calculus, seed ${seed}`, () => {
  const [w, x, v] = [matrix(3, 4, seed), matrix(4, 1, seed + 1), matrix(4, 1, seed + 2)]
  const inside = (x: Tensor) => T(tanh(matmul(w, x)))
  const outside = (y: Tensor) => times(T(exp(y)), T(sin(y)))

  test('the derivative of a composition is the composition of the derivatives', () => {
    const [y, moved] = jvp(inside, [x], [v])
    const chained = jvp(outside, [y], [moved])[1]
    expectClose(jvp((x: Tensor) => outside(inside(x)), [x], [v])[1], chained.data, 1e-14)
    const u = matrix(3, 1, seed + 3)
    const back = vjp(inside, x)[1](vjp(outside, y)[1](u)[0])[0]
    expectClose(vjp((x: Tensor) => outside(inside(x)), x)[1](u)[0], back.data, 1e-14)
  })

  test('the product rule holds', () => {
    const [f, g] = [inside, (x: Tensor) => outside(inside(x))]
    const got = jvp((x: Tensor) => times(f(x), g(x)), [x], [v])[1]
    const expected = plus(times(jvp(f, [x], [v])[1], g(x)), times(f(x), jvp(g, [x], [v])[1]))
    expectClose(got, expected.data, 1e-14)
  })

  test('the Jacobian is the same by forward and by reverse mode, and its columns are jvps', () => {
    const f = (x: Tensor) => outside(inside(x))
    const [byForward, byReverse] = [jacobian(f, { mode: 'forward' })(x), jacobian(f, { mode: 'reverse' })(x)]
    expect([byForward.shape, byReverse.shape]).toEqual([
      [3, 1, 4, 1],
      [3, 1, 4, 1],
    ])
    expectClose(byForward, byReverse.data, 1e-14)
    const first = new Tensor(Float64Array.of(1, 0, 0, 0), [4, 1])
    const column = jvp(f, [x], [first])[1]
    expectClose(
      column,
      byForward.data.filter((_, i) => i % 4 === 0),
      1e-14,
    )
  })

  test('the Hessian is symmetric, agrees with hvp and with differences of the gradient', () => {
    const f = (x: Tensor) => sum(outside(inside(x)))
    const h = hessian(f)(x)
    expect(h.shape).toEqual([4, 1, 4, 1])
    const at = (i: number, j: number) => h.data[4 * i + j] as number
    for (let i = 0; i < 4; i++) for (let j = 0; j < i; j++) expect(at(i, j)).toBeCloseTo(at(j, i), 13)
    const product = hvp(f)(x, v)
    const dense = Float64Array.from([0, 1, 2, 3], (i) =>
      [0, 1, 2, 3].reduce((s, j) => s + at(i, j) * (v.data[j] as number), 0),
    )
    expectClose(product, dense, 1e-13)
    expectClose(
      product,
      difference((t) => grad(f)(...(shifted([x], [v], t) as [Tensor]))),
      1e-8,
    )
  })

  test('the Gauss-Newton product is J^T L J v of the dense matrices', () => {
    const loss = (y: Tensor) => sum(T(integerPow(y, 3)))
    const [j, y] = [jacobian(inside)(x).data, inside(x)]
    const jv = [0, 1, 2].map((i) =>
      [0, 1, 2, 3].reduce((s, k) => s + (j[4 * i + k] as number) * (v.data[k] as number), 0),
    )
    const curved = jv.map((value, i) => 6 * (y.data[i] as number) * value)
    const expected = [0, 1, 2, 3].map((k) =>
      [0, 1, 2].reduce((s, i) => s + (j[4 * i + k] as number) * (curved[i] as number), 0),
    )
    expectClose(ggn(inside, loss)(x, v), expected, 1e-13)
  })
})

describe('high orders', () => {
  test('every mix of modes gives the fourth derivative of a polynomial exactly', () => {
    const f = (x: Tensor) => plus(times(T(integerPow(x, 5)), 2), T(integerPow(x, 4)))
    for (let mix = 0; mix < 16; mix++) {
      let g = f
      for (let k = 0; k < 4; k++) g = (mix >> k) % 2 ? forward(g) : derivative(g)
      expect(g(tensor(2)).item()).toBe(240 * 2 + 24)
    }
  })

  test(`fourth derivatives of a network are the same by forward, reverse and differences, seed ${seed}`, () => {
    const [a, b, c] = [matrix(5, 3, seed), matrix(5, 5, seed + 1), matrix(1, 5, seed + 2)]
    const network = (x: Tensor) => sum(matmul(c, T(tanh(matmul(b, T(tanh(matmul(a, x))))))))
    const x = matrix(3, 1, seed + 3)
    const [u, v, w, z] = [4, 5, 6, 7].map((k) => matrix(3, 1, seed + k)) as [Tensor, Tensor, Tensor, Tensor]
    const along = (f: (x: Tensor) => Tensor, v: Tensor) => (x: Tensor) => jvp(f, [x], [v])[1]
    const against = (f: (x: Tensor) => Tensor, v: Tensor) => (x: Tensor) => inner(grad(f)(x), v)
    const third = along(along(along(network, u), v), w)
    const fourth = along(third, z)(x).item()
    expectClose(
      tensor([fourth]),
      difference((t) => third(...(shifted([x], [z], t) as [Tensor]))),
      1e-8,
    )
    const modes = [along, against]
    for (let mix = 0; mix < 16; mix++) {
      const mode = (k: number) => modes[(mix >> k) % 2] as typeof along
      const got = mode(3)(mode(2)(mode(1)(mode(0)(network, u), v), w), z)(x).item()
      expect(got).toBeCloseTo(fourth, 11)
    }
    const biharmonic = hessian((x: Tensor) => {
      const h = hessian(network)(x)
      return sum(times(h, new Tensor(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), [3, 1, 3, 1])))
    })(x)
    const e = (i: number) =>
      new Tensor(
        Float64Array.from([0, 1, 2], (k) => Number(k === i)),
        [3, 1],
      )
    let trace = 0
    let expected = 0
    for (let i = 0; i < 3; i++) {
      trace += biharmonic.data[4 * i] as number
      for (let j = 0; j < 3; j++)
        expected += along(along(along(along(network, e(i)), e(i)), e(j)), e(j))(x).item()
    }
    expect(trace).toBeCloseTo(expected, 11)
  })

  test('the gradient of a function that takes a gradient step is the hypergradient', () => {
    // loss(w - r dL/dw) with L = w^4 / 4: w' = w - r w^3, d/dr = w'^3 (-w^3), d/dw = w'^3 (1 - 3 r w^2).
    const loss = (w: Tensor) => times(T(integerPow(w, 4)), 0.25)
    const after = (w: Tensor, r: Tensor) => loss(T(sub(w, mul(r, grad(loss)(w)))))
    const [w, r] = [1.2, 0.1]
    const next = w - r * w ** 3
    const [byW, byR] = grad(after, { argument: [0, 1] })(w, r)
    expect(byW?.item()).toBeCloseTo(next ** 3 * (1 - 3 * r * w * w), 14)
    expect(byR?.item()).toBeCloseTo(-(next ** 3) * w ** 3, 14)
  })
})

describe('types', () => {
  test('compositions take numbers and arrays and return tensors, at compile time too', () => {
    const f = (x: Tensor) => sum(T(integerPow(x, 3)))
    const second: Tensor = grad((x: Tensor) => sum(grad(f)(x)))([2])
    const nested: Tensor = grad(grad(grad(f)))(2)
    const block: Tensor = jacobian(hessian(f))(2)
    const batch: Tensor = vmap(grad(f))([[1], [2]])
    const product: Tensor = vmap(hvp(f))([[1], [2]], [[1], [1]])
    const moved: Tensor = jvp(grad(f), [2], [1])[1]
    const pulled: [Tensor, Tensor] = vjp((x: Tensor, y: Tensor) => times(x, y), 2, 3)[1](1)
    const tree = grad((p: { w: Tensor; b: readonly [Tensor] }) => times(p.w, p.b[0]))
    const { w, b } = vmap(tree)({ w: [1, 2], b: [tensor([3, 4])] })
    const each: [Tensor, Tensor] = [w, b[0]]
    expect([second, nested, block, moved].map((x) => x.data[0])).toEqual([12, 6, 6, 12])
    expect([batch, product].map((x) => x.toArray())).toEqual([
      [[3], [12]],
      [[6], [12]],
    ])
    expect(pulled.map((x) => x.item())).toEqual([3, 2])
    expect(each.map((x) => x.toArray())).toEqual([
      [3, 4],
      [1, 2],
    ])
  })
})

describe('functions of trees', () => {
  interface Layer {
    weight: Tensor
    bias: Tensor
  }
  const parameters = {
    layers: [
      { weight: matrix(4, 3, 1), bias: matrix(4, 1, 2) },
      { weight: matrix(1, 4, 3), bias: matrix(1, 1, 4) },
    ] as [Layer, Layer],
    scale: tensor(1.5),
  }
  type Parameters = typeof parameters
  const network = ({ layers, scale }: Parameters, x: Tensor): Tensor => {
    const hidden = T(tanh(plus(matmul(layers[0].weight, x), layers[0].bias)))
    return times(sum(plus(matmul(layers[1].weight, hidden), layers[1].bias)), scale)
  }
  const x = matrix(3, 1, 5)

  test('the gradient has the tree of its argument and agrees with differences', () => {
    const [value, g] = valueAndGrad(network)(parameters, x)
    expect(value.item()).toBe(network(parameters, x).item())
    expect(Object.keys(g)).toEqual(['layers', 'scale'])
    expect(g.layers[0].weight.shape).toEqual([4, 3])
    const weight = parameters.layers[0].weight
    const v = randomLike(weight, 6)
    const moved = difference((t) => {
      const [shiftedWeight] = shifted([weight], [v], t) as [Tensor]
      return network(
        { ...parameters, layers: [{ ...parameters.layers[0], weight: shiftedWeight }, parameters.layers[1]] },
        x,
      )
    })
    expectClose(inner(g.layers[0].weight, v), moved, 1e-9)
  })

  test('the Hessian of a tree is the tree of blocks, symmetric across leaves', () => {
    const h = hessian((p: Parameters) => network(p, x))(parameters)
    const cross = h.layers[0].bias.scale
    const other = h.scale.layers[0].bias
    expect([cross.shape, other.shape]).toEqual([
      [4, 1],
      [4, 1],
    ])
    expectClose(cross, other.data, 1e-14)
  })

  test('results may be trees, and mix moving, constant and repeated leaves', () => {
    const f = (x: Tensor) => ({ square: times(x, x), constant: tensor(3), twice: [x, x] as [Tensor, Tensor] })
    const [value, moved] = jvp(f, [2], [1])
    expect([value.square.item(), value.constant.item(), value.twice[1].item()]).toEqual([4, 3, 2])
    expect([moved.square.item(), moved.constant.item(), moved.twice[1].item()]).toEqual([4, 0, 1])
    expect(vjp(f, 2)[1]({ square: 1, constant: 7, twice: [10, 100] })[0].item()).toBe(114)
    const j = jacobian(f)(2)
    expect([j.square.item(), j.constant.item(), j.twice[0].item()]).toEqual([4, 0, 1])
    const [, apply] = linearize(f, 2)
    expect(apply(3).twice[0].item()).toBe(3)
  })

  test('a number beside traced values may be a leaf of the result', () => {
    const f = (x: Tensor) => [0, x, [1, x]] as unknown as [Tensor, Tensor, [Tensor, Tensor]]
    expect(jvp(f, [2], [1])[1][2][1].item()).toBe(1)
  })
})

describe('constants', () => {
  test('a function that returns a constant or ignores its input has derivative zero', () => {
    expect(grad((_: Tensor) => 3)([1, 2]).toArray()).toEqual([0, 0])
    expect(grad((_: Tensor) => tensor(3))([1, 2]).toArray()).toEqual([0, 0])
    expect(jvp((_: Tensor) => tensor([1, 2]), [5], [1])[1].toArray()).toEqual([0, 0])
    expect(hessian((_: Tensor) => 3)([1, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(jacobian((_: Tensor) => tensor([1, 2, 3]), { mode: 'reverse' })([1, 2]).shape).toEqual([3, 2])
    expect(hvp((_: Tensor) => 3)([1, 2], [1, 1]).toArray()).toEqual([0, 0])
  })

  test('a linear function has Hessian zero and a cotangent of the right shape for what it ignores', () => {
    const f = (x: Tensor, _: Tensor) => sum(times(x, 2))
    expect(hessian((x: Tensor) => f(x, x))([1, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    const [gx, gy] = grad(f, { argument: [0, 1] })([1, 2], [[3]])
    expect([gx?.toArray(), gy?.toArray()]).toEqual([[2, 2], [[0]]])
  })

  test('the identity has itself as derivative', () => {
    expect(grad((x: Tensor) => x)(3).item()).toBe(1)
    expect(jacobian((x: Tensor) => x)([1, 2]).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  test('stopGradient is the identity with derivative zero, at every order and for trees', () => {
    const f = (x: Tensor) => times(stopGradient<Tensor>(x), x)
    expect(grad(f)(3).item()).toBe(3)
    expect(hessian(f)(3).item()).toBe(0)
    expect(jvp(f, [3], [1])[1].item()).toBe(3)
    const g = (x: Tensor) => {
      const { a } = stopGradient<{ a: Tensor[] }>({ a: [x] })
      return times(a[0] as Tensor, x)
    }
    expect(grad(g)(3).item()).toBe(3)
    expect(vmap(f)([1, 2]).toArray()).toEqual([1, 4])
  })

  test('the score function estimate uses stopGradient inside nested gradients', () => {
    // x^stop(x) stands for x * x in value; here d/dx [log(x) stop(x)] = 1 and its derivative -1/x.
    const f = (x: Tensor) => times(T(log(x)), T(stop(x)))
    expect(grad(f)(4).item()).toBe(1)
    expect(hessian(f)(4).item()).toBeCloseTo(-1 / 4, 15)
  })
})

describe('broadcast and repeated use', () => {
  test('a value used many times collects every cotangent', () => {
    const f = (x: Tensor) => {
      let y = x
      for (let k = 0; k < 5; k++) y = plus(y, x)
      return sum(times(y, T(broadcastTo(x, [2, 3]))))
    }
    expect(grad(f)([1, 2, 3]).toArray()).toEqual([24, 48, 72])
  })

  test('quotients of the same value cancel', () => {
    const f = (x: Tensor) => T(div(times(x, T(cos(x))), x))
    expect(grad(f)(0.3).item()).toBeCloseTo(-Math.sin(0.3), 14)
  })

  test('gradients in several arguments equal those in each', () => {
    const f = (x: Tensor, y: Tensor) => sum(times(T(sin(times(x, y))), y))
    const [x, y] = [tensor([0.1, 0.2]), tensor([1, 2])]
    const [gx, gy] = gradients(f, 2)(x, y)
    expect(gx?.toArray()).toEqual(grad(f)(x, y).toArray())
    expect(gy?.toArray()).toEqual(grad(f, { argument: 1 })(x, y).toArray())
  })
})
