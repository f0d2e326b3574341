import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { hvp } from '../../transforms/index.js'
import type { FlatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import { type OperatorOptions, type SymmetricCurvature, symmetricCurvature } from './curvatureOperator.js'

/**
 * The Hessian of (1/N) sum_i loss(model(theta, x_i), y_i) in the parameters theta, laid out as one vector. The gradient's
 * program is linearised at theta: what does not depend on the direction (forward and backward pass) is computed once for
 * each batch and kept where memory allows, so that a product costs about one gradient.
 * @throws when the budget holds not even one sample; when there are no parameters.
 */
export function lossHessian(problem: Problem, options: OperatorOptions = {}): Promise<SymmetricCurvature> {
  return symmetricCurvature('lossHessian', problem, options, (flat) => ({
    direction: flat.theta.shape,
    product: (theta, [x, y, w], v) =>
      hvp((vector: Tensor) => weightedLoss(flat, vector, x!, y!, w!))(theta, v),
  }))
}

/** sum_i w_i loss_i of a batch. */
export function weightedLoss(
  { apply, loss }: FlatProblem,
  theta: Tensor,
  x: Tensor,
  y: Tensor,
  w: Tensor,
): Tensor {
  return np.sum(np.multiply(loss.perSample(apply(theta, x), y), w))
}
