import { transposeOperator } from '../../linalg/index.js'
import { countProducts, type Progress, requireCount, requirePositive } from '../../linalg/products.js'
import { axpy, divide, dot, norm } from '../../linalg/vector.js'
import { Tensor } from '../../tensor/index.js'
import { identityVector, type Rearrangement } from './rearrangement.js'

export interface OptimalKroneckerOptions {
  /** Wanted change of both factors, scaled to length 1, in a step. Default 1e-8. */
  readonly tolerance?: number
  /** Default 200. */
  readonly maxSteps?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress & { readonly change: number }) => void
}

export interface OptimalKronecker {
  /** L [p, p] and R [q, q], of equal Frobenius norm. */
  readonly left: Tensor
  readonly right: Tensor
  /** <M, L (x) R> / (|M| |L (x) R|): 1 when M is a Kronecker product. */
  readonly cosine: number
  readonly steps: number
  readonly converged: boolean
  readonly reason: 'converged' | 'step limit'
  /** `reason` as a sentence. */
  readonly message: string
}

/**
 * The Kronecker product L (x) R nearest to M in the Frobenius norm: the first pair of singular vectors of the rearranged
 * M (Van Loan and Pitsianis 1993), by power iteration from the identity, L_(k+1) ~ sum_n G_n R_k G_n^T and
 * R_(k+1) ~ sum_n G_n^T L_k G_n for the second moment of gradients G_n. Its first step gives Shampoo's factors: their
 * product, the square of Shampoo's preconditioner, is this method stopped early (Morwani et al. 2024).
 *
 * @throws on bad options, and when M is 0 on the identity; the signal's reason when aborted.
 */
export async function optimalKronecker(
  target: Rearrangement,
  options: OptimalKroneckerOptions = {},
): Promise<OptimalKronecker> {
  const where = 'optimalKronecker'
  const { tolerance = 1e-8, maxSteps = 200, signal, onStep } = options
  requirePositive(tolerance, 'tolerance', where)
  requireCount(maxSteps, 'maxSteps', where)
  const [p, q] = target.sides
  const toLeft = countProducts(target, where, signal)
  const toRight = countProducts(transposeOperator(target), where, signal)
  let [left, right] = [unit(identityVector(p), where), unit(identityVector(q), where)]
  let steps = 0
  let change = Number.POSITIVE_INFINITY
  while (change > tolerance && steps < maxSteps) {
    const next = [await toLeft.apply([right]), await toRight.apply([left])].map((x) => unit(x, where))
    change = Math.max(distance(left, next[0]!), distance(right, next[1]!))
    ;[left, right] = next as [Float64Array, Float64Array]
    steps++
    onStep?.({ done: steps, total: maxSteps, change })
  }
  const converged = change <= tolerance
  const along = dot(left, await toLeft.apply([right]))
  const factor = (x: Float64Array, side: number) =>
    new Tensor(
      x.map((value) => Math.sqrt(along) * value),
      [side, side],
    )
  return {
    left: factor(left, p),
    right: factor(right, q),
    cosine: along / (await target.frobeniusNorm()),
    steps,
    converged,
    reason: converged ? 'converged' : 'step limit',
    message: converged
      ? `Converged in ${steps} steps.`
      : `The factors still changed by ${change.toExponential(1)} in step ${steps}, wanted ${tolerance}; raise maxSteps.`,
  }
}

/**
 * <M, L (x) R> / (|M| |L (x) R|): how near some L (x) R is to M but for scale.
 */
export async function kroneckerCosine(target: Rearrangement, left: Tensor, right: Tensor): Promise<number> {
  const image = await target.apply(new Tensor(Float64Array.from(right.data), [1, right.size]))
  const [l, r] = [Float64Array.from(left.data), Float64Array.from(right.data)]
  const along = dot(l, Float64Array.from(image.data))
  return along / (norm(l) * norm(r) * (await target.frobeniusNorm()))
}

/**
 * Shampoo's factors of M, L_ik = sum_j M_(ij)(kj) and R_jl = sum_i M_(ij)(il): for gradients the means of G G^T and G^T G.
 * Shampoo preconditions with L^(-1/4) (x) R^(-1/4); L (x) R / tr L is the square of what approximates M^(1/2).
 */
export async function shampooFactors(target: Rearrangement): Promise<{ left: Tensor; right: Tensor }> {
  const [p, q] = target.sides
  const left = await target.apply(new Tensor(identityVector(q), [1, q * q]))
  const right = await target.applyTranspose(new Tensor(identityVector(p), [1, p * p]))
  return { left: new Tensor(left.data, [p, p]), right: new Tensor(right.data, [q, q]) }
}

function unit(x: Float64Array, where: string): Float64Array {
  const length = norm(x)
  if (length === 0)
    throw new Error(`${where}: the matrix gives 0 for the identity, expected a matrix that is not 0`)
  divide(x, length)
  return x
}

function distance(x: Float64Array, y: Float64Array): number {
  const difference = x.slice()
  axpy(-1, y, difference)
  return norm(difference)
}
