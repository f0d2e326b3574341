import type { LinearOperator } from '../operators/operator.js'
import { dot } from '../vector.js'
import { type SampledEstimate, type SampledOptions, sampledMean } from './sampling.js'

/**
 * |A|_F by |A|_F^2 = E |A z|^2 over random sign vectors z, each one product; 100 by default. The mean of `samples` is
 * unbiased for the square; the standard error of the root is that of the square over 2 |A|_F, to first order.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export function frobeniusNorm(
  operator: LinearOperator,
  options: SampledOptions = {},
): Promise<SampledEstimate> {
  return sampledMean(
    operator,
    options,
    'frobeniusNorm',
    (_, image) => dot(image, image),
    (square) => {
      const estimate = Math.sqrt(square.estimate)
      return { estimate, standardError: estimate === 0 ? 0 : square.standardError / (2 * estimate) }
    },
  )
}
