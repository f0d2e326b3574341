import { compileProgram } from '../../engines/index.js'
import * as np from '../../numpy/index.js'
import type { Program } from '../../program/program.js'
import type { Tensor } from '../../tensor/tensor.js'
import { trace, valueAndGrad } from '../../transforms/index.js'
import { type FlatProblem, flatProblem, type Selection } from '../parameters.js'
import { type Batch, batchesOf, type Problem } from '../problem.js'

/** The mean loss at a point and its gradient. */
export interface LossPoint {
  readonly loss: number
  readonly gradient: Float64Array
  /** Share of samples classified rightly; null where targets are values. */
  readonly accuracy: number | null
  /** Seconds of one gradient over all data, the median of those timed. */
  readonly seconds: number
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

/** Seconds that repetitions of the pass may take, to time it. */
const timing = 0.5

/**
 * The mean loss, its gradient in the chosen parameters and the accuracy over the data set, batch after batch.
 * @throws when the model gives other values when asked again, and when loss or gradient is not finite.
 */
export async function lossAndGradient(given: Problem, options: LossOptions = {}): Promise<LossPoint> {
  const { precision = 'float64', signal } = options
  const problem = flatProblem(given, precision, options.parameters)
  const samples = problem.inputs.shape[0]!
  const batches = batchesOf(problem, Math.min(options.batch ?? 256, samples))
  const run = await compileProgram(passProgram(problem, batches[0]!))
  try {
    await checkDeterministic(problem, batches[0]!)
    const sums = { gradient: new Float64Array(problem.theta.size), loss: 0, right: 0 }
    const times: number[] = []
    for (let pass = 0, spent = 0; pass < 9 && spent < timing; pass++) {
      const started = performance.now()
      for (const batch of batches) {
        signal?.throwIfAborted()
        const [gradient, loss, right] = await run.run([problem.theta, ...inputsOf(batch)])
        if (pass > 0) continue
        for (let i = 0; i < sums.gradient.length; i++)
          sums.gradient[i]! += (gradient!.data[i] as number) / samples
        sums.loss += loss!.item() / samples
        sums.right += right!.item()
      }
      times.push((performance.now() - started) / 1000)
      spent += times.at(-1)!
    }
    requireFinite(sums.loss, sums.gradient)
    return {
      loss: sums.loss,
      gradient: sums.gradient,
      accuracy: problem.loss.targets === 'classes' ? sums.right / samples : null,
      seconds: times.sort((a, b) => a - b)[times.length >> 1]!,
    }
  } finally {
    await run.dispose()
  }
}

/** (theta, x, y, w) to the gradient, the loss and the number of right answers of one weighted batch. */
function passProgram({ apply, loss, theta, dtype }: FlatProblem, batch: Batch): Program {
  const total = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    np.sum(np.multiply(loss.perSample(apply(vector, x), y), w))
  const right = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    loss.targets === 'classes'
      ? np.sum(np.where(np.equal(np.argmax(apply(vector, x), { axis: 1 }), y), w, 0))
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

/** Traces the model twice, as random numbers drawn in its code would show, and compares one batch's loss. */
async function checkDeterministic(problem: FlatProblem, batch: Batch): Promise<void> {
  const { apply, loss, theta } = problem
  const inputs = [theta, ...inputsOf(batch)] as [Tensor, Tensor, Tensor, Tensor]
  const once = async () => {
    const { program } = trace(
      (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
        np.sum(np.multiply(loss.perSample(apply(vector, x), y), w)),
      ...inputs,
    )
    const run = await compileProgram(program)
    const [total] = await run.run(inputs)
    await run.dispose()
    return total!.item()
  }
  const [first, second] = [await once(), await once()]
  const slack = (problem.dtype === 'float64' ? 1e-10 : 1e-5) * Math.abs(first)
  if (Math.abs(second - first) > slack)
    throw new Error(
      `the loss of the same batch came out as ${first}, then as ${second}: the model is not deterministic, so it has no ` +
        'curvature to measure; switch off dropout, and draw random numbers once, outside the model',
    )
}

function requireFinite(loss: number, gradient: Float64Array): void {
  if (!Number.isFinite(loss))
    throw new Error(`the loss is ${loss}; check the scale of the inputs and that the loss suits the outputs`)
  const bad = gradient.findIndex((g) => !Number.isFinite(g))
  if (bad >= 0)
    throw new Error(
      `the gradient is ${gradient[bad]} at parameter ${bad}; the model is not differentiable there`,
    )
}
