import type { LinearOperator } from '../operators/operator.js'
import { type Progress, requireCount } from '../products.js'
import { type Checkpoint, requireSameRun } from '../resume.js'
import { axpy, dot } from '../vector.js'
import {
  beginProbes,
  type Estimate,
  type EstimatorOptions,
  meanAndError,
  type ProbeOptions,
  takeProbes,
} from './estimator.js'
import type { SampledEstimate } from './sampling.js'
import { emptySketch, extendSketch, type Sketch, sketchTrace } from './sketch.js'

export interface HutchPlusPlusCheckpoint extends Checkpoint {
  readonly sketch: Sketch
  readonly samples: Float64Array
}

export interface HutchPlusPlusOptions
  extends ProbeOptions,
    EstimatorOptions<HutchPlusPlusCheckpoint, Progress & Partial<Estimate>> {
  /** Random vectors that find the largest part of A, two products each. Default as many as `probes`, at most n. */
  readonly sketch?: number
}

/**
 * tr A = tr(Q^T A Q) + E[z^T P A P z] with P = I - Q Q^T, for Q an orthonormal basis of the images of `sketch` random
 * normal vectors and z random sign vectors (Meyer, Musco, Musco, Woodruff, Hutch++: optimal stochastic trace estimation, 2021,
 * algorithm 1). 33 of each by default: 99 products. Only the second part has an error, which is that of its samples.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function hutchPlusPlusTrace(
  operator: LinearOperator,
  options: HutchPlusPlusOptions = {},
): Promise<SampledEstimate> {
  const where = 'hutchPlusPlusTrace'
  const { n, plan, products, random, ...begun } = beginProbes(operator, options, where, 33)
  const { checkpoint, onStep, onCheckpoint } = options
  const size = Math.min(options.sketch ?? plan.first, n)
  requireCount(size, 'sketch', where)
  const run = { ...begun.run, sketch: size }
  requireSameRun(checkpoint, run, where)
  const streams = (name: string, from: number, count: number) =>
    Array.from({ length: count }, (_, i) => random.split(name).split(from + i))
  const samples = [...(checkpoint?.samples ?? [])]
  let sketch = checkpoint?.sketch ?? emptySketch
  const step = (estimate?: Estimate) => {
    onCheckpoint?.({ run, products: products.count, sketch, samples: Float64Array.from(samples) })
    onStep?.({ done: sketch.basis.length + samples.length, total: size + plan.most, ...estimate })
  }

  while (sketch.basis.length < size && sketch.remainder === undefined) {
    const done = sketch.basis.length
    const tests = streams('sketch', done, Math.min(plan.block, size - done)).map((stream) =>
      stream.normals(n),
    )
    sketch = await extendSketch(products, operator, sketch, tests)
    step()
  }
  const inRange = sketchTrace(sketch)
  const sampler = {
    get done() {
      return samples.length
    },
    async take(count: number) {
      const vectors = streams('probes', samples.length, count).map((stream) => stream.rademacher(n))
      for (const z of vectors) for (const q of sketch.basis) axpy(-dot(q, z), q, z)
      const images = await products.apply(vectors)
      vectors.forEach((z, i) => {
        samples.push(inRange + dot(z, images.subarray(i * n, (i + 1) * n)))
      })
      step(meanAndError(samples))
    },
    estimate: () => meanAndError(samples),
  }
  const converged = await takeProbes(plan, sampler)
  return {
    ...meanAndError(samples),
    samples: Float64Array.from(samples),
    products: products.count,
    converged,
  }
}
