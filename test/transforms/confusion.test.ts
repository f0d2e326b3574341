import { describe, expect, test } from 'vitest'
import { add, mul } from '../../src/ops/arithmetic.js'
import { reduceSum } from '../../src/ops/broadcast.js'
import { exp } from '../../src/ops/smooth.js'
import { sin } from '../../src/ops/trigonometric.js'
import type { Value } from '../../src/program/value.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, jvp, linearize, vjp, vmap } from '../../src/transforms/index.js'

/** Traced functions see tensors; the primitives return the wider type. */
const T = (x: Value) => x as Tensor
const sum = (x: Tensor) =>
  T(
    reduceSum(
      x,
      x.shape.map((_, axis) => axis),
    ),
  )
const derivative = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad(f)(x)
const forward = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, [x], [1])[1]
const times = (x: Tensor, y: Tensor | number) => T(mul(x, y))
const plus = (x: Tensor, y: Tensor | number) => T(add(x, y))

describe('no perturbation confusion', () => {
  test('an inner derivative does not see the outer perturbation: d/dx x d/dy (x + y) = 1', () => {
    for (const outer of [derivative, forward])
      for (const inside of [derivative, forward]) {
        const f = (x: Tensor) => times(x, inside((y) => plus(x, y))(tensor(1)))
        expect(outer(f)(tensor(1)).item()).toBe(1)
      }
  })

  test('d/dx x d/dy (x y) at y = 2 is 2 x', () => {
    for (const outer of [derivative, forward])
      for (const inside of [derivative, forward]) {
        const f = (x: Tensor) => times(x, inside((y) => times(x, y))(tensor(2)))
        expect(outer(f)(tensor(3)).item()).toBe(6)
      }
  })

  test('three levels that each capture all outer variables', () => {
    // f(x) = d/dy [ y^2 d/dz (x y z^2) ] at z = 2, y = x: y^2 4 x y = 4 x y^3, then 12 x y^2 = 12 x^3.
    const modes = [derivative, forward]
    for (const a of modes)
      for (const b of modes)
        for (const c of modes) {
          const f = (x: Tensor) =>
            b((y) => times(times(y, y), c((z) => times(times(x, y), times(z, z)))(tensor(2))))(x)
          expect(f(tensor(2)).item()).toBe(96)
          expect(a(f)(tensor(2)).item()).toBe(144)
        }
  })

  test('an inner function that only uses outer variables has derivative zero', () => {
    const f = (x: Tensor) => plus(derivative(() => times(x, x))(tensor(1)), x)
    expect(grad(f)(5).item()).toBe(1)
    expect(jvp(f, [5], [1])[1].item()).toBe(1)
  })

  test('a higher-order function: the shift operator of Siskind and Pearlmutter', () => {
    // D(x -> (s(x) f))(y) with (s(u) f)(x) = f(x + u) applied twice at 0: the second derivative.
    const shift = (u: Tensor) => (f: (x: Tensor) => Tensor) => (x: Tensor) => f(plus(x, u))
    const d = (f: (x: Tensor) => Tensor) => (x: Tensor) => forward((u) => shift(u)(f)(x))(tensor(0))
    const f = (x: Tensor) => T(sin(x))
    expect(d(d(f))(tensor(0.7)).item()).toBeCloseTo(-Math.sin(0.7), 14)
    expect(d(d(d(f)))(tensor(0.7)).item()).toBeCloseTo(-Math.cos(0.7), 14)
  })

  test('vmap, jvp and grad inside each other over captured values', () => {
    const xs = tensor([1, 2, 3])
    // For each x: d/dy sum over z of (x y^2 z) at y = x is 2 x^2 sum z.
    const f = (x: Tensor) =>
      grad((y: Tensor) => sum(vmap((z: Tensor) => times(times(x, times(y, y)), z))(xs)))(x)
    expect(vmap(f)(xs).toArray()).toEqual([12, 48, 108])
    expect(vmap((x: Tensor) => grad(f)(x))(xs).toArray()).toEqual([24, 48, 72])
    const total = (x: Tensor) =>
      sum(vmap((z: Tensor) => jvp((y: Tensor) => times(times(y, y), z), [x], [z])[1])(xs))
    expect(total(tensor(1)).item()).toBe(28)
    expect(grad(total)(1).item()).toBe(28)
  })

  test('a captured batched value inside grad inside vmap', () => {
    const per = (x: Tensor, w: Tensor) => grad((w: Tensor) => T(exp(times(w, x))))(w)
    const got = vmap(per, { inAxes: [0, null] })([0, 1, 2], 0.5)
    expect(got.toArray()).toEqual([0, Math.exp(0.5), 2 * Math.exp(1)])
  })

  test('linearize and vjp functions keep their point when they are used inside another transform', () => {
    const [, push] = linearize((x: Tensor) => T(sin(x)), 0.3)
    const [, pull] = vjp((x: Tensor) => T(sin(x)), 0.3)
    expect(grad((v: Tensor) => push(v))(2).item()).toBeCloseTo(Math.cos(0.3), 15)
    expect(grad((v: Tensor) => pull(v)[0])(2).item()).toBeCloseTo(Math.cos(0.3), 15)
    const f = (x: Tensor) => {
      const [, push] = linearize((y: Tensor) => times(T(sin(y)), x), x)
      return push(x)
    }
    const x = 0.3
    expect(f(tensor(x)).item()).toBeCloseTo(x * x * Math.cos(x), 15)
    expect(grad(f)(x).item()).toBeCloseTo(2 * x * Math.cos(x) - x * x * Math.sin(x), 15)
  })
})
