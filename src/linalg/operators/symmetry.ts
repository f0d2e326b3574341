import { countProducts } from '../products.js'
import { Random } from '../random.js'
import { axpy, dot, norm } from '../vector.js'
import { type LinearOperator, operatorDType, requireSquare } from './operator.js'

export interface SymmetryCheck {
  /** An estimate of |A - A^T| / |A| in the Frobenius norm: 0 for a symmetric operator, sqrt(2) for an unstructured one. */
  readonly relativeAsymmetry: number
  /** |A u - A u| / |A u| between two products with the same vector. */
  readonly relativeDifference: number
  /** Whether the two agree to rounding. */
  readonly deterministic: boolean
}

/**
 * Tests with four products whether an operator is what the symmetric estimators expect: x^T A y = y^T A x for
 * pairs of random normal vectors, and A x the same when asked again (no dropout, no other batch).
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function checkSymmetric(
  operator: LinearOperator,
  options: { readonly seed?: number; readonly signal?: AbortSignal } = {},
): Promise<SymmetryCheck> {
  const n = requireSquare(operator, 'checkSymmetric')
  const products = countProducts(operator, 'checkSymmetric', options.signal)
  const random = new Random(options.seed ?? 0).split('symmetry')
  const x = Array.from({ length: 3 }, () => random.normals(n))
  const ax: Float64Array[] = []
  for (const v of x) ax.push(await products.apply([v]))
  const again = await products.apply([x[0]!])

  // E (x^T A y - y^T A x)^2 = |A - A^T|_F^2 and E |A x|^2 = |A|_F^2.
  let asymmetry = 0
  let size = 0
  for (let i = 0; i < 3; i++) {
    const j = (i + 1) % 3
    asymmetry += (dot(x[i]!, ax[j]!) - dot(x[j]!, ax[i]!)) ** 2
    size += norm(ax[i]!) ** 2
  }
  axpy(-1, ax[0]!, again)
  const length = norm(ax[0]!)
  const difference = norm(again)
  const relativeDifference = difference === 0 ? 0 : difference / length
  const epsilon = operatorDType(operator) === 'float32' ? 2 ** -23 : 2 ** -52
  return {
    relativeAsymmetry: asymmetry === 0 ? 0 : Math.sqrt(asymmetry / size),
    relativeDifference,
    deterministic: relativeDifference <= 16 * epsilon,
  }
}
