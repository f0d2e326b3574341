import { losses, lossHessian, type Problem } from 'evolute/curvature'
import { spectralDensity, topEigenpairs } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { type Digits, network, type Weights } from './digitNetwork.js'

/** How many of the largest values stand apart from the others. */
export interface Outliers {
  readonly count: number
  /** The last outlier over the largest value of the bulk. */
  readonly gap: number
}

/** How many times the next value the smallest outlier is at least. */
export const apart = 1.5

/**
 * In the bulk neighbours lie close to each other: it begins after the last of `values`, which are positive and fall, that
 * is at least {@link apart} times the next.
 */
export function outliersOf(values: readonly number[]): Outliers {
  const ratios = values.slice(0, -1).map((value, i) => value / values[i + 1]!)
  const last = ratios.map((ratio) => ratio >= apart).lastIndexOf(true)
  return { count: last + 1, gap: ratios[last] ?? 1 }
}

export interface HessianSpectrum {
  readonly parameters: number
  /** The largest eigenvalues, falling. */
  readonly top: readonly number[]
  readonly outliers: Outliers
  /** How many eigenvalues lie above the middle of the gap by the density, an estimate of `outliers.count`. */
  readonly above: number
  /** The share of all eigenvalues that are smaller in size than `near` times the largest, by quadrature. */
  readonly bulk: number
}

/** What counts as zero beside the largest eigenvalue: what 30 Lanczos steps tell apart from it. */
export const near = 1e-2

/** The Hessian of the mean cross-entropy of a ReLU network over `data`: twice as many eigenvalues as classes, and the bulk. */
export async function hessianSpectrum(
  weights: Weights,
  { images, labels }: Digits,
  signal: AbortSignal,
): Promise<HessianSpectrum> {
  const problem: Problem = {
    parameters: weights,
    apply: (weights: Weights, x: Tensor) => network(weights, x, np.relu),
    loss: losses['cross-entropy']!,
    inputs: images,
    targets: labels,
  }
  const classes = weights.at(-1)!.size
  const hessian = await lossHessian(problem, { precision: 'float32', batch: 1024, signal })
  try {
    const { eigenvalues } = await topEigenpairs(hessian, {
      count: 2 * classes,
      tolerance: 1e-3,
      findRepeated: false,
      signal,
    })
    const top = eigenvalues.map(({ value }) => value)
    const { nodes, weights: shares } = await spectralDensity(hessian, {
      probes: 8,
      steps: 30,
      block: 8,
      signal,
    })
    const share = (chosen: (node: number) => boolean) =>
      shares.reduce((sum, share, i) => sum + (chosen(nodes[i]!) ? share : 0), 0)
    const outliers = outliersOf(top)
    const middle = (top[outliers.count]! + (top[outliers.count - 1] ?? Infinity)) / 2
    return {
      parameters: hessian.rows,
      top,
      outliers,
      above: hessian.rows * share((node) => node > middle),
      bulk: share((node) => Math.abs(node) < near * top[0]!),
    }
  } finally {
    await hessian.dispose()
  }
}
