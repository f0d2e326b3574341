import { compile, type OnnxOptions } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { forecast } from 'evolute/program'
import { trace } from 'evolute/transforms'
import { optimize } from '../../src/ops/optimize.js'
import type { Laplacian } from './laplacians.js'
import type { Problem } from './problem.js'
import { ballPoints, randomAxes } from './sampling.js'
import { trainerOf } from './training.js'

/** The first step of a training over and over at 100 points, to be timed; it is compiled when it first runs. */
export function firstStep(problem: Problem, by: Laplacian, samples: number, onnx: OnnxOptions = {}) {
  const { dimension } = problem
  const random = new Random(0)
  const { start, step } = trainerOf(problem, by, random)
  const axes = randomAxes(random, samples, dimension)
  const rate = np.full([], 1e-3, { dtype: 'float32' })
  const args = [start, ballPoints(random, 100, dimension), axes, rate] as const
  const compiled = compile(step, { engine: 'onnx', ...onnx })
  return {
    /** Forecast of the memory of the step, bytes. */
    peakBytes: forecast(optimize(trace(step, ...args).program)).peakBytes,
    run: () => compiled(...args),
  }
}
