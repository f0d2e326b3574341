import type { Landscape } from '../landscape/index.js'
import type { LearningRateLaw, NoiseScale } from '../stability/index.js'
import type { CurvatureKind } from './curvatureKind.js'

/** A Ritz value with ||A v - value v|| for its unit vector v: some eigenvalue lies within that distance. */
export type EigenvalueReport = { value: number; residual: number }

/** An estimate and the standard deviation it would have over other seeds (NaN where it is unknown). */
export type EstimateReport = { estimate: number; standardError: number }

/** A density of integral one: `values[i]` at `grid[i]`, which ascends, with errors over the random starts. */
export type CurveReport = { grid: number[]; values: number[]; standardError?: number[] }

/** `logarithmic`: the density of log10(|eigenvalue| + floor). */
export type DensityReport = CurveReport & { logarithmic?: CurveReport; probes?: number; steps?: number }

/** log det(A + shift); `quadratureChange`: by how much half the Lanczos steps would change it. */
export type LogDeterminantReport = EstimateReport & { shift: number; quadratureChange: number }

/** The diagonal block of one parameter tensor. */
export type LayerReport = {
  name: string
  shape: number[]
  /** Its number of parameters. */
  parameters: number
  trace: EstimateReport
  /** The largest eigenvalue of the block, where it was asked for. */
  top?: EigenvalueReport
}

/** The curvature in a layer's outputs: the mean trace of a sample's loss over them. */
export type ActivationReport = { name: string; outputs: number; trace: EstimateReport }

/** What one stage of an analysis cost. */
export type StageReport = { stage: string; products: number; seconds: number }

/** What one curvature analysis found: plain data, from which the HTML page, the terminal text and the JSON are made. */
export type CurvatureReport = {
  /** `inputs` as a person reads them, for example `image: float32[batch, 1, 28, 28]`. */
  model: { name: string; inputs: string; opset?: number }
  /** `samples` used in all, `batch` of them in one run. */
  data: { samples: number; batch: number }
  lossName: string
  /** Which matrix; `hessian` where absent. */
  curvature?: CurvatureKind
  /** The number of scalar parameters, the order of the matrix. */
  parameters: number
  /** Mean loss over the samples. */
  loss: number
  /** |g|, the length of the gradient. */
  gradientNorm?: number
  /** Share of samples classified rightly, in [0, 1]; null where the task has no classes. */
  accuracy: number | null
  /** Largest first. */
  eigenvalues: EigenvalueReport[]
  /** The other end of the spectrum, smallest last. */
  smallest?: EigenvalueReport[]
  trace: EstimateReport & { method?: string }
  layers?: LayerReport[]
  activations?: ActivationReport[]
  density: DensityReport
  logDeterminant?: LogDeterminantReport
  learningRate?: LearningRateLaw
  noise?: NoiseScale
  landscape?: Landscape
  /** Seconds for one gradient and one product over the whole data, and the number of products in all. */
  cost: { gradientSeconds: number; productSeconds: number; products: number; stages?: StageReport[] }
  /** How memory is spent, as a sentence. */
  plan?: string
  seed: number
  /** Whether every eigenvalue reached the tolerance asked for. */
  converged: boolean
  /** Remarks for the reader, one sentence or more each. */
  notes: string[]
}

/** The report as the JSON object of `evolute analyze --json`; JSON.stringify writes what is not finite as null. */
export function toJson(report: CurvatureReport): CurvatureReport {
  const { parameters, loss, accuracy, eigenvalues, trace, density, cost, seed, ...rest } = report
  return structuredClone({ parameters, loss, accuracy, eigenvalues, trace, density, cost, seed, ...rest })
}
