import { compile } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { grad } from 'evolute/transforms'
import { adam } from './adam.js'
import { batchOf, type Digits, initialWeights, network, type Weights } from './digitNetwork.js'

export interface TrainingOptions {
  /** Width of each layer, from the pixels to the classes. */
  readonly sizes: readonly number[]
  readonly steps: number
  /** Of Adam; falls linearly to 0. Default 3e-3. */
  readonly rate?: number
  /** Examples of a step. Default 128. */
  readonly batch?: number
  readonly seed: string
  readonly activation?: (x: Tensor) => Tensor
  readonly onStep: (fraction: number) => Promise<void>
}

/** Float32 weights of a network that learned digits by Adam on the mean cross-entropy. */
export async function trainDigits(data: Digits, options: TrainingOptions): Promise<Weights> {
  const { sizes, steps, rate = 3e-3, batch = 128, seed, activation = np.relu, onStep } = options
  const random = new Random(seed)
  const weights = initialWeights(random, sizes)
  const gradient = await compile(
    grad((weights: Weights, { images, labels }: Digits) =>
      np.crossEntropy(network(weights, images, activation), labels),
    ),
  )
  const update = adam(weights)
  for (let step = 0; step < steps; step++) {
    if (step % 50 === 0) await onStep(step / steps)
    update(await gradient(weights, batchOf(data, random, batch)), rate * (1 - step / steps))
  }
  return weights
}
