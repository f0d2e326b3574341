import { compile } from '../../engines/index.js'
import type { StructuredOperator } from '../../linalg/index.js'
import { once } from '../../linalg/once.js'
import { blockSize, requireFloat } from '../../linalg/operators/operator.js'
import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/index.js'
import { structuredEigenKronecker } from './eigenKronecker.js'
import {
  diagonalOf,
  eigenOf,
  type Factor,
  fromEigen,
  normOf,
  requireFactor,
  sideOf,
  timesLeft,
  timesRight,
  traceOf,
} from './factor.js'
import { asDType, damped, sumOfLogs } from './values.js'

const sandwich = compile((left: Factor, x: Tensor, right: Factor) => timesRight(timesLeft(left, x), right))

/** A Kronecker product, with its factors and a choice of how an inverse is damped. */
export interface KroneckerOperator extends StructuredOperator {
  readonly left: Factor
  readonly right: Factor
  /**
   * 'exact' (default): (L (x) R + damping I)^-1 by the factors' eigenvectors. 'factored':
   * (L + pi sqrt(damping) I)^-1 (x) (R + sqrt(damping) / pi I)^-1 with pi^2 = (tr L / dim L) / (tr R / dim R)
   * (Martens and Grosse 2015, section 6.3), which is itself a Kronecker product.
   */
  inverse(damping?: number, how?: 'exact' | 'factored'): StructuredOperator
}

/**
 * L (x) R for symmetric matrices L [p, p] and R [q, q] of one dtype. Vectors are matrices X [p, q] row by row, and the
 * product is L X R: for a weight [out, in] K-FAC's block has L of the outputs' gradients and R of the inputs. A factor of shape
 * [p] is the diagonal of one that has nothing else.
 */
export function structuredKronecker(left: Factor, right: Factor): KroneckerOperator {
  const where = 'structuredKronecker'
  const dtype = requireFloat(left.dtype, `${where}: left`)
  if (right.dtype !== dtype)
    throw new Error(`${where}: left is ${dtype} and right ${right.dtype}, expected one dtype`)
  const held = [requireFactor(left, `${where}: left`), requireFactor(right, `${where}: right`)] as const
  const [p, q] = [sideOf(left), sideOf(right)]
  const eigen = once(() => held.map(eigenOf))
  const eigenvalues = () => np.outer(...(eigen().map((side) => side.eigenvalues) as [Tensor, Tensor]))
  const apply = async (vectors: Tensor) => {
    const k = blockSize(vectors, p * q, where)
    const x = np.reshape(vectors, [k, p, q])
    return np.reshape(await sandwich(held[0], x, held[1]), [k, p * q])
  }
  const inverseFactors = (dampings: readonly [number, number]) => {
    const [l, r] = eigen().map(({ eigenvalues, eigenvectors }, side) => {
      const name = `${where}: ${side === 0 ? 'left' : 'right'}`
      const inverse = damped(eigenvalues.data, dampings[side]!, name).map((value) => 1 / value)
      return asDType(fromEigen(eigenvectors, inverse), dtype)
    }) as [Tensor, Tensor]
    return structuredKronecker(l, r)
  }
  return {
    rows: p * q,
    columns: p * q,
    dtype,
    left: held[0],
    right: held[1],
    apply,
    applyTranspose: apply,
    trace: () => traceOf(held[0]) * traceOf(held[1]),
    logDeterminant: (damping = 0) => sumOfLogs(damped(eigenvalues().data, damping, where)),
    inverse(damping = 0, how = 'exact') {
      if (damping === 0) return inverseFactors([0, 0])
      if (how === 'factored') return inverseFactors(factoredDamping(...held, damping))
      const inverse = damped(eigenvalues().data, damping, where).map((value) => 1 / value)
      const [l, r] = eigen().map(({ eigenvectors }) => asDType(eigenvectors, dtype)) as [Tensor, Tensor]
      return structuredEigenKronecker(l, r, np.reshape(np.array(inverse), [p, q]))
    },
    diagonal: () => np.outer(diagonalOf(held[0]), diagonalOf(held[1])).data as Float64Array,
    frobeniusNorm: () => normOf(held[0]) * normOf(held[1]),
  }
}

/**
 * What is added to the diagonals of L and R so that their product is damped by about `damping`: pi sqrt(damping) and
 * sqrt(damping) / pi with pi^2 = (tr L / dim L) / (tr R / dim R), and pi = 1 where a trace is 0.
 */
export function factoredDamping(left: Factor, right: Factor, damping: number): [left: number, right: number] {
  const ratio = traceOf(left) / sideOf(left) / (traceOf(right) / sideOf(right))
  const pi = ratio > 0 && Number.isFinite(ratio) ? Math.sqrt(ratio) : 1
  return [pi * Math.sqrt(damping), Math.sqrt(damping) / pi]
}
