import type { LandscapeOptions } from '../landscape/index.js'
import type { OperatorOptions } from '../operators/index.js'
import type { StagesOptions } from '../stages/stages.js'
import { type CurvatureKind, curvatureKinds, isPositive } from './curvatureKind.js'

export interface AnalyzeOptions extends Omit<OperatorOptions, 'onStep' | 'moves' | 'signal'>, StagesOptions {
  /** The matrix to analyze. Default `hessian`. */
  readonly curvature?: CurvatureKind
  /** Eigenvalues wanted, the largest ones; at most the number of parameters. Default 10. */
  readonly top?: number
  /** Eigenvalues wanted at the other end. Default 1 for the Hessian, 0 for matrices without negative ones. */
  readonly bottom?: number
  /**
   * Wanted residuals of the eigenvalues, relative to the largest. Default 1e-8 in float64 and 1e-5 in float32; 1e-4 for
   * the smallest, which lie closer together.
   */
  readonly tolerance?: number
  /** Default `hutchinson`, which gives the traces of the layers for the same products. */
  readonly traceMethod?: 'hutchinson' | 'xtrace'
  /** Products for the trace, at least 2. Default 30. */
  readonly probes?: number
  /** Wanted standard error of the trace, relative to it: takes more products than `probes` where needed. */
  readonly traceTolerance?: number
  /** Lanczos steps for each start of the density. Default 80. */
  readonly steps?: number
  /** Whether to find the largest eigenvalue of each layer's own block. Default false. */
  readonly layers?: boolean
  /** Whether to measure the curvature in layers' outputs. Default false. */
  readonly activations?: boolean
  /** log det(A + shift I) is wanted for this shift. */
  readonly logDeterminant?: number
  /** Whether to measure the law of the learning rate and the noise of the gradient. Default false. */
  readonly stability?: boolean
  /** Whether to slice the loss, or how. Default false. */
  readonly landscape?:
    | boolean
    | Pick<LandscapeOptions, 'along' | 'points' | 'planePoints' | 'range' | 'biases'>
  /** Bytes that Lanczos vectors, residuals and runs may take. Default 2 GiB. */
  readonly memoryBytes?: number
  readonly seed?: number
}

/** The options with their defaults, checked. */
export function withDefaults(options: AnalyzeOptions) {
  const { curvature = 'hessian', traceMethod = 'hutchinson' } = options
  if (!curvatureKinds.includes(curvature))
    throw new Error(`analyze: curvature is ${curvature}, expected one of ${curvatureKinds.join(', ')}`)
  if (traceMethod !== 'hutchinson' && traceMethod !== 'xtrace')
    throw new Error(`analyze: traceMethod is ${traceMethod}, expected hutchinson or xtrace`)
  return {
    curvature,
    traceMethod,
    top: options.top ?? 10,
    bottom: options.bottom ?? (isPositive(curvature) ? 0 : 1),
    probes: Math.max(2, options.probes ?? 30),
    steps: options.steps ?? 80,
    memoryBytes: options.memoryBytes ?? 2 ** 31,
    seed: options.seed ?? 0,
  }
}
