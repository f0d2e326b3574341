import * as np from 'evolute/numpy'
import { latinHypercube, multiStart, prepareLeastSquares } from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'

/** One S-curve: its centre, and ln a and ln m of a y^3 + y = m x. */
export interface SCurve<T> {
  readonly logA: T
  readonly logM: T
  readonly centre: T
}

/** The y with a y^3 + y = m x, 2 sinh(arcsinh(3 k m x) / 3) / (2 k) with k = sqrt(3 a) / 2. */
export function sCurve(x: Tensor, { logA, logM, centre }: SCurve<Tensor>): Tensor {
  const k = np.divide(np.sqrt(np.multiply(3, np.exp(logA))), 2)
  const line = np.multiply(np.exp(logM), np.subtract(x, centre))
  return np.divide(np.sinh(np.divide(np.arcsinh(np.multiply(3, np.multiply(k, line))), 3)), k)
}

/** A distribution: superposed S-curves about 1/2. */
export class Superposition {
  readonly #curves: readonly SCurve<number>[]

  constructor(curves: readonly SCurve<number>[]) {
    this.#curves = curves
  }

  #values(x: number): { readonly y: number; readonly slope: number }[] {
    return this.#curves.map(({ logA, logM, centre }) => {
      const [a, m] = [Math.exp(logA), Math.exp(logM)]
      const k = Math.sqrt(3 * a) / 2
      const y = Math.sinh(Math.asinh(3 * k * m * (x - centre)) / 3) / k
      return { y, slope: m / (1 + 3 * a * y * y) }
    })
  }

  cumulative(x: number): number {
    return this.#values(x).reduce((sum, { y }) => sum + y, 0.5)
  }

  /** The slope m / (1 + 3 a y^2) of each, added; 0 where the sum leaves 0 to 1. */
  density(x: number): number {
    const f = this.cumulative(x)
    return f < 0 || f > 1 ? 0 : this.#values(x).reduce((sum, { slope }) => sum + slope, 0)
  }
}

/** Distinct values in ascending order with the part of all that lies below, equal ones counted by half. */
export function cumulativeFrequency(values: readonly number[]) {
  const x = [...new Set(values)].sort((a, b) => a - b)
  const below = x.map(
    (at) => values.reduce((sum, v) => sum + (v < at ? 1 : v === at ? 0.5 : 0), 0) / values.length,
  )
  return { x, below }
}

export interface SCurveFit {
  readonly distribution: Superposition
  /** The root of the mean square by which it misses the frequencies. */
  readonly deviation: number
  /** The part of the starts that came to it. */
  readonly reached: number
}

/** The superposition of `count` S-curves nearest to the cumulative frequencies of values, by several starts. */
export async function fitSCurves(
  values: readonly number[],
  count: number,
  { starts, signal }: { readonly starts: number; readonly signal: AbortSignal },
): Promise<SCurveFit> {
  const { x, below } = cumulativeFrequency(values)
  const [least, range] = [x[0]!, x.at(-1)! - x[0]!]
  const at = new Tensor(Float64Array.from(x))
  const start = Array.from({ length: count }, (_, k) => ({
    logA: 1,
    logM: -Math.log(range),
    centre: least + (range * (k + 1)) / (count + 1),
  }))
  const problem = await prepareLeastSquares((curves: SCurve<Tensor>[]) => {
    const sum = curves.reduce((y, curve) => np.add(y, sCurve(at, curve)), np.asarray(0.5))
    return np.subtract(sum, below)
  }, start)
  const reach = start.flatMap(() => [3, 1, range / 3])
  const points = latinHypercube(
    starts,
    problem.parameters.start.map((p, j) => p - reach[j]!),
    problem.parameters.start.map((p, j) => p + reach[j]!),
  )
  const solve = (from: Float64Array) => problem.solve({ start: from, signal, maxSteps: 200, tolerance: 1e-6 })
  const { best, reached } = await multiStart(solve, points, { signal, tolerance: 1e-4 })
  await problem.dispose()
  const curves = start.map((_, k) => {
    const [logA, logM, centre] = best.values.subarray(3 * k, 3 * k + 3) as unknown as [number, number, number]
    return { logA, logM, centre }
  })
  return {
    distribution: new Superposition(curves),
    deviation: Math.sqrt((2 * best.value) / x.length),
    reached: reached / starts,
  }
}
