import {
  lossFisher,
  lossGaussNewton,
  lossHessian,
  type OperatorOptions,
  type SymmetricCurvature,
} from '../operators/index.js'
import type { Problem } from '../problem.js'

/**
 * The matrices that an analysis can be of:
 * - `hessian`: second derivatives of the loss;
 * - `ggn`: the Gauss-Newton matrix J^T L J, the Hessian's positive part;
 * - `fisher`: the Fisher information, targets averaged over the model's own distribution;
 * - `empirical`: the mean of g g^T, g the gradients of single samples.
 */
export const curvatureKinds = ['hessian', 'ggn', 'fisher', 'empirical'] as const
export type CurvatureKind = (typeof curvatureKinds)[number]

/** Whether a matrix of that kind has no negative eigenvalues. */
export const isPositive = (kind: CurvatureKind) => kind !== 'hessian'

/** @throws for an unknown kind, and where the matrix is zero whatever the model. */
export function curvatureOf(
  kind: CurvatureKind,
  problem: Problem,
  options: OperatorOptions,
): Promise<SymmetricCurvature> {
  switch (kind) {
    case 'hessian':
      return lossHessian(problem, options)
    case 'ggn':
      if (problem.loss.name === 'nll')
        throw new Error(
          'curvature: the loss nll is linear in the outputs, so its Gauss-Newton matrix is zero; ' +
            'fisher is what ggn is for cross-entropy',
        )
      return lossGaussNewton(problem, options)
    case 'fisher':
      return lossFisher(problem, { ...options, kind: 'exact' })
    case 'empirical':
      return lossFisher(problem, { ...options, kind: 'empirical' })
    default:
      throw new Error(`curvature: got ${JSON.stringify(kind)}, expected one of ${curvatureKinds.join(', ')}`)
  }
}
