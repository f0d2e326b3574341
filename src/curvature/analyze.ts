import { checkSymmetric, hutchinsonTrace, spectralDensity, topEigenpairs } from '../linalg/index.js'
import { checkProblem } from './check.js'
import { describePlan, lossAndGradient, lossHessian, type OperatorOptions } from './operators/index.js'
import type { Problem } from './problem.js'
import type { CurvatureReport } from './report.js'

export interface AnalyzeOptions extends Omit<OperatorOptions, 'onStep' | 'moves'> {
  /** Eigenvalues wanted, the largest ones; at most the number of parameters. Default 10. */
  readonly top?: number
  /** Random probes of the trace. Default 30. */
  readonly probes?: number
  /** Lanczos steps for each start of the density. Default 80. */
  readonly steps?: number
  readonly seed?: number
  /** Called as work goes on, with the stage's name and the fraction of it that is done. */
  readonly onStep?: (progress: { readonly stage: string; readonly fraction: number }) => void
}

/** What {@link analyze} measures; the caller adds names of model and files. */
export type Measured = Omit<CurvatureReport, 'model'>

/**
 * Random starts of the density: its error falls with the square root of starts times parameters, so that large
 * models need few; 2 give a standard error.
 */
function densityStarts(parameters: number): number {
  return Math.min(10, Math.max(2, Math.ceil(20_000 / parameters)))
}

/**
 * The curvature of a mean loss at the model's parameters: loss and accuracy, the largest eigenvalues of the
 * Hessian with their residuals, its trace with a standard error, its spectral density, and what a product
 * with it costs.
 */
export async function analyze(problem: Problem, options: AnalyzeOptions = {}): Promise<Measured> {
  const { probes = 30, steps = 80, seed = 0, signal, onStep } = options
  const stage =
    (name: string) =>
    ({ done, total }: { done: number; total: number }) =>
      onStep?.({ stage: name, fraction: done / Math.max(1, total) })
  const common = { seed, ...(signal && { signal }) }
  const remarks = await checkProblem(problem)
  stage('loss and gradient')({ done: 0, total: 1 })
  const hessian = await lossHessian(problem, { ...options, onStep: stage('linearising') })
  try {
    const point = await lossAndGradient(problem, {
      batch: hessian.plan.batch,
      precision: hessian.dtype,
      ...(options.parameters && { parameters: options.parameters }),
      ...(signal && { signal }),
    })
    const n = hessian.rows
    const float64 = hessian.dtype === 'float64'
    const symmetry = await checkSymmetric(hessian, common)
    const eigen = await topEigenpairs(hessian, {
      ...common,
      count: Math.min(options.top ?? 10, n),
      tolerance: float64 ? 1e-8 : 1e-5,
      onStep: stage('eigenvalues'),
    })
    const trace = await hutchinsonTrace(hessian, {
      ...common,
      probes: Math.max(2, probes),
      onStep: stage('trace'),
    })
    const density = await spectralDensity(hessian, {
      ...common,
      probes: densityStarts(n),
      steps: Math.min(steps, n),
      onStep: stage('spectral density'),
    })
    const time = hessian.productTime()
    const notes = [
      `Computed in ${hessian.dtype}: ${describePlan(hessian.plan)}.`,
      ...(eigen.converged ? [] : [`Eigenvalues: ${eigen.message}`]),
      ...(symmetry.deterministic
        ? []
        : [
            `The same product came out different by ${symmetry.relativeDifference.toExponential(1)} the second time: the model is not deterministic.`,
          ]),
      ...(symmetry.relativeAsymmetry < (float64 ? 1e-8 : 1e-3)
        ? []
        : [
            `The Hessian is not symmetric (${symmetry.relativeAsymmetry.toExponential(1)} relative): a kink or a loss of digits.`,
          ]),
      ...remarks,
    ]
    return {
      data: {
        samples: hessian.samples,
        batch: hessian.plan.batch,
      },
      lossName: problem.loss.name,
      parameters: n,
      loss: point.loss,
      accuracy: point.accuracy,
      eigenvalues: [...eigen.eigenvalues],
      trace: { estimate: trace.estimate, standardError: trace.standardError },
      density: { grid: [...density.grid], values: [...density.values] },
      cost: {
        gradientSeconds: point.seconds,
        productSeconds: time.seconds,
        products: time.products,
      },
      seed,
      converged: eigen.converged,
      notes,
    }
  } finally {
    await hessian.dispose()
  }
}
