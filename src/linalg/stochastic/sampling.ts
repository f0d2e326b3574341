import type { LinearOperator } from '../operators/operator.js'
import type { Progress } from '../products.js'
import type { Checkpoint } from '../resume.js'
import {
  beginProbes,
  type Estimate,
  type EstimatorOptions,
  meanAndError,
  type ProbeOptions,
  takeProbes,
} from './estimator.js'

/** A mean over probes, so far. */
export interface SampledCheckpoint extends Checkpoint {
  readonly samples: Float64Array
}

export interface SampledOptions
  extends ProbeOptions,
    EstimatorOptions<SampledCheckpoint, Progress & Estimate> {}

export interface SampledEstimate extends Estimate {
  /** Each probe's own unbiased estimate; of the square for a norm. */
  readonly samples: Float64Array
  readonly products: number
  /** Whether the tolerance was met; true where none was asked for. */
  readonly converged: boolean
}

/**
 * The mean of sample(z, A z) over random sign vectors z, of which number i is the same whatever the other options; or
 * what `transform` makes of it and its error.
 */
export async function sampledMean(
  operator: LinearOperator,
  options: SampledOptions,
  where: string,
  sample: (z: Float64Array, image: Float64Array) => number,
  transform: (mean: Estimate) => Estimate = (mean) => mean,
): Promise<SampledEstimate> {
  const { n, plan, run, products, random } = beginProbes(operator, options, where)
  const { checkpoint, onStep, onCheckpoint } = options
  const samples = [...(checkpoint?.samples ?? [])]
  const estimate = () => transform(meanAndError(samples))
  const sampler = {
    get done() {
      return samples.length
    },
    async take(count: number) {
      const vectors = Array.from({ length: count }, (_, i) => random.split(samples.length + i).rademacher(n))
      const images = await products.apply(vectors)
      vectors.forEach((z, i) => {
        samples.push(sample(z, images.subarray(i * n, (i + 1) * n)))
      })
      onCheckpoint?.({ run, products: products.count, samples: Float64Array.from(samples) })
    },
    estimate,
  }
  const converged = await takeProbes(plan, sampler, (progress) => onStep?.({ ...progress, ...estimate() }))
  return {
    ...estimate(),
    samples: Float64Array.from(samples),
    products: products.count,
    converged,
  }
}
