import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { beforeAll, describe, expect, test } from 'vitest'
import { analyze, losses, type Problem } from '../../src/curvature/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { ravel } from '../../src/transforms/index.js'
import { handHessian, sizes, tinyProblem } from '../helpers/tinyNetwork.js'

const seed = 3
const { parameters, x, y, problem } = tinyProblem(seed)
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array
let dense: Matrix
let eigenvalues: number[]

beforeAll(() => {
  const rows = handHessian(theta, x, y)
  dense = new Matrix(rows.map((row, i) => row.map((value, j) => (value + rows[j]![i]!) / 2)))
  eigenvalues = new EigenvalueDecomposition(dense, { assumeSymmetric: true }).realEigenvalues.sort(
    (a, b) => b - a,
  )
})

describe('analyze', () => {
  test('finds the eigenvalues of the dense Hessian to 1e-6, its trace within 3 standard errors and its density', async () => {
    const report = await analyze(problem, { top: 12, probes: 60, steps: theta.length, seed: 1 })
    expect(report.converged).toBe(true)
    report.eigenvalues.forEach(({ value, residual }, i) => {
      expect(Math.abs(value - eigenvalues[i]!)).toBeLessThan(1e-6 * eigenvalues[0]!)
      expect(residual).toBeLessThan(1e-6 * eigenvalues[0]!)
    })
    const trace = eigenvalues.reduce((sum, value) => sum + value, 0)
    expect(Math.abs(report.trace.estimate - trace)).toBeLessThan(3 * report.trace.standardError)
    const { grid, values } = report.density
    const spacing = grid[1]! - grid[0]!
    expect(values.reduce((sum, value) => sum + value * spacing, 0)).toBeCloseTo(1, 6)
    const mean = grid.reduce((sum, t, i) => sum + t * values[i]! * spacing, 0)
    expect(Math.abs(mean - trace / theta.length)).toBeLessThan(0.15 * Math.abs(trace / theta.length))
    // Both as histograms of 20 bins: the share of the spectrum that is in another bin.
    const bins = 20
    const [low, high] = [grid[0]!, grid.at(-1)!]
    const bin = (t: number) => Math.min(bins - 1, Math.floor(((t - low) / (high - low)) * bins))
    const difference = new Float64Array(bins)
    for (const value of eigenvalues) difference[bin(value)]! += 1 / eigenvalues.length
    for (const [i, t] of grid.entries()) difference[bin(t)]! -= values[i]! * spacing
    expect(difference.reduce((sum, d) => sum + Math.abs(d), 0)).toBeLessThan(0.25)
  })

  test('gives the same digits for the same seed', async () => {
    const [a, b] = [
      await analyze(problem, { seed: 5, probes: 5 }),
      await analyze(problem, { seed: 5, probes: 5 }),
    ]
    expect({ ...a, cost: null }).toEqual({ ...b, cost: null })
  })

  test('stops when asked to', async () => {
    const stop = new AbortController()
    const onStep = ({ stage }: { stage: string }) => stage === 'trace' && stop.abort(new Error('enough'))
    await expect(analyze(problem, { signal: stop.signal, onStep })).rejects.toThrow('enough')
  })

  test('has the Hessian of least squares, whose model is linear, in closed form', async () => {
    // (1/N) sum_i mean_k (x_i W - t_i)_k^2 has the Hessian (2 / (N K)) X^T X for each column of W.
    const weights = new Tensor(
      Float64Array.from({ length: 12 }, (_, i) => Math.cos(i)),
      [6, 2],
    )
    const targets = new Tensor(
      Float64Array.from({ length: 2 * sizes.samples }, (_, i) => Math.sin(i)),
      [sizes.samples, 2],
    )
    const { matmul } = await import('../../src/numpy/index.js')
    const linear: Problem = {
      parameters: weights,
      apply: (w, inputs) => matmul(inputs, w),
      loss: losses.mse!,
      inputs: x,
      targets,
    }
    const report = await analyze(linear, { top: 12, batch: 40 })
    const design = new Matrix(x.toArray() as number[][])
    const gram = design
      .transpose()
      .mmul(design)
      .mul(1 / sizes.samples)
    const expected = new EigenvalueDecomposition(gram).realEigenvalues
      .flatMap((value) => [value, value])
      .sort((a, b) => b - a)
    expect(report.accuracy).toBeNull()
    expect(report.eigenvalues.map(({ value }) => value)).toEqual(
      expected.map((value) => expect.closeTo(value, 8)),
    )
  })
})

describe('what analyze measures beside the dense Hessian', () => {
  test('the smallest eigenvalues, the log-determinant and the logarithmic density', async () => {
    const shift = 1 - eigenvalues.at(-1)!
    const report = await analyze(problem, { bottom: 3, logDeterminant: shift, seed: 2 })
    const smallest = report.smallest!.map(({ value }) => value)
    expect(smallest).toEqual(eigenvalues.slice(-3).map((value) => expect.closeTo(value, 6)))
    const exact = eigenvalues.reduce((sum, value) => sum + Math.log(value + shift), 0)
    const { estimate, standardError, quadratureChange } = report.logDeterminant!
    expect(Math.abs(estimate - exact)).toBeLessThan(3 * standardError + Math.abs(quadratureChange))
    expect(standardError).toBeLessThan(0.1 * Math.abs(exact))
    const { grid, values } = report.density.logarithmic!
    expect(values.reduce((sum, value) => sum + value, 0) * (grid[1]! - grid[0]!)).toBeCloseTo(1, 6)
    expect(grid.at(-1)!).toBeGreaterThan(Math.log10(eigenvalues[0]!))
  })

  test('the trace and the largest eigenvalue of each layer’s block', async () => {
    const report = await analyze(problem, { layers: true, seed: 4, probes: 60 })
    let from = 0
    for (const { name, parameters, trace, top } of report.layers!) {
      const block = dense.subMatrix(from, from + parameters - 1, from, from + parameters - 1)
      const own = new EigenvalueDecomposition(block, { assumeSymmetric: true }).realEigenvalues
      expect(Math.abs(trace.estimate - block.trace()), name).toBeLessThan(3.5 * trace.standardError)
      expect(Math.abs(top!.value - Math.max(...own)), name).toBeLessThan(1e-3 * eigenvalues[0]!)
      from += parameters
    }
    expect(from).toBe(theta.length)
    const sum = report.layers!.reduce((total, { trace }) => total + trace.estimate, 0)
    expect(sum).toBeCloseTo(report.trace.estimate, 10)
  })

  test('the trace by XTrace within its error, or to a wanted tolerance by either method', async () => {
    const exact = dense.trace()
    for (const traceMethod of ['xtrace', 'hutchinson'] as const) {
      const { trace } = await analyze(problem, { traceMethod, traceTolerance: 0.05, steps: 10, top: 2 })
      expect(trace.standardError).toBeLessThan(0.05 * Math.abs(trace.estimate))
      expect(Math.abs(trace.estimate - exact)).toBeLessThan(4 * trace.standardError)
    }
  })

  test('other matrices: the Gauss-Newton matrix and both Fisher matrices have no negative eigenvalues', async () => {
    const quick = { top: 3, bottom: 1, steps: 81, probes: 4 }
    const [ggn, fisher, empirical] = [
      await analyze(problem, { ...quick, curvature: 'ggn' }),
      await analyze(problem, { ...quick, curvature: 'fisher' }),
      await analyze(problem, { ...quick, curvature: 'empirical' }),
    ]
    for (const report of [ggn, fisher, empirical]) expect(report.smallest![0]!.value).toBeGreaterThan(-1e-8)
    // For cross-entropy the exact Fisher information is the Gauss-Newton matrix.
    expect(fisher.eigenvalues.map(({ value }) => value)).toEqual(
      ggn.eigenvalues.map(({ value }) => expect.closeTo(value, 8)),
    )
    expect(Math.abs(empirical.eigenvalues[0]!.value - ggn.eigenvalues[0]!.value)).toBeGreaterThan(0.1)
  })

  test('learning rates, noise, outputs and landscape where they are asked for', async () => {
    const report = await analyze(problem, {
      stability: true,
      activations: true,
      landscape: { points: 5, planePoints: 3 },
      top: 2,
      steps: 20,
      probes: 4,
    })
    expect(report.learningRate!.sharpness.estimate).toBe(report.eigenvalues[0]!.value)
    expect(report.learningRate!.points.at(-1)!.learningRate.estimate).toBeCloseTo(2 / eigenvalues[0]!, 6)
    expect(report.noise!.gradient).toBeCloseTo(report.gradientNorm! ** 2, 10)
    expect(report.activations!.map(({ outputs }) => outputs)).toEqual([sizes.hidden, sizes.classes])
    expect(report.landscape!.along).toBe('eigenvectors')
    expect(report.landscape!.slices[0]!.curvature).toBeCloseTo(eigenvalues[0]!, 6)
    expect(report.landscape!.plane!.loss[1]![1]).toBeCloseTo(report.loss, 10)
  })
})
