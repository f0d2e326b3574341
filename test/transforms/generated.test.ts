import { describe, expect, test } from 'vitest'
import { add } from '../../src/ops/arithmetic.js'
import { primitives } from '../../src/ops/table.js'
import { check } from '../../src/program/check.js'
import { isFloat } from '../../src/tensor/dtype.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, jvp, linearize, trace, vjp } from '../../src/transforms/index.js'
import { type Case, caseNames, cases } from '../helpers/cases.js'
import {
  along,
  atPoint,
  difference,
  expectClose,
  expectSameType,
  gradients,
  inner,
  innerAll,
  type Mapping,
  randomDirections,
  randomLike,
  shifted,
} from '../helpers/derivatives.js'

const seed = 20261121
const named = (list: readonly Case[]) => list.map((c): [string, Case] => [c.name, c])
const output = (c: Case) => c.call(...c.sample(seed))
const differentiable = cases.filter((c) => c.active.length > 0)
/** Cases with a float result whose derivative is the derivative, unlike that of stopGradient. */
const smooth = differentiable.filter((c) => isFloat(output(c).dtype) && c.primitive.name !== 'stopGradient')

test('every primitive of the table has a case, and every case a primitive', () => {
  expect([...caseNames].sort()).toEqual(primitives.map((p) => p.name).sort())
})

describe(`primitives at ordinary points, seed ${seed}`, () => {
  test.each(named(cases))('%s: infer states the type that evaluate returns', (_, c) => {
    const inputs = c.sample(seed)
    const types = c.primitive.infer(inputs, c.params)
    const results = c.primitive.evaluate(inputs, c.params, types)
    expect(results.length).toBe(types.length)
    results.forEach((result, i) => {
      expectSameType(result, types[i] as Tensor)
    })
  })

  test.each(named(smooth))('%s: forward mode agrees with central differences to order 3', (_, c) => {
    const { f, at } = atPoint(c, seed)
    let lower: Mapping = f
    for (let order = 1; order <= 3; order++) {
      const v = randomDirections(at, seed + order)
      const higher = along(lower, v)
      const expected = difference((t) => lower(...shifted(at, v, t)))
      expectClose(higher(...at), expected, 1e-7, `order ${order}`)
      lower = higher
    }
  })

  test.each(named(smooth))('%s: reverse agrees with forward by inner products, orders 1 to 3', (_, c) => {
    const { f, at } = atPoint(c, seed)
    let lower: Mapping = f
    for (let order = 1; order <= 3; order++) {
      const v = randomDirections(at, seed + order)
      const moved = along(lower, v)(...at)
      const u = randomLike(moved, seed + 10 * order)
      const back = vjp(lower, ...at)[1](u)
      back.forEach((ct, i) => {
        expectSameType(ct, at[i] as Tensor)
      })
      expectClose(innerAll(back, v), inner(u, moved).data, 1e-10, `order ${order}`)
      lower = along(lower, v)
    }
  })

  test.each(named(smooth))('%s: all orders of forward and reverse give the same derivatives', (_, c) => {
    const { f, at } = atPoint(c, seed)
    const n = at.length
    const u = randomLike(output(c), seed + 1)
    const [v, w] = [randomDirections(at, seed + 2), randomDirections(at, seed + 3)]
    const phi = (...xs: Tensor[]) => inner(u, f(...xs))
    const slope = gradients(phi, n)
    const dot =
      (g: (...xs: Tensor[]) => Tensor[], v: Tensor[]) =>
      (...xs: Tensor[]) => {
        const terms = g(...xs).map((x, i) => inner(x, v[i] as Tensor))
        return terms.slice(1).reduce((sum, term) => addTensors(sum, term), terms[0] as Tensor)
      }
    const pushed = jvp((...xs: Tensor[]) => slope(...xs), at, v)[1]
    const reverseOverForward = gradients(along(phi, v), n)(...at)
    const reverseOverReverse = gradients(dot(slope, v), n)(...at)
    const third = gradients(along(along(phi, v), w), n)(...at)
    const mixed = jvp((...xs: Tensor[]) => gradients(dot(slope, v), n)(...xs), at, w)[1]
    const backwards = gradients(dot(gradients(dot(slope, v), n), w), n)(...at)
    pushed.forEach((expected, i) => {
      expectClose(reverseOverForward[i] as Tensor, expected.data, 1e-10, 'reverse over forward')
      expectClose(reverseOverReverse[i] as Tensor, expected.data, 1e-10, 'reverse over reverse')
      expectClose(mixed[i] as Tensor, (third[i] as Tensor).data, 1e-10, 'forward over reverse over reverse')
      expectClose(backwards[i] as Tensor, (third[i] as Tensor).data, 1e-10, 'reverse three times')
    })
  })

  test.each(named(smooth))('%s: jvp is linear, and linearize and a second pullback agree with it', (_, c) => {
    const { f, at } = atPoint(c, seed)
    const [v, w] = [randomDirections(at, seed + 1), randomDirections(at, seed + 2)]
    const [value, moved] = jvp(f, at, v)
    const [same, apply] = linearize(f, ...at)
    expect(same.data).toEqual(value.data)
    expectClose(apply(...v), moved.data, 1e-13)
    const sum = along(f, shifted(v, w, 2))(...at)
    const other = along(f, w)(...at)
    expectClose(sum, moved.data.map((x, i) => x + 2 * (other.data[i] as number)) as Float64Array, 1e-11)
    const pull = (y: Tensor) => vjp(f, ...at)[1](y)
    const pushedBack = vjp((y: Tensor) => pull(y), randomLike(value, seed))[1](v as never)[0]
    expectClose(pushedBack, moved.data, 1e-11, 'transpose of the transpose')
  })

  test.each(named(cases.filter((c) => c.active.length > 0 && !smooth.includes(c))))(
    '%s: is constant, so tangents and cotangents are zero',
    (_, c) => {
      const { f, at } = atPoint(c, seed)
      const [value, moved] = jvp(f, at, randomDirections(at, seed))
      expectSameType(moved, value)
      expect(moved.data.every((x) => x === 0)).toBe(true)
      const back = vjp(f, ...at)[1](randomLike(value, seed))
      back.forEach((ct, i) => {
        expectSameType(ct, at[i] as Tensor)
        expect(ct.data.every((x) => x === 0)).toBe(true)
      })
    },
  )

  test.each(named(smooth))('%s: float32 values, tangents and cotangents stay float32', (_, c) => {
    if (c.primitive.name === 'cast') return
    const { f, at } = atPoint(c, seed, 'float32')
    const double = atPoint(c, seed)
    const v = randomDirections(at, seed + 1)
    const wide = v.map((x) => shifted([x], [x], 0)[0] as Tensor)
    const [value, moved] = jvp(f, at, v)
    expect([value.dtype, moved.dtype]).toEqual(['float32', 'float32'])
    const [exact, slope] = jvp(double.f, double.at, wide)
    expectClose(value, exact.data, 1e-5)
    expectClose(moved, slope.data, 1e-4)
    const u = randomLike(value, seed)
    for (const ct of vjp(f, ...at)[1](u)) expect(ct.dtype).toBe('float32')
    expect(along(along(f, v), v)(...at).dtype).toBe('float32')
    const gs = gradients((...xs) => inner(u, along(f, v)(...xs)), at.length)(...at)
    for (const g of gs) expect(g.dtype).toBe('float32')
  })

  test.each(named(differentiable))('%s: programs of its derivatives are well formed', (_, c) => {
    const { f, at } = atPoint(c, seed)
    const v = randomDirections(at, seed)
    const u = randomLike(output(c), seed)
    check(trace(f, ...at).program)
    check(trace(along(f, v), ...at).program)
    check(trace((...xs: Tensor[]) => vjp(f, ...xs)[1](u), ...at).program)
    if (!isFloat(u.dtype)) return
    check(trace((...xs: Tensor[]) => grad(along((...ys) => inner(u, f(...ys)), v))(...xs), ...at).program)
  })
})

function addTensors(x: Tensor, y: Tensor): Tensor {
  return add(x, y) as Tensor
}
