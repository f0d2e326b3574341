import { type Progress, requireCount } from '../../linalg/products.js'
import { type Estimate, meanAndError } from '../../linalg/stochastic/estimator.js'
import { dot } from '../../linalg/vector.js'
import { grad, hvp } from '../../transforms/index.js'
import type { Problem } from '../problem.js'
import { batchPass, type PassOptions } from './batchPass.js'
import { requireBatches, shuffled } from './sampling.js'

export interface BatchSharpnessOptions extends PassOptions {
  /** Random batches, without overlap; at least 2. Default 64, at most all. */
  readonly batches?: number
  readonly seed?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress & Estimate) => void
}

export interface BatchSharpness extends Estimate {
  /** Each batch's own curvature along its gradient. */
  readonly samples: Float64Array
}

/**
 * E[g_B^T H_B g_B / |g_B|^2] over random batches B: how strongly the loss of a batch curves along the step that the batch
 * itself asks for. Stochastic gradients with learning rate eta settle where it is 2 / eta, as gradient descent does
 * where the largest eigenvalue is (Andreyev and Beneventano 2024, arXiv 2412.20553). Each batch costs about a gradient
 * and a Hessian product. Batches without a gradient have no such direction and do not count.
 * @throws when fewer than two batches have a gradient.
 */
export async function batchSharpness(
  problem: Problem,
  options: BatchSharpnessOptions,
): Promise<BatchSharpness> {
  const { batch, batches = 64, seed = 0, signal, onStep } = options
  requireBatches(problem, batch, 'batchSharpness')
  requireCount(batches, 'batches', 'batchSharpness', 2)
  const pass = await batchPass(shuffled(problem, seed), options, (loss, theta) => {
    const gradient = grad(loss)(theta)
    return [gradient, hvp(loss)(theta, gradient)]
  })
  try {
    const total = Math.min(batches, pass.batches)
    const curvatures: number[] = []
    for (let i = 0; i < total; i++) {
      signal?.throwIfAborted()
      const [gradient, image] = (await pass.run(i)) as [Float64Array, Float64Array]
      const squared = dot(gradient, gradient)
      if (squared > 0) curvatures.push(dot(gradient, image) / squared)
      onStep?.({ done: i + 1, total, ...meanAndError(curvatures) })
    }
    if (curvatures.length < 2)
      throw new Error(
        `batchSharpness: ${curvatures.length} of ${total} batches have a gradient, expected at least 2; at a perfect fit there is no direction to measure along`,
      )
    return { ...meanAndError(curvatures), samples: Float64Array.from(curvatures) }
  } finally {
    await pass.dispose()
  }
}
