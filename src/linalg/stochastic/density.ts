import type { LinearOperator } from '../operators/operator.js'
import { requireCount, requirePositive } from '../products.js'
import { planProbes } from './estimator.js'
import { gaussRule, lanczosProbes, type Quadrature, type QuadratureOptions } from './quadrature.js'
import { type DensityCurve, rangeOf, smoothedDensity } from './smoothing.js'

/**
 * The width sigma of the Gaussian that stands for each node:
 * - 'papyan' (default): sigma = w / ((m - 1) sqrt(8 ln 3)) for m steps and w the spectrum's width with 5 % margin on
 *   both sides, which is what m steps can resolve (Papyan 2018, as in curvlinops);
 * - 'ghorbani': sigma^2 = 1e-5 max(1, width) (Ghorbani, Krishnan, Xiao 2019, as in PyHessian), in the operator's own
 *   units, so it suits spectra of width about 1 to 1000;
 * - a number: sigma itself.
 */
export type Smoothing = 'papyan' | 'ghorbani' | number

export interface SpectralDensityOptions extends QuadratureOptions {
  /** Random start vectors, at least 2. Default 10. */
  readonly probes?: number
  /** Start vectors that advance together, a step of each in one call of the operator. Default 1. */
  readonly block?: number
  /** Points of each grid. Default 1024. */
  readonly gridSize?: number
  readonly smoothing?: Smoothing
  /** The |lambda| below which the logarithmic density does not look. Default 1e-7 of the largest. */
  readonly floor?: number
}

/** The density of eigenvalues, and the quadrature that it was made from. */
export interface SpectralDensity extends DensityCurve {
  /** The density of log10(|lambda| + floor), from the same products. */
  readonly logarithmic: DensityCurve
  /** The quadrature's eigenvalues of all probes, and the fraction of the spectrum at each (sum 1). */
  readonly nodes: Float64Array
  readonly weights: Float64Array
  readonly products: number
}

/**
 * The density of eigenvalues phi(t) = (1/n) sum_i N(t; lambda_i, sigma^2) of a symmetric operator by stochastic
 * Lanczos quadrature: the mean over random sign vectors z / sqrt(n) of sum_j (y_1j)^2 N(t; theta_j, sigma^2), where
 * (theta_j, y_j) are the eigenpairs of the tridiagonal matrix that Lanczos builds from z
 * (Lin, Saad, Yang 2016, section 3.2; Ubaru, Chen, Saad 2017).
 *
 * A Hessian with many more parameters than its data determine has most of its eigenvalues at or near 0: they show
 * as one spike of width sigma there, and the rest is best seen on the logarithmic axis, where the same nodes are
 * smoothed after the logarithm, with sigma = w / ((m - 1) sqrt(8 ln 1.04)) for w the width there (Papyan 2020, C.7, as
 * in curvlinops). One eigenvalue of n carries the weight 1/n, with a relative error of about sqrt(2 / probes).
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function spectralDensity(
  operator: LinearOperator,
  options: SpectralDensityOptions = {},
): Promise<SpectralDensity> {
  const where = 'spectralDensity'
  const { probes = 10, block = 1, gridSize = 1024, smoothing = 'papyan', floor } = options
  const plan = planProbes({ probes, block }, where)
  requireCount(gridSize, 'gridSize', where, 2)
  if (typeof smoothing === 'number') requirePositive(smoothing, 'smoothing', where)
  else if (smoothing !== 'papyan' && smoothing !== 'ghorbani')
    throw new Error(`${where}: smoothing is ${smoothing}, expected 'papyan', 'ghorbani' or a number`)
  if (floor !== undefined) requirePositive(floor, 'floor', where)

  const lanczos = lanczosProbes(operator, options, plan, where)
  while (lanczos.done < plan.most) await lanczos.take(Math.min(plan.block, plan.most - lanczos.done))
  const rules = lanczos.finished.map((tridiagonal) => gaussRule(tridiagonal))
  const range = rangeOf(rules)
  const sigma = smoothingWidth(smoothing, ...range, lanczos.steps)
  return {
    ...smoothedDensity(rules, range, sigma, gridSize),
    logarithmic: logarithmicDensity(rules, lanczos.steps, gridSize, floor),
    nodes: Float64Array.from(rules.flatMap(({ nodes }) => [...nodes])),
    weights: Float64Array.from(
      rules.flatMap(({ weights }) => [...weights]),
      (w) => w / rules.length,
    ),
    products: lanczos.products.count,
  }
}

function smoothingWidth(smoothing: Smoothing, lowest: number, highest: number, steps: number): number {
  if (typeof smoothing === 'number') return smoothing
  if (smoothing === 'ghorbani') return Math.sqrt(1e-5 * Math.max(1, highest - lowest))
  return resolution(lowest, highest, steps, 3)
}

function logarithmicDensity(
  rules: readonly Quadrature[],
  steps: number,
  gridSize: number,
  floor: number | undefined,
): DensityCurve {
  const [lowest, highest] = rangeOf(rules)
  const epsilon = floor ?? 1e-7 * (Math.max(highest, -lowest) || 1)
  const logarithmic = rules.map(({ nodes, weights }) => ({
    nodes: nodes.map((node) => Math.log10(Math.abs(node) + epsilon)),
    weights,
  }))
  const range = rangeOf(logarithmic)
  return smoothedDensity(logarithmic, range, resolution(...range, steps, 1.04), gridSize)
}

/**
 * Papyan's sigma: with the spectrum mapped to [-1, 1], 2 / ((m - 1) sqrt(8 ln kappa)), so that a Gaussian falls to
 * 1 / kappa of its height half way to the next of m evenly spaced nodes.
 */
function resolution(lowest: number, highest: number, steps: number, kappa: number): number {
  // A spectrum of one eigenvalue has no width of its own.
  const padded = 1.1 * (highest - lowest || Math.abs(highest) || 1)
  return padded / (Math.max(steps - 1, 1) * Math.sqrt(8 * Math.log(kappa)))
}
