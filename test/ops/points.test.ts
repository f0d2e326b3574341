import { describe, expect, test } from 'vitest'
import { primitives } from '../../src/ops/table.js'
import { bind } from '../../src/program/builder.js'
import type { Params, Primitive } from '../../src/program/primitive.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, jvp } from '../../src/transforms/index.js'
import { type Point, points } from '../helpers/points.js'

const primitive = (name: string) => primitives.find((p) => p.name === name) as Primitive

const call =
  (name: string, params: Params = {}) =>
  (...xs: Tensor[]) =>
    bind(primitive(name), xs, params)[0] as Tensor

/** Equal to 1e-13, zeros of either sign alike, NaN only where it is stated. */
function expectNear(got: number, expected: number, what: string): void {
  const close = got === expected || Math.abs(got - expected) <= 1e-13 * Math.abs(expected)
  if (!(close || Object.is(got, expected))) expect(got, what).toBe(expected)
}

type Unary = (x: Tensor) => Tensor

/** The function of one argument of a call, the others fixed. */
const inArgument = (f: (...xs: Tensor[]) => Tensor, at: readonly Tensor[], i: number) => (x: Tensor) =>
  f(...at.map((y, k) => (k === i ? x : y)))

const elementwise = primitives.filter((p) => p.scalar && points[p.name])
const listed = elementwise.flatMap((p) =>
  (points[p.name] ?? []).map((point): [string, Primitive, Point] => [`${p.name}(${point.at})`, p, point]),
)

describe('at special points the stated derivatives hold in every mode', () => {
  test.each(listed)('%s', (_, { name }, { at, value, slopes, curvatures }) => {
    const f = call(name)
    const xs = at.map((x) => tensor(x))
    expectNear(f(...xs).item(), value, 'value')
    at.forEach((_, i) => {
      const g = inArgument(f, xs, i)
      const x = xs[i] as Tensor
      const forward = (g: (x: Tensor) => Tensor) => (x: Tensor) => jvp(g, [x], [1])[1]
      expectNear(forward(g)(x).item(), slopes[i] as number, `forward, argument ${i}`)
      expectNear(grad(g)(x).item(), slopes[i] as number, `reverse, argument ${i}`)
      const all = grad((...xs: Tensor[]) => f(...xs), { argument: at.map((_, k) => k) })(...xs)
      expectNear((all[i] as Tensor).item(), slopes[i] as number, `reverse in all, argument ${i}`)
      const curvature = curvatures?.[i]
      if (curvature === undefined) return
      expectNear(forward(forward(g))(x).item(), curvature, `forward twice, argument ${i}`)
      expectNear(forward((x) => grad(g)(x))(x).item(), curvature, `forward over reverse, argument ${i}`)
      expectNear(grad(forward(g))(x).item(), curvature, `reverse over forward, argument ${i}`)
      expectNear(grad((x: Tensor) => grad(g)(x))(x).item(), curvature, `reverse twice, argument ${i}`)
    })
  })

  test.each(listed)(
    '%s: third derivatives are the same in all eight orders of modes',
    (_, { name }, { at }) => {
      const xs = at.map((x) => tensor(x))
      xs.forEach((x, i) => {
        const forward = (g: Unary) => (x: Tensor) => jvp(g, [x], [1])[1]
        const reverse = (g: Unary) => (x: Tensor) => grad(g)(x)
        const f = inArgument(call(name), xs, i)
        const expected = forward(forward(forward(f)))(x).item()
        // At edges of the domain higher derivatives are infinite, and infinities of opposite sign may meet.
        if (!Number.isFinite(expected)) return
        for (let modes = 1; modes < 8; modes++) {
          const mode = (k: number) => ((modes >> k) % 2 ? reverse : forward)
          const got = mode(0)(mode(1)(mode(2)(f)))(x).item()
          expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected) + 1e-250)
        }
      })
    },
  )

  test('every smooth or kinked operation on numbers has special points', () => {
    const constant = ['equal', 'less', 'lessEqual', 'and', 'or', 'not', 'stopGradient', 'select']
    const missing = primitives.filter((p) => p.scalar && !points[p.name]).map((p) => p.name)
    expect(missing.sort()).toEqual(constant.sort())
  })
})

describe('ties share the derivative equally in forward and reverse mode', () => {
  const slopes = (f: (x: Tensor) => Tensor, x: Tensor): number[][] => {
    const basis = (i: number) =>
      new Tensor(
        Float64Array.from(x.data, (_, k) => Number(k === i)),
        x.shape,
      )
    const forward = Array.from(x.data, (_, i) => jvp(f, [x], [basis(i)])[1].item())
    return [forward, [...grad(f)(x).data]]
  }

  test('of reduceMax and reduceMin', () => {
    const x = tensor([1, 3, 3, 3, 2])
    for (const got of slopes(call('reduceMax', { axes: [0] }), x))
      expect(got).toEqual([0, 1 / 3, 1 / 3, 1 / 3, 0])
    const low = tensor([0, 2, -0])
    for (const got of slopes(call('reduceMin', { axes: [0] }), low)) expect(got).toEqual([0.5, 0, 0.5])
  })

  test('of reduceMax with infinities', () => {
    const x = tensor([Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY])
    for (const got of slopes(call('reduceMax', { axes: [0] }), x)) expect(got).toEqual([0.5, 0, 0.5])
  })

  test('of maxPool, where padding never wins', () => {
    const pool = call('maxPool', { window: [3], strides: [1], padding: [[1, 0]], dilation: [1] })
    const first = (x: Tensor) => call('slice', { start: [0], limit: [1], stride: [1] })(pool(x))
    for (const got of slopes(first, tensor([0, 0, -5]))) expect(got).toEqual([0.5, 0.5, 0])
  })
})

describe('select', () => {
  const select = call('select')
  const x = tensor([Number.NaN, 2])

  test('passes neither values nor derivatives of what it does not select', () => {
    const f = (x: Tensor) => call('reduceSum', { axes: [0] })(select(tensor([false, true]), x, tensor(5)))
    expect(f(x).item()).toBe(7)
    expect(grad(f)(x).toArray()).toEqual([0, 1])
    expect(jvp(f, [x], [[Number.NaN, 1]])[1].item()).toBe(1)
  })
})

describe('powers at zero', () => {
  const derivatives = (f: (x: Tensor) => Tensor, order: number): number => {
    let g = f
    for (let k = 0; k < order; k++) {
      const lower = g
      g = k % 2 ? (x) => grad(lower)(x) : (x) => jvp(lower, [x], [1])[1]
    }
    return g(tensor(0)).item()
  }

  test.each([0, 1, 2, 3, 4])(
    'every derivative of x^%i up to the fifth is exact, by pow and integerPow',
    (n) => {
      const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
      for (let order = 0; order <= 5; order++) {
        const expected = order === n ? factorial(n) : 0
        expect(derivatives((x) => call('pow')(x, tensor(n)), order)).toBeCloseTo(expected, 12)
        if (n >= 2) expect(derivatives(call('integerPow', { exponent: n }), order)).toBeCloseTo(expected, 12)
      }
    },
  )
})
