import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { batchSharpness } from '../../../src/curvature/stability/index.js'
import { curvatureTracker } from '../../../src/curvature/stability/tracker.js'
import { Tensor } from '../../../src/tensor/index.js'
import { denseEigenvalues } from '../../helpers/dense.js'
import { handGradient, handHessian, type TinyNetwork, tinyProblem } from '../../helpers/tinyNetwork.js'

const seed = 21
const { parameters, x, y, problem } = tinyProblem(seed)

/** The network whose parameters are this vector. */
function networkOf(theta: Float64Array): TinyNetwork {
  let at = 0
  const entries = Object.entries(parameters).map(([name, { shape, size }]) => {
    at += size
    return [name, new Tensor(theta.slice(at - size, at), shape)]
  })
  return Object.fromEntries(entries)
}

describe(`curvature along a training (seed ${seed})`, () => {
  test('is at every step what hand-written loops find there', async () => {
    const tracker = await curvatureTracker(problem, {
      every: 10,
      batch: 15,
      batches: 6,
      probes: 400,
      tolerance: 1e-6,
    })
    const theta = Float64Array.from(Object.values(parameters).flatMap(({ data }) => [...data]))
    for (let step = 0; step <= 20; step++) {
      const point = await tracker.onStep(step, networkOf(theta))
      const { gradient, loss } = handGradient(theta, x, y)
      if (step % 10 !== 0) expect(point).toBeNull()
      else {
        const hessian = new Matrix(handHessian(theta, x, y))
        const eigenvalues = denseEigenvalues(hessian)
        expect(point!.step).toBe(step)
        expect(point!.loss).toBeCloseTo(loss, 10)
        expect(point!.gradientNorm).toBeCloseTo(Math.hypot(...gradient), 10)
        expect(point!.sharpness.estimate).toBeCloseTo(eigenvalues[0]!, 5)
        const { estimate, standardError } = point!.trace
        expect(Math.abs(estimate - hessian.trace())).toBeLessThan(4 * standardError)
        const other = await batchSharpness(
          { ...problem, parameters: networkOf(theta) },
          { batch: 15, batches: 6 },
        )
        expect(point!.batchSharpness!.estimate).toBeCloseTo(other.estimate, 8)
      }
      for (let i = 0; i < theta.length; i++) theta[i]! -= 0.5 * gradient[i]!
    }
    expect(tracker.history.map(({ step }) => step)).toEqual([0, 10, 20])
    await tracker.dispose()
  })

  test('a count that is none is named', async () => {
    await expect(curvatureTracker(problem, { every: 0 })).rejects.toThrow('curvatureTracker: every is 0')
    await expect(curvatureTracker(problem, { probes: 1 })).rejects.toThrow('curvatureTracker: probes is 1')
  })
})
