import { compileProgram } from '../../engines/index.js'
import { axpy, firstNotFinite, type Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import type { Program } from '../../program/program.js'
import type { Tensor } from '../../tensor/tensor.js'
import { trace, valueAndGrad } from '../../transforms/index.js'
import { shareRight } from '../loss.js'
import { type FlatProblem, flatProblem, type Selection } from '../parameters.js'
import { type Batch, batchesOf, type Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'
import { deterministic } from './deterministic.js'

/** The mean loss at a point and its gradient. */
export interface LossPoint {
  readonly loss: number
  readonly gradient: Float64Array
  /** Share of samples (and positions) classified rightly; null where targets are values. */
  readonly accuracy: number | null
}

export interface LossOptions {
  /** Samples in one run. Default 256. */
  readonly batch?: number
  /** Default float64. */
  readonly precision?: 'float32' | 'float64'
  /** The parameters of the gradient. Default all. */
  readonly parameters?: Selection
  readonly signal?: AbortSignal
}

const inputsOf = ({ inputs, targets, weights }: Batch): Tensor[] => [inputs, targets, weights]

/** Loss and gradient at any parameters, over all data or one batch. */
export interface LossPass {
  readonly problem: FlatProblem
  readonly batches: number
  /** Over all samples. @throws when loss or gradient is not finite. */
  run(theta: Tensor): Promise<LossPoint>
  /** The gradient of batch `index`, the mean over its samples. */
  gradientOf(theta: Tensor, index: number): Promise<Float64Array>
  dispose(): Promise<void>
}

/** Prepares a {@link LossPass}. @throws when the model is not deterministic. */
export async function lossPass(given: Problem, options: LossOptions = {}): Promise<LossPass> {
  const { precision = 'float64', signal } = options
  requireProblem(given)
  const problem = flatProblem(given, precision, options.parameters)
  const samples = problem.inputs.shape[0]!
  const size = Math.min(options.batch ?? 256, samples)
  const batches = batchesOf(problem, size)
  const run = await compileProgram(deterministic(() => passProgram(problem, batches[0]!)))
  const sums = async (theta: Tensor, some: readonly Batch[], count: number) => {
    const total = { gradient: new Float64Array(theta.size), loss: 0, right: 0 }
    for (const batch of some) {
      signal?.throwIfAborted()
      const [gradient, loss, right] = await run.run([theta, ...inputsOf(batch)])
      axpy(1 / count, gradient!.data as Vector, total.gradient)
      total.loss += loss!.item() / count
      total.right += right!.item() / count
    }
    return total
  }
  return {
    problem,
    batches: batches.length,
    async run(theta) {
      const { loss, gradient, right } = await sums(theta, batches, samples)
      requireFinite(loss, gradient)
      return { loss, gradient, accuracy: problem.loss.targets === 'classes' ? right : null }
    },
    gradientOf: async (theta, index) =>
      (await sums(theta, [batches[index]!], Math.min(size, samples - index * size))).gradient,
    dispose: () => run.dispose(),
  }
}

/**
 * The mean loss, its gradient in the chosen parameters and the accuracy over the data set, batch after batch.
 * @throws when the model is not deterministic, and when loss or gradient is not finite.
 */
export async function lossAndGradient(problem: Problem, options: LossOptions = {}): Promise<LossPoint> {
  const pass = await lossPass(problem, options)
  try {
    return await pass.run(pass.problem.theta)
  } finally {
    await pass.dispose()
  }
}

/** (theta, x, y, w) to the gradient, the loss and the number of right answers of one weighted batch. */
function passProgram({ apply, loss, theta, dtype }: FlatProblem, batch: Batch): Program {
  const total = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    np.sum(np.multiply(loss.perSample(apply(vector, x), y), w))
  const right = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    loss.targets === 'classes'
      ? np.sum(np.multiply(shareRight(apply(vector, x), y), w))
      : np.zeros([], { dtype })
  return trace(
    (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) => {
      const [value, gradient] = valueAndGrad(total)(vector, x, y, w)
      return [gradient, value, right(vector, x, y, w)]
    },
    theta,
    ...(inputsOf(batch) as [Tensor, Tensor, Tensor]),
  ).program
}

function requireFinite(loss: number, gradient: Float64Array): void {
  if (!Number.isFinite(loss))
    throw new Error(`the loss is ${loss}; check the scale of the inputs and that the loss suits the outputs`)
  const bad = firstNotFinite(gradient)
  if (bad >= 0)
    throw new Error(
      `the gradient is ${gradient[bad]} at parameter ${bad}; the model is not differentiable there`,
    )
}
