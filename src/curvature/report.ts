/** What one curvature analysis found: plain data, from which the HTML page, the terminal text and the JSON are made. */
export type CurvatureReport = {
  /** `inputs` as a person reads them, for example `image: float32[batch, 1, 28, 28]`. */
  model: { name: string; inputs: string; opset?: number }
  /** `samples` used in all, `batch` of them in one run. */
  data: { samples: number; batch: number }
  lossName: string
  /** The number of scalar parameters, the order of the Hessian. */
  parameters: number
  /** Mean loss over the samples. */
  loss: number
  /** Share of samples classified rightly, in [0, 1]; null where the task has no classes. */
  accuracy: number | null
  /** Ritz values, largest first, with ||H v - value v|| for unit v: some eigenvalue lies within that distance. */
  eigenvalues: { value: number; residual: number }[]
  /** Hutchinson's estimate of the trace of the Hessian, and its standard error (NaN when one probe was used). */
  trace: { estimate: number; standardError: number }
  /** Spectral density, of integral one: `values[i]` at eigenvalue `grid[i]`; the grid ascends. */
  density: { grid: number[]; values: number[] }
  /** Seconds for one gradient and one Hessian product over the whole data, and the number of products in all. */
  cost: { gradientSeconds: number; productSeconds: number; products: number }
  seed: number
  /** Whether every eigenvalue reached the tolerance asked for. */
  converged: boolean
  /** Remarks for the reader, one sentence or more each. */
  notes: string[]
}

/** The part of a report that `evolute analyze --json` prints. */
export type CurvatureJson = Pick<
  CurvatureReport,
  'parameters' | 'loss' | 'accuracy' | 'eigenvalues' | 'trace' | 'density' | 'cost' | 'seed'
>

/** The report as the JSON object of `evolute analyze --json`; JSON.stringify writes what is not finite as null. */
export function toJson(report: CurvatureReport): CurvatureJson {
  const { parameters, loss, accuracy, trace, density, cost, seed } = report
  return {
    parameters,
    loss,
    accuracy,
    eigenvalues: report.eigenvalues.map(({ value, residual }) => ({ value, residual })),
    trace: { estimate: trace.estimate, standardError: trace.standardError },
    density: { grid: [...density.grid], values: [...density.values] },
    cost: {
      gradientSeconds: cost.gradientSeconds,
      productSeconds: cost.productSeconds,
      products: cost.products,
    },
    seed,
  }
}
