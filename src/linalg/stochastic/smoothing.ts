import { meanAndError } from './estimator.js'
import type { Quadrature } from './quadrature.js'

/** A density with its error at each point of a grid. */
export interface DensityCurve {
  /** Equally spaced, from below the smallest node to above the largest. */
  readonly grid: Float64Array
  /** The density at each grid point; its sum times the grid's spacing is 1. */
  readonly values: Float64Array
  /** The standard error of each of `values` over the probes. */
  readonly standardError: Float64Array
  /** The smoothing's standard deviation, in units of the grid. */
  readonly sigma: number
}

/** The mean over `rules` of sum_j w_j N(t; theta_j, sigma^2) on a grid around `range`. */
export function smoothedDensity(
  rules: readonly Quadrature[],
  range: readonly [number, number],
  sigma: number,
  gridSize: number,
): DensityCurve {
  const grid = gridAround(...range, sigma, gridSize)
  const densities = rules.map((rule) => smooth(rule, grid, sigma))
  const values = new Float64Array(gridSize)
  const standardError = new Float64Array(gridSize)
  for (let i = 0; i < gridSize; i++) {
    const point = meanAndError(densities.map((density) => density[i]!))
    values[i] = point.estimate
    standardError[i] = point.standardError
  }
  return { grid, values, standardError, sigma }
}

/** The smallest and the largest node. */
export function rangeOf(rules: readonly Quadrature[]): [number, number] {
  const all = rules.flatMap(({ nodes }) => [...nodes])
  return [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]
}

/** `size` points over [lowest, highest] with 5 % of its width, and at least 5 sigma, on both sides. */
function gridAround(lowest: number, highest: number, sigma: number, size: number): Float64Array {
  const margin = Math.max(0.05 * (highest - lowest), 5 * sigma)
  const from = lowest - margin
  const spacing = (highest - lowest + 2 * margin) / (size - 1)
  return Float64Array.from({ length: size }, (_, i) => from + i * spacing)
}

/**
 * sum_j w_j N(t; theta_j, sigma^2) on the grid. Each node's Gaussian is normalised on the grid itself, so that no
 * weight is lost where sigma is below the spacing: it then lies on the nearest point.
 */
function smooth({ nodes, weights }: Quadrature, grid: Float64Array, sigma: number): Float64Array {
  const density = new Float64Array(grid.length)
  const last = grid.length - 1
  const spacing = (grid[last]! - grid[0]!) / last
  nodes.forEach((node, j) => {
    const near = Math.round((node - grid[0]!) / spacing)
    const reach = Math.ceil((8 * sigma) / spacing)
    const from = Math.max(0, near - reach)
    const to = Math.min(last, near + reach)
    const closest = grid[near]! - node
    // Relative to the nearest point, so that the largest term is 1 and the sum never underflows.
    const bell = grid
      .subarray(from, to + 1)
      .map((t) => Math.exp((closest * closest - (t - node) * (t - node)) / (2 * sigma * sigma)))
    const scale = weights[j]! / (bell.reduce((a, b) => a + b) * spacing)
    bell.forEach((height, i) => {
      density[from + i] = density[from + i]! + scale * height
    })
  })
  return density
}
