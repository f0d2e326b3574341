import type { LinearOperator } from '../operators/operator.js'
import { dot } from '../vector.js'
import { type SampledEstimate, type SampledOptions, sampledMean } from './sampling.js'

/**
 * tr A = E[z^T A z], the mean over random sign vectors z (Hutchinson 1990), each one product; 100 by default. The
 * variance of one sample of a symmetric A is 2 (|A|_F^2 - |diag A|^2).
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export function hutchinsonTrace(
  operator: LinearOperator,
  options: SampledOptions = {},
): Promise<SampledEstimate> {
  return sampledMean(operator, options, 'hutchinsonTrace', dot)
}
