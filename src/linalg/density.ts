import { canExtend, extendLanczos, startLanczos } from './lanczos.js'
import { type LinearOperator, requireSquare } from './operator.js'
import { countProducts, type Progress, requireCount, requirePositive } from './products.js'
import { Random } from './random.js'
import { meanAndError } from './trace.js'
import { tridiagonalEigen } from './tridiagonal.js'

/**
 * The width sigma of the Gaussian that stands for each node:
 * - 'papyan' (default): sigma = w / ((m - 1) sqrt(8 ln 3)) for m steps and w the spectrum's width with 5 % margin on
 *   both sides, which is what m steps can resolve (Papyan 2018, as in curvlinops);
 * - 'ghorbani': sigma^2 = 1e-5 max(1, width) (Ghorbani, Krishnan, Xiao 2019, as in PyHessian), in the operator's own
 *   units, so it suits spectra of width about 1 to 1000;
 * - a number: sigma itself.
 */
export type Smoothing = 'papyan' | 'ghorbani' | number

export interface SpectralDensityOptions {
  /** Random start vectors, at least 2. Default 10. */
  readonly probes?: number
  /** Lanczos steps per probe, each one product. Default 80. */
  readonly steps?: number
  readonly seed?: number
  /** Points of the grid. Default 1024. */
  readonly gridSize?: number
  readonly smoothing?: Smoothing
  readonly basisDtype?: 'float64' | 'float32'
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress) => void
}

export interface SpectralDensity {
  /** Equally spaced eigenvalues, from below the smallest node to above the largest. */
  readonly grid: Float64Array
  /** The density at each grid point; its sum times the grid's spacing is 1. */
  readonly values: Float64Array
  /** The standard error of each of `values` over the probes. */
  readonly standardError: Float64Array
  /** The quadrature's eigenvalues of all probes, and the fraction of the spectrum at each (sum 1). */
  readonly nodes: Float64Array
  readonly weights: Float64Array
  /** The smoothing's standard deviation, in units of the eigenvalues. */
  readonly sigma: number
  readonly products: number
}

/**
 * The density of eigenvalues phi(t) = (1/n) sum_i N(t; lambda_i, sigma^2) of a symmetric operator by stochastic
 * Lanczos quadrature: the mean over random sign vectors z / sqrt(n) of sum_j (y_1j)^2 N(t; theta_j, sigma^2), where
 * (theta_j, y_j) are the eigenpairs of the tridiagonal matrix that Lanczos builds from z
 * (Lin, Saad, Yang 2016, section 3.2; Ubaru, Chen, Saad 2017).
 *
 * A Hessian with many more parameters than its data determine has most of its eigenvalues at or near 0: they show
 * as one spike of width sigma there, and the rest is best seen on a logarithmic axis. One eigenvalue of n carries
 * the weight 1/n, with a relative error of about sqrt(2 / probes).
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function spectralDensity(
  operator: LinearOperator,
  options: SpectralDensityOptions = {},
): Promise<SpectralDensity> {
  const where = 'spectralDensity'
  const n = requireSquare(operator, where)
  const { probes = 10, seed = 0, gridSize = 1024, smoothing = 'papyan', signal, onStep } = options
  const steps = Math.min(options.steps ?? 80, n)
  requireCount(probes, 'probes', where, 2)
  requireCount(steps, 'steps', where)
  requireCount(gridSize, 'gridSize', where, 2)
  if (typeof smoothing === 'number') requirePositive(smoothing, 'smoothing', where)
  else if (smoothing !== 'papyan' && smoothing !== 'ghorbani')
    throw new Error(`${where}: smoothing is ${smoothing}, expected 'papyan', 'ghorbani' or a number`)

  const products = countProducts(operator, where, signal)
  const random = new Random(seed).split('density')
  const rules: Quadrature[] = []
  for (let probe = 0; probe < probes; probe++) {
    const state = startLanczos(random.split(probe).rademacher(n), operator, options.basisDtype)
    // An invariant subspace ends the probe early: the quadrature is then exact for its start vector.
    while (state.alpha.length < steps && canExtend(state)) {
      await extendLanczos(products, state)
      onStep?.({ done: probe * steps + state.alpha.length, total: probes * steps })
    }
    const { values, vectors } = tridiagonalEigen(state.alpha, state.beta.slice(0, -1), { vectors: 'first' })
    rules.push({ nodes: values, weights: Float64Array.from(vectors, ([first]) => first! ** 2) })
  }

  const nodes = Float64Array.from(rules.flatMap((rule) => [...rule.nodes]))
  const weights = Float64Array.from(rules.flatMap((rule) => [...rule.weights]))
  for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! / probes
  const lowest = nodes.reduce((a, b) => Math.min(a, b))
  const highest = nodes.reduce((a, b) => Math.max(a, b))
  const sigma = smoothingWidth(smoothing, lowest, highest, steps)
  const grid = gridAround(lowest, highest, sigma, gridSize)
  const densities = rules.map((rule) => smooth(rule, grid, sigma))
  const values = new Float64Array(gridSize)
  const standardError = new Float64Array(gridSize)
  for (let i = 0; i < gridSize; i++) {
    const point = meanAndError(densities.map((density) => density[i]!))
    values[i] = point.estimate
    standardError[i] = point.standardError
  }
  return { grid, values, standardError, nodes, weights, sigma, products: products.count }
}

interface Quadrature {
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

function smoothingWidth(smoothing: Smoothing, lowest: number, highest: number, steps: number): number {
  if (typeof smoothing === 'number') return smoothing
  const width = highest - lowest
  if (smoothing === 'ghorbani') return Math.sqrt(1e-5 * Math.max(1, width))
  // A spectrum of one eigenvalue has no width of its own.
  const padded = 1.1 * (width || Math.abs(highest) || 1)
  return padded / (Math.max(steps - 1, 1) * Math.sqrt(8 * Math.log(3)))
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
    const bell = (i: number) => {
      const closest = grid[near]! - node
      const distance = grid[i]! - node
      // Relative to the nearest point, so that the largest term is 1 and the sum never underflows.
      return Math.exp((closest * closest - distance * distance) / (2 * sigma * sigma))
    }
    let sum = 0
    for (let i = from; i <= to; i++) sum += bell(i)
    const scale = weights[j]! / (sum * spacing)
    for (let i = from; i <= to; i++) density[i] = density[i]! + scale * bell(i)
  })
  return density
}
