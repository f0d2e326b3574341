import { divided } from '../../elementwise.js'
import { type CholeskyFactor, solveCholesky, sparseCholesky } from '../../sparse/sparseCholesky.js'
import { takingPart } from '../dense/rank.js'
import { type NormalPattern, normalMatrix, withDiagonal } from './normalMatrix.js'
import type { SparseRows } from './sparseRows.js'

/** J^T J + diag(weights)^2 for columns of length 1, so that units do not matter to its factors. */
export interface ScaledNormal {
  /** With infinite pivots for columns that depend on others. */
  readonly factor: CholeskyFactor
  /** How many columns do not depend on others. */
  readonly rank: number
  /** The lengths of the columns of J with the weights below it, by which they were divided; 1 for columns of zeros. */
  readonly lengths: Float64Array
  /**
   * The function from b to x with (J^T J + diag(weights^2 + damping)) x = b; without damping, 0 for columns that depend
   * on others.
   */
  solver(damping?: Float64Array): (b: Float64Array) => Float64Array
}

/** Squares of sines between a column and those before it: smaller ones are rounding. */
const leastPivot = 1e-13

export function scaledNormal(
  normal: NormalPattern,
  { jacobian, lengths: given }: { readonly jacobian: SparseRows; readonly lengths: Float64Array },
  weights?: Float64Array,
): ScaledNormal {
  const { pattern, symbolic } = normal
  const lengths = given.map((length, j) => Math.hypot(length, weights?.[j] ?? 0) || 1)
  const squares = weights?.map((w, j) => (w / lengths[j]!) ** 2)
  const product = normalMatrix(normal, jacobian, lengths)
  const matrix = squares ? withDiagonal(normal, product, squares) : product
  const factor = sparseCholesky({ ...pattern, values: matrix }, symbolic, leastPivot)!
  return {
    factor,
    rank: lengths.length - dependentColumns(factor).length,
    lengths,
    solver(damping) {
      const added = damping?.map((d, j) => d / lengths[j]! ** 2)
      const damped =
        added && sparseCholesky({ ...pattern, values: withDiagonal(normal, matrix, added) }, symbolic)
      return (b) => divided(solveCholesky(damped ?? factor, divided(b, lengths)), lengths)
    },
  }
}

/** In the order of elimination. */
function dependentColumns({ order, columnPointers, values }: CholeskyFactor): number[] {
  return Array.from(order.keys()).filter((j) => values[columnPointers[j]!] === Number.POSITIVE_INFINITY)
}

/** The parameters that can be moved without any change of the residuals to first order, ascending. */
export function undeterminedOf({ factor }: ScaledNormal): number[] {
  const found = new Set<number>()
  for (const j of dependentColumns(factor))
    for (const k of takingPart(nullVector(factor, j))) found.add(factor.order[k]!)
  return [...found].sort((a, b) => a - b)
}

/** The x with x_j = 1 and L^T x = 0 above, where column j depends on those before. In the order of elimination. */
function nullVector({ order, columnPointers, rows, values }: CholeskyFactor, j: number): Float64Array {
  const x = new Float64Array(order.length)
  x[j] = 1
  for (let k = j - 1; k >= 0; k--) {
    const first = columnPointers[k]!
    let sum = 0
    for (let at = first + 1; at < columnPointers[k + 1]!; at++) sum -= values[at]! * x[rows[at]!]!
    x[k] = sum / values[first]!
  }
  return x
}
