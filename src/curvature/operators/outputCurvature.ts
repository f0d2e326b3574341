import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { hvp, linearize, vjp } from '../../transforms/index.js'
import type { FlatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import { type OperatorOptions, type SymmetricCurvature, symmetricCurvature } from './curvatureOperator.js'
import { type FisherKind, noiseOf, requireFisherKind, scoresOf } from './fisherScores.js'

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

export interface FisherOptions extends OperatorOptions, FisherKind {}

/**
 * The Fisher information (1/N) sum_i E[g g^T], g the gradient of sample i's loss, -log p(y | x_i) up to scale, for a target
 * y drawn from the model (Amari 1998; Martens 2020). For `cross-entropy`, `mse` and `binary-cross-entropy` the exact one
 * is the Gauss-Newton matrix; `mse` is read as a normal law with the variance that makes it so.
 */
export function lossFisher(problem: Problem, options: FisherOptions): Promise<SymmetricCurvature> {
  requireFisherKind('lossFisher', options)
  return sandwich('lossFisher', problem, options, (flat, batch) => ({
    noise: noiseOf(flat, options, batch),
    product(outputs, [targets, ...noise], u) {
      if (options.kind === 'exact') return flat.loss.fisher(outputs, u)
      const scores = scoresOf(flat.loss, options)(outputs, targets!, noise)
      const axes = outputs.shape.map((_, axis) => axis + 1).slice(1)
      const along = np.sum(np.multiply(scores, u), { axis: axes, keepdims: true })
      return np.sum(np.multiply(scores, along), { axis: 0 })
    },
  }))
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
  mapOf: (problem: FlatProblem, batch: number) => OutputMap,
): Promise<SymmetricCurvature> {
  return symmetricCurvature(where, problem, options, (flat, batch) => {
    const { product, noise } = mapOf(flat, batch)
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
