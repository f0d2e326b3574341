import { requireCount } from '../../linalg/products.js'
import { Random } from '../../linalg/random.js'
import * as np from '../../numpy/index.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { grad } from '../../transforms/index.js'
import type { Loss, Noise } from '../loss.js'
import { type FlatProblem, outputShape } from '../parameters.js'

/** What a Fisher matrix is an average over. */
export interface FisherKind {
  /**
   * - `exact`: targets are averaged over the model's own distribution in closed form (type II);
   * - `monte-carlo`: over `draws` random targets for each sample, fixed by `seed`;
   * - `empirical`: the data's targets, (1/N) sum_i g_i g_i^T with the samples' gradients g_i.
   */
  readonly kind: 'exact' | 'monte-carlo' | 'empirical'
  /** Default 1. */
  readonly draws?: number
  readonly seed?: number
}

/** @throws unless the options name a Fisher matrix. */
export function requireFisherKind(where: string, options: FisherKind | undefined): void {
  const { kind, draws = 1 } = options ?? {}
  if (!kind || !['exact', 'monte-carlo', 'empirical'].includes(kind))
    throw new Error(`${where}: kind is ${kind}, expected 'exact', 'monte-carlo' or 'empirical'`)
  requireCount(draws, 'draws', where)
}

/** Vectors s_1, ..., s_k of each sample's outputs with sum_c s_c s_c^T its Fisher matrix: [k, batch, ...outputs]. */
export function scoresOf(
  loss: Loss,
  { kind, draws = 1 }: FisherKind,
): (outputs: Tensor, targets: Tensor, noise: readonly Tensor[]) => Tensor {
  if (kind === 'exact') return (outputs) => loss.fisherRoot(outputs)
  if (kind === 'empirical')
    return (outputs, targets) => {
      const gradient = grad((f: Tensor) => np.sum(loss.perSample(f, targets)))(outputs)
      return np.expandDims(gradient, 0)
    }
  return (outputs, _, noise) =>
    np.divide(np.stack(noise.map((z) => loss.score(outputs, z))), Math.sqrt(draws))
}

/** The noise of each batch of `samples` for `monte-carlo`, nothing else: the same whenever it is asked for. */
export function noiseOf(
  problem: FlatProblem,
  { kind, draws = 1, seed = 0 }: FisherKind,
  samples: number,
): (batch: number) => Tensor[] {
  if (kind !== 'monte-carlo') return () => []
  const { loss, dtype } = problem
  const shape = outputShape(problem, samples)
  const random = new Random(seed).split('fisher')
  return (batch) =>
    Array.from({ length: draws }, (_, i) => drawn(loss.noise, shape, dtype, random.split(batch).split(i)))
}

function drawn(noise: Noise, shape: Shape, dtype: 'float32' | 'float64', random: Random): Tensor {
  const draw = {
    normal: () => random.normal(),
    uniform: () => random.uniform(),
    gumbel: () => -Math.log(-Math.log(random.uniform() || Number.MIN_VALUE)),
  }[noise]
  return castTensor(new Tensor(Float64Array.from({ length: sizeOf(shape) }, draw), shape), dtype)
}
