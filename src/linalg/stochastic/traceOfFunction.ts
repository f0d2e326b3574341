import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { type Estimate, meanAndError, type ProbeOptions, planProbes, takeProbes } from './estimator.js'
import { gaussRule, lanczosProbes, type Quadrature, type QuadratureOptions } from './quadrature.js'
import type { SampledEstimate } from './sampling.js'

/** `probes`: random starts of Lanczos. Default 30. */
export interface TraceOfFunctionOptions extends ProbeOptions, QuadratureOptions {}

export interface LogDeterminantOptions extends TraceOfFunctionOptions {
  /** log det(A + shift I). Default 0. */
  readonly shift?: number
}

export interface FunctionTrace extends SampledEstimate {
  /**
   * How much the estimate would be smaller with half the steps, on the same probes. The standard error is of the
   * probes only; the quadrature's own error is not in it, and is below |quadratureChange| where f is smooth on the
   * spectrum. Raise `steps` where this is not small beside the standard error.
   */
  readonly quadratureChange: number
}

/**
 * tr f(A) of a symmetric A by stochastic Lanczos quadrature: the mean over random sign vectors z of n sum_j w_j
 * f(theta_j), where theta_j are the eigenvalues of the tridiagonal matrix that Lanczos builds from z and w_j the
 * squares of the first components of its eigenvectors (Ubaru, Chen, Saad 2017, algorithm 1).
 *
 * @throws on bad options, where f is not finite at a theta_j, and on products that are not finite; the signal's reason
 * when aborted.
 */
export async function traceOfFunction(
  operator: LinearOperator,
  f: (eigenvalue: number) => number,
  options: TraceOfFunctionOptions = {},
): Promise<FunctionTrace> {
  return quadratureMean(operator, options, 'traceOfFunction', (eigenvalue) => {
    const value = f(eigenvalue)
    if (Number.isFinite(value)) return value
    throw new Error(
      `traceOfFunction: f is ${value} at the Ritz value ${eigenvalue}, expected a number finite on the whole spectrum`,
    )
  })
}

/**
 * log det(A + shift I) = tr log(A + shift I) of a symmetric positive definite A + shift I: `traceOfFunction` of the
 * logarithm.
 *
 * @throws as that does, and where A + shift I is found not to be positive definite.
 */
export async function logDeterminant(
  operator: LinearOperator,
  options: LogDeterminantOptions = {},
): Promise<FunctionTrace> {
  const where = 'logDeterminant'
  const { shift = 0 } = options
  if (!Number.isFinite(shift)) throw new Error(`${where}: shift is ${shift}, expected a finite number`)
  return quadratureMean(operator, options, where, (eigenvalue) => {
    if (eigenvalue + shift > 0) return Math.log(eigenvalue + shift)
    throw new Error(
      `${where}: the operator has the Ritz value ${eigenvalue}, expected all above ${-shift}; ` +
        'use a shift that makes it positive definite',
    )
  })
}

async function quadratureMean(
  operator: LinearOperator,
  options: TraceOfFunctionOptions,
  where: string,
  f: (eigenvalue: number) => number,
): Promise<FunctionTrace> {
  const n = requireSquare(operator, where)
  const plan = planProbes(options, where, 30)
  const probes = lanczosProbes(operator, options, plan, where)
  const traceBy = ({ nodes, weights }: Quadrature) =>
    n * weights.reduce((sum, weight, j) => sum + weight * f(nodes[j]!), 0)
  const samples: number[] = []
  const estimate = (): Estimate => {
    for (const tridiagonal of probes.finished.slice(samples.length))
      samples.push(traceBy(gaussRule(tridiagonal)))
    return meanAndError(samples)
  }
  const sampler = {
    get done() {
      return probes.done
    },
    take: probes.take,
    estimate,
  }
  const converged = await takeProbes(plan, sampler)
  const half = Math.ceil(probes.steps / 2)
  const coarse = meanAndError(probes.finished.map((tridiagonal) => traceBy(gaussRule(tridiagonal, half))))
  const result = estimate()
  return {
    ...result,
    samples: Float64Array.from(samples),
    quadratureChange: result.estimate - coarse.estimate,
    products: probes.products.count,
    converged,
  }
}
