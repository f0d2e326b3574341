import { Random } from '../../linalg/random.js'
import { axpy } from '../../linalg/vector.js'
import { divided, times } from '../elementwise.js'
import { type NormalPattern, normalPattern } from '../leastSquares/sparse/normalMatrix.js'
import { scaledNormal } from '../leastSquares/sparse/scaledNormal.js'
import {
  lengthsOf,
  multiply,
  multiplyTransposed,
  type SparseRows,
  scaleRows,
  transposed,
} from '../leastSquares/sparse/sparseRows.js'
import { countPairs } from '../sparse/symmetric.js'
import type { LagrangianModel } from './lagrangian.js'

/** The function from (g, r) to the (x, l) with G x + J^T l = g and J x = r. */
export type ConstraintPreconditioner = (
  g: Float64Array,
  r: Float64Array,
) => { readonly x: Float64Array; readonly l: Float64Array }

/** Products and operations of a factorisation that are too many. */
const [mostPairs, mostFlops] = [3e7, 3e9]

/** Products of the Hessian from which its diagonal is estimated: exactly where it has nothing else. */
const probes = 4
/** Elements below this part of the largest are taken for this much. */
const leastPart = 1e-8

/** Magnitudes of the diagonal of the Lagrangian's Hessian (Bekas, Kokiopoulou and Saad 2007); 1 where that is 0. */
export async function curvatureSizes({
  point,
  multipliers,
  product,
}: LagrangianModel): Promise<Float64Array> {
  const random = new Random(0)
  const none = new Float64Array(multipliers.length)
  const sum = new Float64Array(point.length)
  for (let probe = 0; probe < probes; probe++) {
    const signs = random.split(probe).rademacher(point.length)
    const [image] = await product(signs, none)
    axpy(1 / probes, times(signs, image), sum)
  }
  const largest = sum.reduce((most, d) => Math.max(most, Math.abs(d)), 0)
  return sum.map((d) => Math.max(Math.abs(d), leastPart * largest) || 1)
}

/** The pattern of J J^T; nothing where its Cholesky factors cost too much. */
export function gramPattern(jacobian: SparseRows, n: number): NormalPattern | undefined {
  const columns = transposed(jacobian, n)
  if (countPairs(columns.rowPointers) > mostPairs) return undefined
  const pattern = normalPattern(columns, jacobian.rowPointers.length - 1)
  return pattern.symbolic.flops <= mostFlops ? pattern : undefined
}

/**
 * [G, J^T; J, 0] inverted for a positive diagonal G, by the Cholesky factors of J G^-1 J^T and one step of refinement, so
 * that constraints hold to rounding (Keller, Gould and Wathen 2000; Gould, Hribar and Nocedal 2001).
 */
export function constraintPreconditioner(
  jacobian: SparseRows,
  diagonal: Float64Array,
  pattern: NormalPattern,
): ConstraintPreconditioner {
  const [n, rows] = [diagonal.length, jacobian.rowPointers.length - 1]
  const scaled = transposed(jacobian, n)
  scaleRows(
    scaled,
    diagonal.map((d) => 1 / Math.sqrt(d)),
  )
  const gram = scaledNormal(pattern, { jacobian: scaled, lengths: lengthsOf(scaled, rows) }).solver()
  return (g, r) => {
    const l = new Float64Array(rows)
    let x = divided(g, diagonal)
    for (let pass = 0; pass < 2; pass++) {
      const missing = multiply(jacobian, x).map((y, j) => y - r[j]!)
      axpy(1, gram(missing), l)
      const pull = multiplyTransposed(jacobian, l, n)
      x = g.map((y, i) => (y - pull[i]!) / diagonal[i]!)
    }
    return { x, l }
  }
}
