import { factorialOf } from './fraction.js'

/** Integer components of a tangent in the variables of a monomial; null for a tangent that is zero. */
export type Tangent = readonly number[] | null

/** A partial derivative by its order in each variable, and how often it occurs. */
export interface Term {
  readonly orders: readonly number[]
  readonly coefficient: bigint
}

/**
 * d^n/dt^n of u along x + v_1 t + v_2 t^2 / 2! + ... as a sum of partial derivatives (multivariate Faa di Bruno):
 * over all partitions of n into n_p parts of size p, n! / prod_p (p!^n_p n_p!) times u differentiated n_p times along
 * every v_p.
 */
export function jetExpansion(tangents: readonly Tangent[], order: number): Term[] {
  const variables = tangents.find((v) => v !== null)?.length ?? 0
  const found = new Map<string, Term>()
  const note = (orders: readonly number[], coefficient: bigint) => {
    const sum = (found.get(orders.join())?.coefficient ?? 0n) + coefficient
    found.set(orders.join(), { orders, coefficient: sum })
  }
  const visit = (p: number, left: number, orders: readonly number[], weight: bigint, divisor: bigint) => {
    if (left === 0) return note(orders, (weight * factorialOf(order)) / divisor)
    if (p > Math.min(left, tangents.length)) return
    const v = tangents[p - 1] ?? null
    for (let n = 0; n * p <= left && (n === 0 || v); n++) {
      const parts = factorialOf(p) ** BigInt(n) * factorialOf(n)
      for (const power of v && n > 0 ? powers(v, n) : [{ orders: orders.map(() => 0), coefficient: 1n }])
        visit(
          p + 1,
          left - n * p,
          orders.map((k, i) => k + (power.orders[i] as number)),
          weight * power.coefficient,
          divisor * parts,
        )
    }
  }
  visit(1, order, new Array<number>(variables).fill(0), 1n, 1n)
  return [...found.values()].filter(({ coefficient }) => coefficient !== 0n)
}

/** (sum_a v_a d_a)^n by the multinomial theorem. */
function powers(v: readonly number[], n: number): Term[] {
  let terms: Term[] = [{ orders: v.map(() => 0), coefficient: factorialOf(n) }]
  v.forEach((component, a) => {
    const last = a === v.length - 1
    terms = terms.flatMap(({ orders, coefficient }) => {
      const left = n - orders.reduce((sum, k) => sum + k, 0)
      const counts = last ? [left] : Array.from({ length: left + 1 }, (_, k) => k)
      return counts
        .filter((k) => component !== 0 || k === 0)
        .map((k) => ({
          orders: orders.map((x, i) => (i === a ? k : x)),
          coefficient: (coefficient * BigInt(component) ** BigInt(k)) / factorialOf(k),
        }))
    })
  })
  return terms
}
