import type { Box } from '../../box.js'

/** The distance to begin with, as a part of a parameter's size, and by how much it changes from try to try. */
const firstStep = 1e-2
const shrink = 1 / 8
const mostTries = 10
/** Estimates that agree to this part of the derivative are good enough. */
const enough = 1e-10

/**
 * The Jacobian of `f`, as columns one after another, by central differences at h, h / 2 and h / 4, extrapolated to h = 0
 * (Richardson); one-sided where a bound is near. For each parameter h begins at a hundredth of it (of 1 where it is 0)
 * and falls until the two best estimates agree; of all h the one with the best agreement is taken. For smooth functions
 * 10 to 12 digits.
 */
export function differenceColumns(
  f: (x: Float64Array) => Float64Array,
  x: Float64Array,
  { lower, upper }: Box,
): Float64Array {
  const rows = f(x).length
  const columns = new Float64Array(rows * x.length)
  for (let j = 0; j < x.length; j++) {
    const value = x[j]!
    const along = (h: number) => {
      const moved = x.slice()
      moved[j] = value + h
      return f(moved)
    }
    const [below, above] = [value - lower[j]!, upper[j]! - value]
    const size = firstStep * (Math.abs(value) || 1)
    const h = Math.min(size, Math.max(below, above))
    const oneSided = Math.min(below, above) < h
    columns.set(bestDerivative(along, oneSided && below > above ? -h : h, oneSided), j * rows)
  }
  return columns
}

interface Estimate {
  readonly derivative: Float64Array
  /** How far the two best estimates are apart, relative to the derivative's length. */
  readonly disagreement: number
}

function bestDerivative(f: (h: number) => Float64Array, first: number, oneSided: boolean): Float64Array {
  let best: Estimate | undefined
  for (let tries = 0, h = first; tries < mostTries; tries++, h *= shrink) {
    const estimate = oneSided ? oneSidedDerivative(f, h) : centralDerivative(f, h)
    // Worse than with a longer distance: rounding has taken over.
    if (best && Number.isFinite(best.disagreement) && !(estimate.disagreement < best.disagreement)) break
    best = estimate
    if (best.disagreement <= enough) break
  }
  return best!.derivative
}

function centralDerivative(f: (h: number) => Float64Array, h: number): Estimate {
  const difference = (h: number) => {
    const [above, below] = [f(h), f(-h)]
    return above.map((a, i) => (a - below[i]!) / (2 * h))
  }
  return extrapolate([h, h / 2, h / 4].map(difference), 4)
}

function oneSidedDerivative(f: (h: number) => Float64Array, h: number): Estimate {
  const here = f(0)
  const difference = (h: number) => f(h).map((a, i) => (a - here[i]!) / h)
  return extrapolate([h, h / 2, h / 4, h / 8, h / 16].map(difference), 2)
}

/** Neville's scheme for estimates at h, h / 2, ...: of errors in powers of h (base 2), or in even ones only (base 4). */
function extrapolate(estimates: readonly Float64Array[], base: 2 | 4): Estimate {
  let row = estimates
  let before = row
  for (let power = base; row.length > 1; power *= base) {
    before = row
    row = row.slice(1).map((near, k) => near.map((a, i) => a + (a - before[k]![i]!) / (power - 1)))
  }
  const derivative = row[0]!
  const last = before.at(-1)!
  let [apart, size] = [0, 0]
  derivative.forEach((a, i) => {
    apart += (a - last[i]!) ** 2
    size += a * a
  })
  return { derivative, disagreement: size === 0 ? apart : Math.sqrt(apart / size) }
}
