import { requireCount } from '../../linalg/products.js'
import { type Estimate, meanAndError } from '../../linalg/stochastic/estimator.js'
import { dot } from '../../linalg/vector.js'
import { grad, hvp } from '../../transforms/index.js'
import type { Problem } from '../problem.js'
import { type BatchMeasureOptions, measureBatches } from './batchMeasure.js'
import { batchPass, type PassOptions } from './batchPass.js'
import { requireBatches, shuffled } from './sampling.js'

export interface BatchSharpnessOptions extends PassOptions, BatchMeasureOptions {
  /** Random batches, without overlap; at least 2. Default 64, at most all. */
  readonly batches?: number
  readonly seed?: number
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
  const { batch, batches = 64, seed = 0 } = options
  const where = 'batchSharpness'
  const samples = requireBatches(problem, batch, where)
  requireCount(batches, 'batches', where, 2)
  const pass = await batchPass(shuffled(problem, seed), options, (loss, theta) => {
    const gradient = grad(loss)(theta)
    return [gradient, hvp(loss)(theta, gradient)]
  })
  try {
    const total = Math.min(batches, pass.batches)
    const { rows } = await measureBatches(
      { method: where, samples, batch, batches: total, seed },
      total,
      {
        whole: async () => new Float64Array(0),
        async rows(from) {
          const [gradient, image] = (await pass.run(from)) as [Float64Array, Float64Array]
          return [[dot(gradient, image), dot(gradient, gradient)]]
        },
      },
      options,
    )
    const curvatures = rows.flatMap(([along, squared]) => (squared! > 0 ? [along! / squared!] : []))
    if (curvatures.length < 2)
      throw new Error(
        `batchSharpness: ${curvatures.length} of ${total} batches have a gradient, expected at least 2; at a perfect fit there is no direction to measure along`,
      )
    return { ...meanAndError(curvatures), samples: Float64Array.from(curvatures) }
  } finally {
    await pass.dispose()
  }
}
