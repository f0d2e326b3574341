import { factorize, solveFactored } from './lu.js'
import { combine, product, rowNorm } from './square.js'

const mostSteps = 100

/**
 * The principal square root, by the product form of Denman and Beavers' iteration with scaling by determinants (Higham
 * 2008, Functions of Matrices, equation 6.29): M goes to I, and X to the root.
 * @throws when it does not converge, as it cannot with eigenvalues that are zero or negative.
 */
export function sqrtm(a: Float64Array, n: number): Float64Array {
  let m: Float64Array = a
  let x: Float64Array = a
  let before = Number.POSITIVE_INFINITY
  for (let step = 0; step < mostSteps && n > 0; step++) {
    const { inverse, scale } = invert(m, n)
    const mu = before < 0.01 ? 1 : scale
    x = combine(n, 0, [mu / 2, 1 / (2 * mu)], [x, product(x, inverse, n)])
    m = combine(n, 0.5, [(mu * mu) / 4, 1 / (4 * mu * mu)], [m, inverse])
    const distance = rowNorm(combine(n, -1, [1], [m]), n)
    if (!Number.isFinite(distance)) break
    // Quadratic convergence: once near, the first step that does not help is the last.
    if (distance <= n * Number.EPSILON || (distance < 1e-6 && distance >= before / 2)) return x
    before = distance
  }
  if (n === 0) return x
  throw noRoot()
}

/** m^-1, and |det m|^(-1/(2n)), which brings the determinant of m to 1. */
function invert(m: Float64Array, n: number): { inverse: Float64Array; scale: number } {
  const { packed, order } = factorize(m.slice(), n)
  let log = 0
  for (let i = 0; i < n; i++) log += Math.log(Math.abs(packed[i * (n + 1)] as number))
  if (log === Number.NEGATIVE_INFINITY) throw noRoot()
  return { inverse: solveFactored(packed, order, combine(n, 1, [], []), n), scale: Math.exp(-log / (2 * n)) }
}

const noRoot = () =>
  new Error(
    'sqrtm: the matrix has an eigenvalue that is zero, negative or not finite, so it has no principal square root',
  )
