import { add, mul } from '../../ops/arithmetic.js'
import { showType, type Value } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import { rebuild } from '../call.js'
import { flattenValues, type Like, type TensorFunction } from '../stage.js'
import { collapsedJet } from '../taylor/collapsed.js'
import { type Operator, planOperator } from './operator.js'
import { denseJets, type Jets, type RandomSource, termJets } from './sample.js'

export interface DifferentialOptions {
  /**
   * - `exact` (the default): all terms.
   * - `sparse`: of each group of T terms that differ in the names of variables only, V without replacement, times T / V:
   *   unbiased, with variance (T^2 / V) (1 - V / T) S^2, S^2 the sample variance (divided by T - 1) of the terms' values.
   *   `samples` is shared out over the groups by their sizes, each getting at least one.
   * - `dense`: random directions. For sum_ij C_ij d_ij, the mean over V of the second derivatives along v with
   *   E v v^T = C, v = sum_r +-sqrt(w_r) l_r with random signs for C = sum_r w_r l_r l_r^T (negative w_r apart):
   *   unbiased, with variance (2 / V) sum_{r != s} (l_r^T H l_s)^2 w_r w_s, for the Laplacian
   *   (2 / V) sum_{i != j} H_ij^2. For the biharmonic (1/3) E d^4u[v^4] with v ~ N(0, I); the 1/3 has no factor of the
   *   dimension, unlike equation 88 of arXiv 2412.00088.
   */
  readonly estimator?: 'exact' | 'sparse' | 'dense'
  /** V; needed to sample. */
  readonly samples?: number
  /** The dimension D of x; by default the least that the operator's terms need. */
  readonly dimension?: number
  /** The highest order of a jet that the planner may use. Default 13. */
  readonly maxOrder?: number
}

export interface DifferentialOperator<R> {
  /** L f(x), or its estimate from a sample, which may be traced, so that a compiled program takes a new one each time. */
  (x: Like<Tensor>, sample?: readonly Jets[]): R
  /** Tangents and weights: all of them for `exact`, else drawn. */
  sample(random?: RandomSource, dtype?: DType): Jets[]
}

/**
 * A differential operator with constant coefficients applied to a function of one vector [D], with any result, by
 * collapsed jets that give each term exactly (see `planDerivative`), or by sampling (STDE; Shi et al. 2024, arXiv
 * 2412.00088). With `sparse` or `dense` draw a sample first: `L(x, L.sample(new Random(seed)))`.
 * @throws when an order, a dimension or the number of samples does not fit, and when no sample is given to estimate with.
 */
export function differentialOperator<R>(
  f: (x: Tensor) => R,
  operator: Operator,
  { estimator = 'exact', samples, dimension, maxOrder }: DifferentialOptions = {},
): DifferentialOperator<R> {
  if (!['exact', 'sparse', 'dense'].includes(estimator))
    throw new Error(
      `differentialOperator: estimator is ${String(estimator)}, expected exact, sparse or dense`,
    )
  if (estimator !== 'exact' && !(Number.isInteger(samples) && (samples as number) > 0))
    throw new Error(
      `differentialOperator: samples is ${samples}, expected a positive integer for ${estimator}`,
    )
  const plan = planOperator(operator, maxOrder)
  const size = dimension ?? plan.size
  if (size < plan.size)
    throw new Error(
      `differentialOperator: dimension is ${size}, but the terms have variables up to ${plan.size - 1}`,
    )

  const sample = (random?: RandomSource, dtype: DType = 'float64'): Jets[] => {
    if (estimator === 'exact') return termJets(plan, size, dtype)
    if (!random)
      throw new Error(`differentialOperator: sample() needs a source of random numbers for ${estimator}`)
    if (estimator === 'dense') return denseJets(plan, size, dtype, samples as number, random)
    return termJets(plan, size, dtype, { samples: samples as number, random })
  }

  const apply = (x: Like<Tensor>, given?: readonly Jets[]): R => {
    const { values } = flattenValues(x)
    const [point] = values as [Value]
    if (values.length !== 1 || point.shape.length !== 1 || point.shape[0] !== size)
      throw new Error(
        `differentialOperator: x is ${values.map(showType).join(', ')}, expected a vector of ${size}`,
      )
    if (!given && estimator !== 'exact')
      throw new Error(
        `differentialOperator: no sample was given to the ${estimator} estimator; pass L.sample(random)`,
      )
    const jets = given ?? sample(undefined, point.dtype)
    const parts = jets.map(
      ({ tangents, weights }) =>
        collapsedJet(f as TensorFunction<R>, point as Tensor, tangents.map(orNull), weights).sum,
    )
    if (plan.constant !== 0 || parts.length === 0) parts.push(scaled(f(point as Tensor), plan.constant))
    return parts.reduce(plus)
  }
  return Object.assign(apply, { sample })
}

const orNull = (v: Tensor | readonly []) => (Array.isArray(v) ? null : v)

function scaled<R>(tree: R, factor: number): R {
  const { values, structure } = flattenValues(tree)
  return rebuild(
    structure,
    values.map((x) => mul(x, factor)),
  )
}

function plus<R>(a: R, b: R): R {
  const [x, y] = [flattenValues(a), flattenValues(b)]
  return rebuild(
    x.structure,
    x.values.map((value, i) => add(value, y.values[i] as Value)),
  )
}
