import { Random } from '../../linalg/random.js'
import * as np from '../../numpy/index.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { grad, hvp, linearize, vjp } from '../../transforms/index.js'
import type { Noise } from '../loss.js'
import { type FlatProblem, outputShape } from '../parameters.js'
import type { Problem } from '../problem.js'
import { type OperatorOptions, type SymmetricCurvature, symmetricCurvature } from './curvatureOperator.js'

/**
 * The Gauss-Newton matrix (1/N) sum_i J_i^T L_i J_i: J_i is the Jacobian of the model's outputs for sample i and L_i the
 * Hessian of its loss in the outputs (Schraudolph 2002). Positive semidefinite where the loss is convex in the outputs;
 * equal to the Hessian where the model is linear or fits exactly; zero for `nll`, whose loss is linear in them.
 */
export function lossGaussNewton(
  problem: Problem,
  options: OperatorOptions = {},
): Promise<SymmetricCurvature> {
  return sandwich('lossGaussNewton', problem, options, ({ loss }) => ({
    product: (outputs, [y], u) => hvp((f: Tensor) => np.sum(loss.perSample(f, y!)))(outputs, u),
  }))
}

export interface FisherOptions extends OperatorOptions {
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

/**
 * The Fisher information (1/N) sum_i E[g g^T], g the gradient of sample i's loss, -log p(y | x_i) up to scale, for a target
 * y drawn from the model (Amari 1998; Martens 2020). For `cross-entropy`, `mse` and `binary-cross-entropy` the exact one
 * is the Gauss-Newton matrix; `mse` is read as a normal law with the variance that makes it so.
 */
export function lossFisher(problem: Problem, options: FisherOptions): Promise<SymmetricCurvature> {
  const { kind, draws = 1, seed = 0 } = options
  if (kind === 'exact')
    return sandwich('lossFisher', problem, options, ({ loss }) => ({
      product: (outputs, _, u) => loss.fisher(outputs, u),
    }))
  if (kind === 'empirical')
    return sandwich('lossFisher', problem, options, ({ loss }) => ({
      product: (outputs, [y], u) => outer(grad((f: Tensor) => np.sum(loss.perSample(f, y!)))(outputs), u),
    }))
  if (kind !== 'monte-carlo')
    throw new Error(`lossFisher: kind is ${kind}, expected 'exact', 'monte-carlo' or 'empirical'`)
  if (!Number.isInteger(draws) || draws < 1)
    throw new Error(`lossFisher: draws is ${draws}, expected an integer >= 1`)
  return sandwich('lossFisher', problem, options, ({ loss, dtype }, shape) => {
    const random = new Random(seed).split('fisher')
    return {
      noise: (index) =>
        Array.from({ length: draws }, (_, i) =>
          drawn(loss.noise, shape, dtype, random.split(index).split(i)),
        ),
      product: (outputs, [, ...noise], u) =>
        noise
          .map((z) => np.divide(outer(loss.score(outputs, z), u), draws))
          .reduce((sum, term) => np.add(sum, term)),
    }
  })
}

/** A matrix in the space of a batch's outputs, block-diagonal over the samples. */
interface OutputMap {
  /** M u from outputs [batch, ...], the targets and the noise. */
  readonly product: (outputs: Tensor, data: readonly Tensor[], u: Tensor) => Tensor
  readonly noise?: (batch: number) => readonly Tensor[]
}

/** J^T M J, summed over the samples: the products of all positive semidefinite curvatures. */
function sandwich(
  where: string,
  problem: Problem,
  options: OperatorOptions,
  mapOf: (problem: FlatProblem, outputs: Shape) => OutputMap,
): Promise<SymmetricCurvature> {
  return symmetricCurvature(where, problem, options, (flat, batch) => {
    const { product, noise } = mapOf(flat, outputShape(flat, batch))
    return {
      direction: flat.theta.shape,
      ...(noise && { extra: noise }),
      product(theta, [x, y, w, ...z], v) {
        const model = (vector: Tensor) => flat.apply(vector, x!)
        const [outputs, push] = linearize(model, theta)
        const [, pull] = vjp(model, theta)
        const weights = np.reshape(w!, [batch, ...outputs.shape.slice(1).map(() => 1)])
        return pull(np.multiply(product(outputs, [y!, ...z], push(v)), weights))[0] as Tensor
      },
    }
  })
}

/** s (s . u) for each sample. */
function outer(s: Tensor, u: Tensor): Tensor {
  const axes = s.shape.map((_, axis) => axis).slice(1)
  return np.multiply(s, np.sum(np.multiply(s, u), { axis: axes, keepdims: true }))
}

function drawn(noise: Noise, shape: Shape, dtype: 'float32' | 'float64', random: Random): Tensor {
  const draw = {
    normal: () => random.normal(),
    uniform: () => random.uniform(),
    gumbel: () => -Math.log(-Math.log(random.uniform() || Number.MIN_VALUE)),
  }[noise]
  return castTensor(new Tensor(Float64Array.from({ length: sizeOf(shape) }, draw), shape), dtype)
}
