import { describe, expect, test } from 'vitest'
import { compileJs } from '../../src/engines/js/index.js'
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

/** Numbers with 70 digits after the point. */
const one = 10n ** 70n
const big = (x: number): bigint => {
  let [value, scale] = [x, 0n]
  while (!Number.isInteger(value)) {
    value *= 2
    scale++
  }
  return (BigInt(value) * one) >> scale
}
const times = (a: bigint, b: bigint) => (a * b) / one
const over = (a: bigint, b: bigint) => (a * one) / b
const small = (a: bigint) => Number(a / 10n ** 35n) / 1e35
const exact = (a: bigint) => {
  const digits = (a < 0n ? -a : a).toString()
  const value = Number(`${digits.slice(0, 25)}e${Math.max(0, digits.length - 25) - 70}`)
  return a < 0n ? -value : value
}
function exponential(x: bigint): bigint {
  const reduced = x / 256n
  let [term, sum] = [one, one]
  for (let n = 1n; term !== 0n; n++) {
    term = times(term, reduced) / n
    sum += term
  }
  for (let i = 0; i < 8; i++) sum = times(sum, sum)
  return sum
}
function sine(x: bigint): bigint {
  let [term, sum] = [x, x]
  for (let n = 2n; term !== 0n; n += 2n) {
    term = -times(times(term, x), x) / (n * (n + 1n))
    sum += term
  }
  return sum
}
function root(x: bigint): bigint {
  let [r, next] = [0n, big(Math.sqrt(small(x)))]
  for (let i = 0; i < 8 && r !== next; i++) [r, next] = [next, (next + over(x, next)) / 2n]
  return next
}

/** Derivatives of y with y' = q(y), as polynomials in y: P_{n+1} = P_n' q, with whole coefficients. */
function autonomous(q: readonly bigint[], y: bigint, order: number): bigint[] {
  let p: bigint[] = [0n, 1n]
  return Array.from({ length: order }, () => {
    const slope = p.slice(1).map((c, i) => c * BigInt(i + 1))
    const next = new Array<bigint>(slope.length + q.length - 1).fill(0n)
    slope.forEach((a, i) => {
      q.forEach((b, j) => {
        next[i + j] = (next[i + j] as bigint) + a * b
      })
    })
    p = next
    return p.reduceRight((sum, c) => times(sum, y) + c * one, 0n)
  })
}

const falling = (r: bigint, n: number) =>
  Array.from({ length: n }, (_, k) => r - one * BigInt(k)).reduce((p, x) => times(p, x), one)
const power = (x: bigint, n: number): bigint => (n === 0 ? one : times(x, power(x, n - 1)))
const orders = [1, 2, 3, 4, 5, 6, 7, 8]
const hyperbolic = (x: bigint) => over(exponential(2n * x) - one, exponential(2n * x) + one)
const sigmoid = (x: bigint) => over(one, one + exponential(-x))
const pi = 31415926535897932384626433832795028841971693993751058209749445923078164n

/** Derivatives of 1 / (1 + s x^2) to the power of m, as P_n / (1 + s x^2)^(n + m), P_{n+1} = P_n' w - 2 s (n + m) x P_n. */
function rational(
  sign: bigint,
  half: bigint,
  x: bigint,
  count: number,
): { numerator: bigint; power: bigint }[] {
  let p: bigint[] = [1n]
  return Array.from({ length: count }, (_, n) => {
    const numerator = p.reduceRight((sum, c) => times(sum, x) + c * one, 0n)
    const slope = p.slice(1).map((c, i) => c * BigInt(i + 1))
    const next = new Array<bigint>(p.length + 1).fill(0n)
    slope.forEach((c, i) => {
      next[i] = (next[i] as bigint) + c
      next[i + 2] = (next[i + 2] ?? 0n) + sign * c
    })
    p.forEach((c, i) => {
      next[i + 1] = (next[i + 1] as bigint) - sign * (2n * BigInt(n) + half) * c
    })
    p = next
    return { numerator, power: 2n * BigInt(n) + half }
  })
}
/** w^(m/2) for the quotient. */
const halfPower = (w: bigint, m: bigint) =>
  m % 2n ? times(root(w), power(w, Number(m / 2n))) : power(w, Number(m / 2n))
const rationals = (sign: bigint, half: bigint) => (x: bigint) => {
  const w = one + sign * times(x, x)
  return rational(sign, half, x, 8).map(({ numerator, power: m }) => over(numerator, halfPower(w, m)))
}

interface Reference {
  readonly f: (x: Tensor) => unknown
  readonly at: readonly number[]
  readonly derivatives: (x: bigint) => bigint[]
}
const cosine = (x: bigint) => sine(pi / 2n - x)
const references: Record<string, Reference> = {
  exp: { f: np.exp, at: [-3, 0.7, 20], derivatives: (x) => orders.map(() => exponential(x)) },
  expm1: { f: np.expm1, at: [1e-3, 0.7], derivatives: (x) => orders.map(() => exponential(x)) },
  log: {
    f: np.log,
    at: [0.01, 0.7, 30],
    derivatives: (x) => orders.map((n) => over(falling(-one, n - 1), power(x, n))),
  },
  log1p: {
    f: np.log1p,
    at: [0.001, 2],
    derivatives: (x) => orders.map((n) => over(falling(-one, n - 1), power(x + one, n))),
  },
  reciprocal: {
    f: (x) => np.divide(1, x),
    at: [0.3, -7],
    derivatives: (x) => orders.map((n) => over(falling(-one, n), power(x, n + 1))),
  },
  sqrt: {
    f: np.sqrt,
    at: [0.02, 3],
    derivatives: (x) => orders.map((n) => over(times(falling(one / 2n, n), root(x)), power(x, n))),
  },
  'power 2.5': {
    f: (x) => np.power(x, 2.5),
    at: [0.4, 3],
    derivatives: (x) =>
      orders.map((n) => over(times(times(falling((5n * one) / 2n, n), root(x)), power(x, 2)), power(x, n))),
  },
  'power 7': {
    f: (x) => np.power(x, 7),
    at: [-0.4, 3],
    derivatives: (x) => orders.map((n) => (n > 7 ? 0n : times(falling(7n * one, n), power(x, 7 - n)))),
  },
  tanh: {
    f: np.tanh,
    at: [1e-4, 0.3, 3, 15],
    derivatives: (x) => autonomous([1n, 0n, -1n], hyperbolic(x), 8),
  },
  logistic: {
    f: np.sigmoid,
    at: [0.3, 8, 30, -30],
    derivatives: (x) => autonomous([0n, 1n, -1n], sigmoid(x), 8),
  },
  softplus: {
    f: np.softplus,
    at: [0.3, -20],
    derivatives: (x) => [sigmoid(x), ...autonomous([0n, 1n, -1n], sigmoid(x), 7)],
  },
  tan: {
    f: np.tan,
    at: [0.3, 1.2],
    derivatives: (x) => autonomous([1n, 0n, 1n], over(sine(x), cosine(x)), 8),
  },
  sin: {
    f: np.sin,
    at: [0.3, 2],
    derivatives: (x) => orders.map((n) => sine(x + (pi * BigInt(n)) / 2n)),
  },
  cos: {
    f: np.cos,
    at: [0.3, 2],
    derivatives: (x) => orders.map((n) => sine(x + (pi * BigInt(n + 1)) / 2n)),
  },
  sinh: {
    f: np.sinh,
    at: [0.3, 2],
    derivatives: (x) => orders.map((n) => (exponential(x) + (n % 2 ? 1n : -1n) * exponential(-x)) / 2n),
  },
  atan: { f: np.arctan, at: [0.3, 2.2, -9], derivatives: rationals(1n, 2n) },
  asin: { f: np.arcsin, at: [0.3, -0.9], derivatives: rationals(-1n, 1n) },
  asinh: { f: np.arcsinh, at: [0.4, 2.2], derivatives: rationals(1n, 1n) },
  atanh: { f: np.arctanh, at: [0.3, -0.9], derivatives: rationals(-1n, 2n) },
  erf: {
    f: np.erf,
    at: [0.2, 1.3, 3],
    derivatives: (x) => {
      let [before, hermite] = [0n, one]
      const scale = times(over(2n * one, root(pi)), exponential(-times(x, x)))
      return orders.map((n) => {
        const value = (n % 2 ? 1n : -1n) * times(scale, hermite)
        ;[before, hermite] = [hermite, 2n * times(x, hermite) - 2n * BigInt(n - 1) * before]
        return value
      })
    },
  },
}

describe('exact references to 50 digits, orders 1 to 8, relative error 1e-13', () => {
  test.each(Object.entries(references))('%s', (_, { f, at, derivatives }) => {
    for (const x of at) {
      const expected = derivatives(big(x)).map(exact)
      const got = jet((t: Tensor) => f(t) as Tensor, tensor(x), [1, ...orders.slice(1).map(() => null)])[1]
      expected.forEach((d, k) => {
        const g = got[k]?.item() as number
        if (d === 0) expect(g, `order ${k + 1} at ${x}`).toBe(0)
        else expect(Math.abs(g / d - 1), `order ${k + 1} at ${x}: ${g}, expected ${d}`).toBeLessThan(1e-13)
      })
    }
  })

  test('along a curved path, in exact fractions: (u^2 + 1) / (3 u - 5)^3', () => {
    const path = [0.5, -1, 2, 0.75, -3, 1, 0.25, 2, -1]
    const scaled = path.map((c, k) => big(c) / BigInt(factorial(k)))
    const cauchy = (a: bigint[], b: bigint[]) =>
      a.map((_, k) => a.slice(0, k + 1).reduce((sum, x, j) => sum + times(x, b[k - j] as bigint), 0n))
    const square = cauchy(scaled, scaled).map((c, k) => (k === 0 ? c + one : c))
    const line = scaled.map((c, k) => 3n * c - (k === 0 ? 5n * one : 0n))
    const cube = cauchy(line, cauchy(line, line))
    const quotient: bigint[] = []
    square.forEach((c, k) => {
      const lower = quotient.reduce((sum, q, j) => sum + times(q, cube[k - j] as bigint), 0n)
      quotient.push(over(c - lower, cube[0] as bigint))
    })
    const f = (u: Tensor) =>
      np.divide(np.add(np.multiply(u, u), 1), np.power(np.subtract(np.multiply(3, u), 5), 3))
    const derivatives = jet((u: Tensor) => f(u) as Tensor, tensor(0.5), path.slice(1))[1]
    derivatives.forEach((d, k) => {
      const expected = exact((quotient[k + 1] as bigint) * BigInt(factorial(k + 1)))
      expect(Math.abs(d.item() / expected - 1), `order ${k + 1}`).toBeLessThan(1e-13)
    })
  })
})

describe('jets compose', () => {
  const x = tensor([0.4, -0.7, 1.1])
  const vs = [1, 2, 3, 4].map((k) => tensor([Math.sin(k), Math.cos(k), 0.3 * k]))
  const agree = (f: (x: Tensor) => Tensor, order = 4, tolerance = 1e-12) => {
    const expected = nested(
      f as Mapping,
      [x],
      vs.map((v) => [v]),
      order,
    )
    jet(f, x, vs.slice(0, order))[1].forEach((d, k) => {
      expectClose(d, (expected[k] as Tensor).data, tolerance, `order ${k + 1}`)
    })
  }

  test('through scan, a loop with checkpoints, and while', () => {
    agree(
      (x) =>
        scan(
          (c: Tensor, e: Tensor) => [np.tanh(np.add(c, np.multiply(e, x))), np.sum(c)],
          x,
          tensor([1, 2, 3]),
        )[0] as Tensor,
      3,
    )
    agree(
      (x) => foriLoop(0, 4, (_, c: Tensor) => np.sin(np.multiply(c, x)), x, { checkpoint: true }) as Tensor,
      3,
    )
    agree(
      (x) =>
        (
          whileLoop(
            (c: { i: Tensor; y: Tensor }) => np.less(c.i, 3) as Tensor,
            (c: { i: Tensor; y: Tensor }) => ({ i: np.add(c.i, 1), y: np.exp(np.sin(c.y)) }),
            { i: tensor(0), y: x },
          ) as { y: Tensor }
        ).y,
      3,
    )
  })

  test('through cond', () => {
    for (const limit of [10, -10])
      agree(
        (x) =>
          cond(
            np.less(np.sum(x), limit),
            (x: Tensor) => np.exp(x),
            (x: Tensor) => np.sin(x),
            x,
          ) as Tensor,
      )
  })

  test('through checkpoint and custom rules, which are differentiated', () => {
    agree((x) => checkpoint((x: Tensor) => np.tanh(np.multiply(x, x)) as Tensor)(x) as Tensor)
    const doubled = customJvp(
      (x: Tensor) => np.sin(x) as Tensor,
      ([x], [t]) => [np.sin(x), np.multiply(2, np.multiply(t, np.cos(x)))],
    )
    agree((x) => doubled(x) as Tensor)
    const slope = jet((x: Tensor) => doubled(x) as Tensor, x, [vs[0] as Tensor])[1][0] as Tensor
    expectClose(
      slope,
      x.data.map((x, i) => 2 * Math.cos(x) * (vs[0] as Tensor).data[i]!) as Float64Array,
      1e-15,
    )
  })

  test('under grad, vmap and jit, and inside itself', () => {
    const f = (x: Tensor) => np.multiply(np.tanh(x), np.exp(np.sin(x))) as Tensor
    const third = (x: Tensor) => np.sum(jet(f, x, [tensor([1, 1, 1]), null, null])[1][2] as Tensor)
    const g = grad(third)(x)
    const fourth = jet(f, x, [tensor([1, 1, 1]), null, null, null])[1][3] as Tensor
    expectClose(g, fourth.data, 1e-12)
    const both = jet((x: Tensor) => jet(f, x, [tensor([1, 1, 1]), null])[1][1] as Tensor, x, [
      tensor([1, 1, 1]),
      null,
    ])
    expectClose(both[1][1] as Tensor, fourth.data, 1e-12)
    const mapped = vmap((x: Tensor) => jet(f, x, [tensor(1), null, null])[1][2] as Tensor)(x)
    const whole = jet(f, x, [tensor([1, 1, 1]), null, null])[1][2] as Tensor
    expectClose(mapped, whole.data, 1e-14)
    expectClose(
      compileJs((x: Tensor) => jet(f, x, [tensor([1, 1, 1]), null, null])[1][2] as Tensor)(x),
      whole.data,
      1e-14,
    )
  })

  test('on trees, and with outer values that are differentiated', () => {
    const f = (p: { a: Tensor; b: Tensor[] }) => ({
      y: np.multiply(p.a, np.exp(p.b[0] as Tensor)),
      n: np.argmax(p.a),
    })
    const at = { a: x, b: [tensor(0.5)] }
    const [value, [d1, d2]] = jet(f, at, [{ a: vs[0] as Tensor, b: [tensor(1)] }, null])
    expect(value.n.item()).toBe(2)
    const e = Math.exp(0.5)
    expectClose(d1!.y, x.data.map((x, i) => e * (x + (vs[0] as Tensor).data[i]!)) as Float64Array, 1e-14)
    expectClose(d2!.y, x.data.map((x, i) => e * (x + 2 * (vs[0] as Tensor).data[i]!)) as Float64Array, 1e-14)
    const outer = grad(
      (s: Tensor) => jet((t: Tensor) => np.sin(np.multiply(s, t)) as Tensor, tensor(0.3), [1, null])[1][1]!,
    )
    const s = 1.7
    expect(outer(tensor(s)).item()).toBeCloseTo(
      -2 * s * Math.sin(0.3 * s) - s * s * 0.3 * Math.cos(0.3 * s),
      13,
    )
  })

  test('zeros cost nothing: a straight path through a linear map has one coefficient', () => {
    const program = trace(
      (x: Tensor) => jet((x: Tensor) => np.matmul(x, np.eye(3)) as Tensor, x, [x, null, null, null]),
      x,
    ).program
    expect(program.equations.filter(({ primitive }) => primitive.name === 'dot').length).toBe(2)
  })

  test('at kinks and ties every coefficient is chosen as the derivative chooses', () => {
    const at = (f: (x: Tensor) => unknown, v: number) =>
      jet((x: Tensor) => f(x) as Tensor, tensor(0), [v, 5])[1].map((d) => d.item())
    expect(at(np.abs, 3)).toEqual([0, 0])
    expect(at((x) => np.maximum(x, np.multiply(-1, x)), 3)).toEqual([0, 0])
    expect(at((x) => np.maximum(x, 0), 3)).toEqual([1.5, 2.5])
    expect(at((x) => np.power(x, 3), 3)).toEqual([0, 0])
  })

  test('float32 stays float32, and mistakes are named', () => {
    const half = jet((x: Tensor) => np.exp(x) as Tensor, tensor(1, { dtype: 'float32' }), [1, 2])
    expect(half[1].map((d) => d.dtype)).toEqual(['float32', 'float32'])
    expect(() => jet(np.exp as never, tensor([1, 2]), [tensor([1])] as never)).toThrow('jet: tangent 1')
    expect(() => jet(np.exp as never, tensor(1, { dtype: 'int32' }), [1])).toThrow(
      'derivatives need float32 or float64',
    )
    expect(() => jet(np.exp as never, 1, 2 as never)).toThrow('jet: tangents are 2')
  })
})
