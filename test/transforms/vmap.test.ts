import { describe, expect, test } from 'vitest'
import { check } from '../../src/program/check.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { grad, jet, jvp, trace, vjp, vmap } from '../../src/transforms/index.js'
import { type Case, cases } from '../helpers/cases.js'
import {
  expectClose,
  expectSameType,
  inner,
  type Mapping,
  randomDirections,
  randomLike,
} from '../helpers/derivatives.js'

const seed = 7340033
const size = 3
const named = (list: readonly Case[]) => list.map((c): [string, Case] => [c.name, c])
const output = (c: Case) => c.call(...c.sample(seed))
const smooth = cases.filter((c) => c.active.length > 0 && isFloat(output(c).dtype))

/** Tensors end to end along a new axis 0. */
function stack(parts: readonly Tensor[]): Tensor {
  const first = parts[0] as Tensor
  const data = first.data.slice(0, 0).constructor as new (n: number) => Tensor['data']
  const joined = new data(parts.length * first.size)
  parts.forEach((part, i) => {
    joined.set(part.data, i * first.size)
  })
  return new Tensor(joined, [parts.length, ...first.shape])
}

/** All choices of at least one of `n` inputs. */
function choices(n: number): boolean[][] {
  const all = Array.from({ length: 2 ** n }, (_, bits) =>
    Array.from({ length: n }, (_, i) => (bits >> i) % 2 === 1),
  )
  return all.slice(1)
}

/** Instances of a case's inputs: those that are not batched are shared. */
function instances(c: Case, batched: readonly boolean[], count: number, from: number): Tensor[][] {
  const shared = c.sample(from)
  return Array.from({ length: count }, (_, k) =>
    c.sample(from + 1 + k).map((x, i) => (batched[i] ? x : (shared[i] as Tensor))),
  )
}

const batch = (each: readonly Tensor[][], batched: readonly boolean[]) =>
  batched.map((b, i) => (b ? stack(each.map((inputs) => inputs[i] as Tensor)) : (each[0]?.[i] as Tensor)))

const axes = (batched: readonly boolean[]) => batched.map((b) => (b ? 0 : null))

function expectSame(got: Tensor, expected: Tensor, what: string): void {
  expectSameType(got, expected)
  expectClose(got, expected.data, 1e-13, what)
}

describe(`vmap against a loop, seed ${seed}`, () => {
  test.each(named(cases))('%s: for every choice of batched inputs', (_, c) => {
    for (const batched of choices(c.sample(seed).length)) {
      const each = instances(c, batched, size, seed)
      const mapped = vmap(c.call, { inAxes: axes(batched) })
      const inputs = batch(each, batched)
      expectSame(mapped(...inputs), stack(each.map((inputs) => c.call(...inputs))), `batched ${batched}`)
      check(trace(mapped, ...inputs).program)
    }
  })

  test.each(named(cases))('%s: nested, for every pair of choices', (_, c) => {
    const n = c.sample(seed).length
    for (const outer of choices(n))
      for (const inner of choices(n)) {
        const shared = c.sample(seed)
        // Input i of element [a, b] varies with a when batched outside and with b when batched inside.
        const at = (i: number, a: number, b: number) =>
          outer[i] || inner[i]
            ? (c.sample(seed + 1 + (outer[i] ? a : 0) + 10 * (inner[i] ? b : 0))[i] as Tensor)
            : (shared[i] as Tensor)
        const two = [0, 1]
        const inputs = shared.map((x, i) => {
          const rows = (a: number) => (inner[i] ? stack(two.map((b) => at(i, a, b))) : at(i, a, 0))
          return outer[i] ? stack(two.map(rows)) : inner[i] ? rows(0) : x
        })
        const mapped = vmap((...xs: Tensor[]) => vmap(c.call, { inAxes: axes(inner) })(...xs), {
          inAxes: axes(outer),
        })
        const expected = stack(
          two.map((a) => stack(two.map((b) => c.call(...shared.map((_, i) => at(i, a, b)))))),
        )
        expectSame(mapped(...inputs), expected, `outer ${outer}, inner ${inner}`)
      }
  })

  test.each(named(smooth))('%s: vmap of jvp and of vjp, for every choice of batched inputs', (_, c) => {
    const u = randomLike(output(c), seed)
    const inactive = c.sample(seed).flatMap((_, i) => (c.active.includes(i) ? [] : [i]))
    const split = (inputs: Tensor[]): { f: Mapping; at: Tensor[] } => ({
      f: (...xs) => c.call(...inputs.map((x, i) => xs[c.active.indexOf(i)] ?? x)),
      at: c.active.map((i) => inputs[i] as Tensor),
    })
    const v = randomDirections(split(c.sample(seed)).at, seed + 1)
    const pushed = (...inputs: Tensor[]) => jvp(split(inputs).f, split(inputs).at, v)[1]
    const twice = (...inputs: Tensor[]) => {
      const { f, at } = split(inputs)
      return jvp((...xs: Tensor[]) => jvp(f, xs, v)[1], at, v)[1]
    }
    const pulled = (...inputs: Tensor[]) => vjp(split(inputs).f, ...split(inputs).at)[1](u)
    for (const batched of choices(inactive.length + c.active.length)) {
      const each = instances(c, batched, size, seed)
      const inputs = batch(each, batched)
      const map = <R>(f: (...xs: Tensor[]) => R) => vmap(f, { inAxes: axes(batched) })(...inputs)
      expectSame(map(pushed), stack(each.map((xs) => pushed(...xs))), `jvp, batched ${batched}`)
      expectSame(map(twice), stack(each.map((xs) => twice(...xs))), `jvp of jvp, batched ${batched}`)
      map(pulled).forEach((got, i) => {
        const expected = stack(each.map((xs) => pulled(...xs)[i] as Tensor))
        expectSame(got, expected, `vjp in ${i}, batched ${batched}`)
      })
    }
  })

  test.each(named(smooth))('%s: vmap of jets to order 3, all inputs batched', (_, c) => {
    const batched = c.sample(seed).map(() => true)
    const each = instances(c, batched, size, seed)
    const at = (inputs: readonly Tensor[]) => c.active.map((i) => inputs[i] as Tensor)
    const vs = [1, 2, 3].map((k) => randomDirections(at(each[0]!), seed + k))
    const jets = (...inputs: Tensor[]) =>
      jet((xs: Tensor[]) => c.call(...inputs.map((x, i) => xs[c.active.indexOf(i)] ?? x)), at(inputs), vs)[1]
    const expected = each.map((inputs) => jets(...inputs))
    vmap(jets)(...batch(each, batched)).forEach((got, k) => {
      expectSame(got, stack(expected.map((derivatives) => derivatives[k]!)), `order ${k + 1}`)
    })
  })

  test.each(named(smooth))('%s: grad of vmap is the sum over shared inputs', (_, c) => {
    const u = stack(Array.from({ length: size }, (_, k) => randomLike(output(c), seed + k)))
    const row = (k: number) => randomLike(output(c), seed + k)
    for (const batched of choices(c.sample(seed).length)) {
      const each = instances(c, batched, size, seed)
      const inputs = batch(each, batched)
      const mapped = vmap(c.call, { inAxes: axes(batched) })
      for (const i of c.active) {
        const with_ = (xs: Tensor[], x: Tensor) => xs.map((y, k) => (k === i ? x : y))
        const got = grad((x: Tensor) => inner(u, mapped(...with_(inputs, x))))(inputs[i] as Tensor)
        const parts = each.map((xs, k) =>
          grad((x: Tensor) => inner(row(k), c.call(...with_(xs, x))))(xs[i] as Tensor),
        )
        const total = parts.reduce(
          (sum, part) =>
            new Tensor(sum.data.map((a, k) => a + (part.data[k] as number)) as Float64Array, part.shape),
        )
        expectSame(got, batched[i] ? stack(parts) : total, `input ${i}, batched ${batched}`)
      }
    }
  })
})

describe('vmap', () => {
  const f = (x: Tensor, y: Tensor) => inner(x, y)
  const [x, y] = [
    new Tensor(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
    new Tensor(Float64Array.of(1, 10, 100)),
  ]

  test('maps the axes it is told and stacks where it is told', () => {
    expect(vmap(f, { inAxes: [1, null] })(x, [1, 10]).toArray()).toEqual([41, 52, 63])
    const rows = vmap((x: Tensor) => x, { outAxis: -1 })(x)
    expect(rows.toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
  })

  test('repeats a result that does not depend on what is mapped', () => {
    expect(vmap((_: Tensor) => y)(x).toArray()).toEqual([
      [1, 10, 100],
      [1, 10, 100],
    ])
  })

  test('maps trees of arguments and results', () => {
    const g = ({ a, b }: { a: Tensor; b: [Tensor] }) => ({ sum: [f(a, b[0])] })
    expect(vmap(g)({ a: x, b: [x] }).sum[0]?.toArray()).toEqual([14, 77])
  })

  test('maps over no elements', () => {
    const none = new Tensor(new Float64Array(0), [0, 3])
    expectSameType(vmap(f, { inAxes: [0, null] })(none, y), { dtype: 'float64', shape: [0] })
    expectSameType(vmap(grad(f), { inAxes: [0, null] })(none, y), { dtype: 'float64', shape: [0, 3] })
  })

  test('refuses axes of different length, none, and those that do not exist', () => {
    expect(() => vmap(f)(x, [y] as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: argument 1 has 3 elements along axis 0, the others 2]`,
    )
    expect(() => vmap(f)(x, x.data.slice(0, 3))).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: argument 1 has 3 elements along axis 0, the others 2]`,
    )
    expect(() => vmap(f, { inAxes: [null, null] })(x, y)).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: no argument is mapped; give at least one a number in inAxes]`,
    )
    expect(() => vmap(f, { inAxes: [2, null] })(x, y)).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: argument 0 (float64[2,3]): axis 2 is out of range for 2 dimension(s)]`,
    )
    expect(() => vmap(f, { inAxes: [0] })(x, y)).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: inAxes has no entry for each of 2 arguments]`,
    )
    expect(() => vmap(f)(x, 1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: vmap: argument 1 (float64[]): axis 0 is out of range for 0 dimension(s)]`,
    )
  })
})
