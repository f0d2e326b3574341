import { Tensor } from '../../../tensor/tensor.js'
import { factorScaled, type ScaledFactors, undetermined } from '../dense/rank.js'
import type { LeastSquaresResult } from '../leastSquares.js'
import type { LeastSquaresModel } from '../model.js'
import { studentQuantile } from './student.js'

export interface UncertaintyOptions {
  /** The probability of intervals. Default 0.95. */
  readonly level?: number
  /** Whether `sigma` or `covariance` are the errors themselves rather than up to a factor that the residuals tell. */
  readonly absolute?: boolean
}

/** What the residuals say of the errors of parameters, as if the model were linear near the result. */
export interface Uncertainty {
  readonly names: readonly string[]
  /** The covariance of the parameters, [n, n]; NaN in rows and columns of undetermined ones. */
  readonly covariance: Tensor
  readonly standardErrors: Float64Array
  /** Correlations of the parameters, [n, n]. */
  readonly correlation: Tensor
  readonly intervals: readonly (readonly [lower: number, upper: number])[]
  readonly level: number
  /** The square of residuals in units of sigma (after a robust loss), summed. */
  readonly residualSumOfSquares: number
  readonly degreesOfFreedom: number
  /** The factor that residuals are larger than `sigma`: the residual standard deviation where none was given. */
  readonly residualStandardDeviation: number
}

/**
 * Covariance s^2 (J^T J)^-1 of the parameters of a least-squares result, s^2 = residualSumOfSquares / degreesOfFreedom,
 * and intervals of Student's t (Seber and Wild 1989, section 5.1). With a robust loss J holds its weights. Parameters that
 * the data do not determine have infinite standard errors; without degrees of freedom all are NaN.
 * @throws when the result is none of dense least squares, and when the level is not between 0 and 1.
 */
export function uncertainty(
  result: LeastSquaresResult<unknown>,
  { level = 0.95, absolute = false }: UncertaintyOptions = {},
): Uncertainty {
  if (!(level > 0 && level < 1))
    throw new Error(`level: got ${level}, expected a probability between 0 and 1`)
  if (!(result?.model?.columns instanceof Float64Array))
    throw new Error(
      'result: has no dense Jacobian, expected what leastSquares returns; of sparse problems standardErrors tells the errors',
    )
  const { names, values, value } = result
  const n = names.length
  const errors = errorsOf(result.model, value, absolute)
  const { covariance, standardErrors, degreesOfFreedom, variance } = errors
  const correlation = covariance.map(
    (c, k) => c / standardErrors[Math.floor(k / n)]! / standardErrors[k % n]!,
  )
  const t = studentQuantile(level, absolute ? Infinity : degreesOfFreedom)
  return {
    names,
    covariance: new Tensor(covariance, [n, n]),
    standardErrors,
    correlation: new Tensor(correlation, [n, n]),
    intervals: Array.from(
      values,
      (x, i) => [x - t * standardErrors[i]!, x + t * standardErrors[i]!] as const,
    ),
    level,
    residualSumOfSquares: 2 * value,
    degreesOfFreedom,
    residualStandardDeviation: Math.sqrt(variance),
  }
}

export interface Errors {
  /** Row by row. */
  readonly covariance: Float64Array
  readonly standardErrors: Float64Array
  readonly degreesOfFreedom: number
  /** That of residuals in units of sigma. */
  readonly variance: number
}

/** What {@link uncertainty} says, without intervals; `value` is half the sum of squares. */
export function errorsOf({ columns, residual }: LeastSquaresModel, value: number, absolute: boolean): Errors {
  const rows = residual.length
  const n = columns.length / rows
  const scaled = factorScaled(columns, rows)
  const degreesOfFreedom = rows - scaled.factors.rank
  const variance = (2 * value) / degreesOfFreedom
  const covariance = inverseOfNormal(scaled)
  const unknown = new Set(undetermined(scaled))
  const standardErrors = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * n + j
      covariance[at] =
        unknown.has(i) || unknown.has(j) ? Number.NaN : covariance[at]! * (absolute ? 1 : variance)
    }
    standardErrors[i] = unknown.has(i) ? Infinity : Math.sqrt(covariance[i * (n + 1)]!)
  }
  return { covariance, standardErrors, degreesOfFreedom, variance }
}

/** (J^T J)^-1 from J P = Q R: the rows of P R^-1 against each other; of determined parameters where the rank is short. */
function inverseOfNormal({ factors, lengths }: ScaledFactors): Float64Array {
  const { columns: n, r, order, rank } = factors
  const inverse = new Float64Array(n * n)
  for (let j = 0; j < rank; j++)
    for (let i = j; i >= 0; i--) {
      let rest = i === j ? 1 : 0
      for (let k = i + 1; k <= j; k++) rest -= r[k * n + i]! * inverse[order[k]! * n + j]!
      inverse[order[i]! * n + j] = rest / r[i * n + i]!
    }
  const covariance = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let k = 0; k < rank; k++) sum += inverse[i * n + k]! * inverse[j * n + k]!
      covariance[i * n + j] = sum / lengths[i]! / lengths[j]!
    }
  return covariance
}
