import * as np from '../../../numpy/index.js'
import { Tensor } from '../../../tensor/tensor.js'
import { jacobian } from '../../../transforms/index.js'
import type { LeastSquaresResult } from '../leastSquares.js'
import { studentQuantile } from './student.js'
import { type UncertaintyOptions, uncertainty } from './uncertainty.js'

export interface BandOptions extends UncertaintyOptions {
  /** The standard deviation, in units of sigma, of the observations that the band is for. Default 0: of their mean. */
  readonly noise?: number | 'residual'
}

export interface Band {
  readonly value: Tensor
  readonly standardError: Tensor
  readonly lower: Tensor
  readonly upper: Tensor
}

/**
 * Any function of the parameters of a result with its error, by linear propagation J_f C J_f^T, and where it lies with
 * probability `level` at each element by itself. The model at other predictors makes confidence bands; with noise
 * `residual`, of the size that the residuals have, prediction bands of new observations.
 */
export function band<P>(
  result: LeastSquaresResult<P>,
  f: (parameters: P) => Tensor,
  { noise = 0, ...options }: BandOptions = {},
): Band {
  const { covariance, degreesOfFreedom, residualStandardDeviation, level } = uncertainty(result, options)
  const at = new Tensor(result.values)
  const of = (x: Tensor) => np.astype(f(result.parameters.tree(x)), 'float64')
  const value = of(at)
  const rows = np.reshape(jacobian(of)(at), [value.size, at.size])
  const variance = np.sum(np.multiply(np.matmul(rows, covariance), rows), { axis: 1 })
  const added = noise === 'residual' ? residualStandardDeviation : noise
  const standardError = np.reshape(np.sqrt(np.add(variance, added ** 2)), value.shape)
  const t = studentQuantile(level, options.absolute ? Infinity : degreesOfFreedom)
  const half = np.multiply(t, standardError)
  return { value, standardError, lower: np.subtract(value, half), upper: np.add(value, half) }
}
