import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { primitives } from '../../src/ops/table.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  checkpoint,
  cond,
  customJvp,
  foriLoop,
  grad,
  jet,
  jvp,
  scan,
  trace,
  vmap,
  whileLoop,
} from '../../src/transforms/index.js'
import { cases } from '../helpers/cases.js'
import { atPoint, expectClose, type Mapping, randomDirections } from '../helpers/derivatives.js'

const seed = 20261121
const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))

/** d^k/dt^k of f along x + v_1 t + v_2 t^2 / 2 + ... by k nested forward modes in t. */
function nested(f: Mapping, at: readonly Tensor[], vs: readonly Tensor[][], order: number): Tensor[] {
  const curve = (t: Tensor): Tensor =>
    f(
      ...at.map((x, i) => {
        let sum: Tensor = new Tensor(new Float64Array(x.size), x.shape)
        for (let k = vs.length; k >= 1; k--)
          sum = np.multiply(
            t,
            np.add(np.multiply(1 / factorial(k), (vs[k - 1] as Tensor[])[i] as Tensor), sum),
          ) as Tensor
        return np.add(x, sum) as Tensor
      }),
    )
  const results: Tensor[] = []
  let lower: (t: Tensor) => Tensor = curve
  for (let k = 0; k < order; k++) {
    const f = lower
    lower = (t) => jvp(f, [t], [tensor(1)])[1]
    results.push(lower(tensor(0)))
  }
  return results
}

const output = (c: (typeof cases)[number]) => c.call(...c.sample(seed))
const smooth = cases.filter(
  (c) => c.active.length > 0 && isFloat(output(c).dtype) && c.primitive.name !== 'stopGradient',
)

describe(`primitives, seed ${seed}`, () => {
  test('every primitive of the table is covered', () => {
    const covered = new Set(cases.map((c) => c.primitive.name))
    expect(primitives.filter((p) => !covered.has(p.name)).map((p) => p.name)).toEqual([])
  })

  test.each(smooth.map((c): [string, typeof c] => [c.name, c]))(
    '%s: jets of orders 1 to 6 agree with nested forward mode',
    (_, c) => {
      const { f, at } = atPoint(c, seed)
      const vs = Array.from({ length: 6 }, (_, k) => randomDirections(at, seed + 7 * k))
      const highest = 6
      const expected = nested(f, at, vs, highest)
      for (const order of [1, 2, 3, 4, 5, 6]) {
        const [value, derivatives] = jet((xs: Tensor[]) => f(...xs), at, vs.slice(0, order))
        expectClose(value, f(...at).data, 0)
        expected.slice(0, order).forEach((x, k) => {
          expectClose(derivatives[k] as Tensor, x.data, 1e-10, `order ${k + 1} of ${order}`)
        })
      }
    },
  )

  test.each(
    cases
      .filter((c) => c.active.length > 0 && !smooth.includes(c))
      .map((c): [string, typeof c] => [c.name, c]),
  )('%s: is constant, so every derivative is zero', (_, c) => {
    const { f, at } = atPoint(c, seed)
    const vs = [1, 2, 3].map((k) => randomDirections(at, seed + k))
    for (const d of jet((xs: Tensor[]) => f(...xs), at, vs)[1])
      expect([...d.data].every((x) => x === 0)).toBe(true)
  })
})
