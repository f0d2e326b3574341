import type { Tensor } from '../../tensor/tensor.js'
import type { LinearOperator } from './operator.js'

/** A symmetric operator A whose structure makes more than its products cheap. All figures are in float64. */
export interface StructuredOperator extends LinearOperator {
  applyTranspose(vectors: Tensor): Tensor | Promise<Tensor>
  /** sum_i A_ii. */
  trace(): number
  /** log det (A + damping I). @throws when A + damping I is not positive definite. */
  logDeterminant(damping?: number): number
  /** (A + damping I)^-1. @throws when A + damping I is not positive definite. */
  inverse(damping?: number): StructuredOperator
  /** A_11, A_22, ... */
  diagonal(): Float64Array
  /** sqrt(sum_ij A_ij^2). */
  frobeniusNorm(): number
}
