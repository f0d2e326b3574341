import type { ConstrainedResult } from '../../../src/optimize/index.js'

type Plain = (x: Float64Array) => ArrayLike<number>

/** The columns of a Jacobian by central differences. */
export function differences(f: Plain, x: Float64Array): number[][] {
  return Array.from(x, (xi, i) => {
    const h = 1e-5 * Math.max(Math.abs(xi), 1)
    const at = (t: number) => f(x.map((value, k) => (k === i ? value + t : value)))
    const [above, below] = [at(h), at(-h)]
    return Array.from(above, (a, j) => (a - below[j]!) / (2 * h))
  })
}

/**
 * By how much the conditions of Karush, Kuhn and Tucker fail at a result, from values of function and constraints alone:
 * the gradient of the Lagrangian beside its terms, the violation beside the constraints' change, and the signs.
 */
export function failureOf(
  result: ConstrainedResult<unknown>,
  f: (x: Float64Array) => number,
  constraints: Plain,
  ends: { readonly lower: readonly number[]; readonly upper: readonly number[] },
): number {
  const { values: x, multipliers } = result
  const slopes = differences((y) => [f(y)], x).map(([slope]) => slope!)
  const columns = differences(constraints, x)
  const sizes = Array.from(multipliers, (_, j) =>
    columns.reduce((sum, column, i) => sum + Math.abs(column[j]!) * Math.max(Math.abs(x[i]!), 1), 0),
  )
  const force = Math.max(1, Math.abs(f(x)), ...sizes.map((size, j) => size * Math.abs(multipliers[j]!)))
  const stationarity = slopes.map((slope, i) => {
    const along = columns[i]!.reduce((sum, c, j) => sum + c * multipliers[j]!, slope)
    return (Math.abs(along) * Math.max(Math.abs(x[i]!), 1)) / force
  })
  const violation = Array.from(constraints(x), (c, j) => {
    const away = Math.max(ends.lower[j]! - c, c - ends.upper[j]!, 0)
    return away === 0 ? 0 : away / sizes[j]!
  })
  const gaps = Array.from(constraints(x), (c, j) => {
    const l = multipliers[j]!
    return l === 0
      ? 0
      : Math.abs(l * (c - (l > 0 ? ends.upper : ends.lower)[j]!)) / Math.max(1, Math.abs(f(x)))
  })
  return Math.max(...stationarity, ...violation, ...gaps)
}
