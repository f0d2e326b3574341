import type { MaybeZero, Series, TaylorCall } from '../program/primitive.js'
import type { Value } from '../program/value.js'
import { sumOf } from './define.js'

/** What rules compute with; given, because the arithmetic rows use these rules themselves. */
export interface Arithmetic {
  add(x: Value, y: Value): Value
  sub(x: Value, y: Value): Value
  mul(x: Value, y: Value | number): Value
  div(x: Value, y: Value): Value
}

/** The series with a value and a rule for its coefficients from 1 on, which may use lower ones of its own. */
export function series(value: Value, rule: (order: number, own: Series) => MaybeZero): Series {
  const known: MaybeZero[] = [value]
  const own: Series = {
    value,
    constant: false,
    coefficient(order) {
      // From the lowest, so that long series do not nest calls.
      for (let k = known.length; k <= order; k++) known[k] = rule(k, own)
      return known[order] as MaybeZero
    },
  }
  return own
}

export function constantSeries(value: Value): Series {
  return { value, constant: true, coefficient: (order) => (order === 0 ? value : null) }
}

/** sum_{from <= j <= to} B(u_j, w_{k-j}) for a bilinear B, without the terms that are known to be zero. */
export function cauchy(
  k: number,
  product: (u: Value, w: Value) => Value,
  u: Series,
  w: Series,
  add: Arithmetic['add'],
  [from, to]: readonly [number, number] = [0, k],
): MaybeZero {
  const terms: MaybeZero[] = []
  for (let j = from; j <= to; j++) {
    const [x, y] = [u.coefficient(j), w.coefficient(k - j)]
    terms.push(x && y && product(x, y))
  }
  return sumOf(terms, add)
}

/** v = B(u, w): v_k = sum_{j <= k} B(u_j, w_{k-j}). */
export function bilinear<P>(
  product: (u: Value, w: Value, params: P) => Value,
  add: Arithmetic['add'],
): (at: TaylorCall<P>) => Series[] {
  return ({ series: [u, w], outputs: [out], params }) => [
    series(out as Value, (k) => cauchy(k, (x, y) => product(x, y, params), u as Series, w as Series, add)),
  ]
}

/** v = u w of numbers; of a square the terms j and k - j are one. */
export function product(u: Series, w: Series, out: Value, { add, mul }: Arithmetic): Series {
  if (u !== w) return series(out, (k) => cauchy(k, mul, u, w, add))
  return series(out, (k) => {
    const pairs = cauchy(k, mul, u, u, add, [0, Math.ceil(k / 2) - 1])
    const middle = k % 2 ? null : u.coefficient(k / 2)
    return sumOf([pairs && mul(pairs, 2), middle && mul(middle, middle)], add)
  })
}

/** v = u / w: v_k = (u_k - sum_{j < k} v_j w_{k-j}) / w_0. */
export function quotient(u: Series, w: Series, out: Value, { add, sub, mul, div }: Arithmetic): Series {
  return series(out, (k, v) => {
    const lower = cauchy(k, mul, v, w, add, [0, k - 1])
    const x = u.coefficient(k)
    if (!lower) return x && div(x, w.value)
    return div(x ? sub(x, lower) : mul(lower, -1), w.value)
  })
}

/**
 * The solution of v' = g u': v_k = (1/k) sum_{1 <= j <= k} j u_j g_{k-j}. `rate` makes the series g of u and v;
 * `slope` is g_0, stated apart because the best formula for it is not always the one that closes the recurrence.
 */
export function solution(
  u: Series,
  out: Value,
  slope: () => Value,
  rate: (v: Series) => Series,
  { add, mul }: Arithmetic,
): Series {
  let first: Value | undefined
  let g: Series | undefined
  return series(out, (k, v) => {
    const terms = Array.from({ length: k }, (_, i): MaybeZero => {
      const j = i + 1
      const x = u.coefficient(j)
      if (!x) return null
      if (j === k) {
        first ??= slope()
        return mul(x, first)
      }
      g ??= rate(v)
      const y = g.coefficient(k - j)
      return y && mul(mul(x, y), j / k)
    })
    return sumOf(terms, add)
  })
}
