import { requireCount } from '../../linalg/products.js'
import { Random } from '../../linalg/random.js'
import { allocate } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'

/** The problem with its samples in a random order, so that any consecutive ones are a random batch. */
export function shuffled(problem: Problem, seed = 0): Problem {
  const samples = problem.inputs.shape[0]!
  const order = new Random(seed).split('shuffled').permutation(samples)
  return { ...problem, inputs: ordered(problem.inputs, order), targets: ordered(problem.targets, order) }
}

function ordered(x: Tensor, order: Int32Array): Tensor {
  const length = x.size / order.length
  const data = allocate(x.dtype, x.size)
  order.forEach((from, to) => {
    data.set(x.data.subarray(from * length, (from + 1) * length), to * length)
  })
  return new Tensor(data, x.shape)
}

/**
 * B / (1 - B / N): the batch drawn with replacement whose mean scatters like that of `batch` of `samples` drawn without.
 * A mean over all samples does not scatter: infinite.
 */
export function effectiveBatch(batch: number, samples: number): number {
  requireCount(batch, 'batch', 'effectiveBatch', 1, samples)
  return batch === samples ? Number.POSITIVE_INFINITY : batch / (1 - batch / samples)
}

/** @throws unless the problem fits, and there are at least two batches of `batch` among the samples, so that something can scatter. */
export function requireBatches(problem: Problem, batch: number, where: string): number {
  requireProblem(problem)
  const samples = problem.inputs.shape[0]!
  requireCount(samples, 'samples', where, 2)
  requireCount(batch, 'batch', where, 1, Math.floor(samples / 2))
  return samples
}
