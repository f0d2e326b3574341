import { jetExpansion, type Tangent } from './expansion.js'
import { binomial, type Fraction, factorialOf, fraction, over, times } from './fraction.js'

/** A derivative of one jet, times a number: d^n/dt^n along the tangents v_1 to v_n. */
export interface Step {
  readonly tangents: readonly Tangent[]
  readonly weight: Fraction
}

/** Tangents of order 1 to n that put e_a at order p_a for each variable a. */
export function tangentsAt(places: readonly number[], length: number): Tangent[] {
  return Array.from({ length }, (_, k) => {
    const a = places.indexOf(k + 1)
    return a < 0 ? null : places.map((_, i) => Number(i === a))
  })
}

/**
 * Jets whose combination is the partial derivative of the given orders, exactly: the cheapest, by the coefficients that
 * they propagate, of
 * - one jet with e_a at order p_a (Shi et al., Stochastic Taylor Derivative Estimator, 2024, arXiv 2412.00088), whose
 *   coefficient of the derivative is n! / prod_a (p_a!^k_a k_a!); whatever else the expansion of d^n/dt^n holds is
 *   subtracted if it is a derivative in one variable, which has a jet of its own, and rules the choice out if mixed;
 * - straight jets of order n along integer directions (Kan's polarisation, 2008), which are never contaminated.
 */
export function planDerivative(orders: readonly number[], maxOrder = 13): Step[] {
  const total = orders.reduce((sum, k) => sum + k, 0)
  const candidates = orders.length === 1 ? [[1]] : placements(orders, maxOrder)
  const plans = candidates.flatMap((places) => planAt(orders, places) ?? [])
  plans.sort((a, b) => costOf(a) - costOf(b) || (a[0]?.tangents.length ?? 0) - (b[0]?.tangents.length ?? 0))
  const [best] = plans
  const straight = total <= maxOrder ? polarisation(orders) : undefined
  if (best && (!straight || costOf(best) <= costOf(straight))) return best
  if (straight) return straight
  throw new Error(
    `differentialOperator: no jet of order up to ${maxOrder} gives orders [${orders}]; raise maxOrder`,
  )
}

const costOf = (steps: readonly Step[]) => steps.reduce((sum, { tangents }) => sum + tangents.length, 0)

/** Different orders p_a for the tangents e_a, so that sum_a p_a k_a is at most `most`. */
function placements(orders: readonly number[], most: number): number[][] {
  let found: { places: number[]; sum: number }[] = [{ places: [], sum: 0 }]
  for (const k of orders)
    found = found.flatMap(({ places, sum }) =>
      Array.from({ length: Math.max(0, Math.floor((most - sum) / k)) }, (_, i) => i + 1)
        .filter((p) => !places.includes(p))
        .map((p) => ({ places: [...places, p], sum: sum + p * k })),
    )
  return found.map(({ places }) => places)
}

/** The plan with e_a at order p_a, or nothing if a mixed derivative contaminates it. An array in an array, for flatMap. */
export function planAt(orders: readonly number[], places: readonly number[]): [Step[]] | undefined {
  const n = orders.reduce((sum, k, a) => sum + k * (places[a] as number), 0)
  const tangents = tangentsAt(places, n)
  const terms = jetExpansion(tangents, n)
  const same = (other: readonly number[]) => other.every((k, a) => k === orders[a])
  const own = terms.find((term) => same(term.orders))
  const others = terms.filter((term) => term !== own)
  if (!own || others.some((term) => term.orders.filter((k) => k > 0).length > 1)) return undefined
  const weight = fraction(1n, own.coefficient)
  const subtracted = others.map((term): Step => {
    const a = term.orders.findIndex((k) => k > 0)
    const straight = orders.map((_, i) => Number(i === a))
    const length = term.orders[a] as number
    return {
      tangents: Array.from({ length }, (_, k) => (k === 0 ? straight : null)),
      weight: times(fraction(-term.coefficient), weight),
    }
  })
  return [[{ tangents, weight }, ...subtracted]]
}

/**
 * d^alpha = (1/n!) sum_nu (-1)^|nu| prod_a C(alpha_a, nu_a) D^n[alpha / 2 - nu] (Kan, From moments of sum to moments of
 * product, 2008); opposite directions are one.
 */
export function polarisation(orders: readonly number[]): Step[] {
  const n = orders.reduce((sum, k) => sum + k, 0)
  const found = new Map<string, { direction: number[]; sum: bigint }>()
  const visit = (nu: readonly number[]) => {
    if (nu.length < orders.length) {
      for (let k = 0; k <= (orders[nu.length] as number); k++) visit([...nu, k])
      return
    }
    let direction = orders.map((k, a) => k - 2 * (nu[a] as number))
    const leading = direction.find((x) => x !== 0)
    if (leading === undefined) return
    let sign = nu.reduce((sum, k) => sum + k, 0) % 2 ? -1n : 1n
    if (leading < 0) {
      direction = direction.map((x) => -x)
      if (n % 2) sign = -sign
    }
    const term = nu.reduce((product, k, a) => product * binomial(orders[a] as number, k), sign)
    const key = direction.join()
    found.set(key, { direction, sum: (found.get(key)?.sum ?? 0n) + term })
  }
  visit([])
  const scale = fraction(factorialOf(n) * 2n ** BigInt(n))
  return [...found.values()]
    .filter(({ sum }) => sum !== 0n)
    .map(({ direction, sum }) => ({
      tangents: Array.from({ length: n }, (_, k) => (k === 0 ? direction : null)),
      weight: over(fraction(sum), scale),
    }))
}
