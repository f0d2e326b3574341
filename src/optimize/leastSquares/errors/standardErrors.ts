import { inverseDiagonal } from '../../sparse/inverseDiagonal.js'
import type { LeastSquaresResult } from '../leastSquares.js'
import type { LeastSquaresModel } from '../model.js'
import { undeterminedOf } from '../sparse/scaledNormal.js'
import type { SparseModel } from '../sparse/sparseModel.js'
import { type UncertaintyOptions, uncertainty } from './uncertainty.js'

/**
 * The standard errors that {@link uncertainty} gives, without the covariances between parameters: for results with a
 * sparse Jacobian from its sparse factors, at about the cost of one step, whatever the number of parameters.
 * @throws for matrix-free results, whose errors are not known.
 */
export function standardErrors(
  result: LeastSquaresResult<unknown>,
  { absolute = false }: Pick<UncertaintyOptions, 'absolute'> = {},
): Float64Array {
  const { model, value } = result
  if (!isSparse(model)) return uncertainty(result, { absolute }).standardErrors
  const { normal } = model
  const variance = absolute ? 1 : (2 * value) / (model.residual.length - normal.rank)
  const errors = inverseDiagonal(normal.factor).map(
    (inverse, j) => Math.sqrt(variance * inverse) / normal.lengths[j]!,
  )
  for (const j of undeterminedOf(normal)) errors[j] = Number.POSITIVE_INFINITY
  return errors
}

const isSparse = (model: LeastSquaresModel): model is SparseModel => 'normal' in model
