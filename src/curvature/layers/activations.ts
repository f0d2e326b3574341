import { requireCount } from '../../linalg/products.js'
import { Random } from '../../linalg/random.js'
import type { Resumable } from '../../linalg/resume.js'
import { meanAndError } from '../../linalg/stochastic/estimator.js'
import * as np from '../../numpy/index.js'
import { sizeOf } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { hvp, vmap } from '../../transforms/index.js'
import { type BatchSumsCheckpoint, type BatchSumsOptions, batchSums } from '../operators/batchSums.js'
import type { Precision } from '../operators/precision.js'
import type { Problem } from '../problem.js'
import { findLayers, modelProgram } from './find.js'
import { layerProblem } from './layerPass.js'
import { probeTypes, tapped } from './tapped.js'

export interface ActivationOptions extends BatchSumsOptions, Resumable<BatchSumsCheckpoint> {
  /** Random probes, at least 2. Default 10. */
  readonly probes?: number
  readonly seed?: number
  readonly precision?: Precision
}

/** The curvature of the loss in a layer's outputs. */
export interface ActivationCurvature {
  /** The name of the layer's weight. */
  readonly name: string
  /** Outputs of one sample, over all positions. */
  readonly size: number
  /** The mean over samples of the trace of the Hessian of a sample's loss in these outputs, and its standard error. */
  readonly trace: { readonly estimate: number; readonly standardError: number }
}

/**
 * The trace of the loss's Hessian with respect to each layer's outputs (before what follows them), the mean over samples:
 * what HAWQ-V2 (Dong et al. 2020, section 3.3) weighs the quantisation of activations by. Hutchinson's estimate; one random
 * vector probes all samples and layers at once, since samples do not meet and other layers' terms average to zero.
 */
export async function activationCurvature(
  problem: Problem,
  options: ActivationOptions = {},
): Promise<ActivationCurvature[]> {
  const where = 'activationCurvature'
  const { probes = 10, seed = 0 } = options
  requireCount(probes, 'probes', where, 2)
  const flat = layerProblem(problem, options.precision)
  const { layers } = findLayers(flat)
  const samples = flat.inputs.shape[0]!
  const random = new Random(seed).split('activations')
  const [sums] = await batchSums(
    where,
    flat,
    (batch) => {
      const program = modelProgram(flat, batch)
      const run = tapped(program, layers)
      const types = probeTypes(program, layers)
      const zeros = types.map(({ shape, dtype }) => np.zeros(shape, { dtype }))
      const signs = (index: number) =>
        types.map(({ shape, dtype }, i) => {
          const z = random
            .split(index)
            .split(i)
            .rademacher(probes * sizeOf(shape))
          return castTensor(new Tensor(z, [probes, ...shape]), dtype)
        })
      return {
        extra: signs,
        compute(theta, [x, y, w, ...z]) {
          const total = (taps: Tensor[]) =>
            np.sum(np.multiply(flat.loss.perSample(run(theta, x!, taps).outputs, y!), w!))
          const traces = (...v: Tensor[]) =>
            np.stack(hvp(total)(zeros, v).map((curved, i) => np.sum(np.multiply(curved, v[i]!))))
          return [vmap(traces)(...z)]
        },
      }
    },
    options,
  )
  const drawn = Array.from({ length: probes }, (_, probe) =>
    layers.map((_, i) => sums![probe * layers.length + i]! / samples),
  )
  const sizes = probeTypes(modelProgram(flat, 1), layers).map(({ shape }) => sizeOf(shape))
  return layers.map(({ name }, i) => ({
    name,
    size: sizes[i]!,
    trace: meanAndError(drawn.map((traces) => traces[i]!)),
  }))
}
