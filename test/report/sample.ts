import type { CurvatureReport } from '../../src/curvature/analysis/report.js'

/** A made-up report of realistic shape: a bulk at zero and nine outliers, each broadened by a Gaussian. */
export function sampleReport(): CurvatureReport {
  const parameters = 25_450
  const values = [
    41.2374, 29.871, 24.113, 19.44, 17.02, 13.91, 12.206, 9.874, 8.431, 3.912, 3.601, 3.377, 3.184, 3.02,
    2.891,
  ]
  const [low, high, sigma] = [-2.4, 43.5, 0.3]
  const grid = Array.from({ length: 1024 }, (_, i) => low + ((high - low) * i) / 1023)
  const gauss = (x: number, s: number) => Math.exp(-0.5 * (x / s) ** 2) / (s * Math.sqrt(2 * Math.PI))
  return {
    model: { name: 'digits.onnx', inputs: 'image: float32[batch, 784]', opset: 17 },
    data: { samples: 1000, batch: 250 },
    lossName: 'cross-entropy',
    parameters,
    loss: 0.08731942,
    accuracy: 0.974,
    eigenvalues: values.map((value, i) => ({ value, residual: 3.1e-6 * 1.9 ** i })),
    trace: { estimate: 316.42, standardError: 6.31 },
    density: {
      grid,
      values: grid.map((x) => {
        const centre = 0.93 * gauss(x, sigma) + 0.06 * gauss(x - 0.5, 0.55) + 0.004 * gauss(x - 1.3, 0.75)
        const outer = values.reduce((sum, value) => sum + gauss(x - value, sigma), 0) / parameters
        return centre + outer
      }),
    },
    cost: { gradientSeconds: 0.00412, productSeconds: 0.00437, products: 1380 },
    seed: 1,
    converged: true,
    notes: [
      'Relu is differentiated with slope 0 at 0.',
      'Parameters and products are float32; Lanczos ran in float64.',
    ],
  }
}
