import { requireCount, requirePositive } from '../../linalg/products.js'

/** A method that steps by gradients. */
export interface Descent {
  /** Default 'gradient descent'; with momentum 0 all are the same. */
  readonly method?: 'gradient descent' | 'heavy ball' | 'nesterov'
  /** The share of the last step that is repeated, in [0, 1). Default 0. */
  readonly momentum?: number
}

/**
 * The largest learning rate times curvature for which the method contracts on a parabola: 2 for gradient descent,
 * 2 (1 + m) for the heavy ball x' = x - eta g(x) + m (x - x_last), and 2 (1 + m) / (1 + 2 m) for Nesterov's, which
 * takes the gradient at x + m (x - x_last). Each is where the iteration's multiplier passes -1.
 */
export function stabilityThreshold({ method = 'gradient descent', momentum = 0 }: Descent = {}): number {
  if (!(momentum >= 0 && momentum < 1))
    throw new Error(`stabilityThreshold: momentum is ${momentum}, expected a number in [0, 1)`)
  if (method === 'heavy ball') return 2 * (1 + momentum)
  if (method === 'nesterov') return (2 * (1 + momentum)) / (1 + 2 * momentum)
  if (momentum > 0)
    throw new Error(
      `stabilityThreshold: gradient descent has no momentum, got ${momentum}; method: 'heavy ball' or 'nesterov' has`,
    )
  return 2
}

/** The sharpness (largest eigenvalue of the Hessian) beyond which the method diverges on the quadratic model. */
export function sharpnessLimit(learningRate: number, descent: Descent = {}): number {
  requirePositive(learningRate, 'learningRate', 'sharpnessLimit')
  return stabilityThreshold(descent) / learningRate
}

/** The learning rate beyond which the method diverges on the quadratic model; infinite where nothing curves upwards. */
export function learningRateLimit(sharpness: number, descent: Descent = {}): number {
  return sharpness > 0 ? stabilityThreshold(descent) / sharpness : Number.POSITIVE_INFINITY
}

/** tr(H) <= 2 / eta at the minima of interpolated data that stochastic gradients can stay at (Wu and Su 2023). */
export function traceLimit(learningRate: number): number {
  requirePositive(learningRate, 'learningRate', 'traceLimit')
  return 2 / learningRate
}

/**
 * |H|_F <= sqrt(B) / eta at such minima, up to a factor that says how well the noise aligns with H
 * (Wu, Wang, Su 2022); right in its order of magnitude, and in how it grows with the batch.
 */
export function frobeniusLimit(learningRate: number, batch: number): number {
  requirePositive(learningRate, 'learningRate', 'frobeniusLimit')
  requireCount(batch, 'batch', 'frobeniusLimit')
  return Math.sqrt(batch) / learningRate
}
