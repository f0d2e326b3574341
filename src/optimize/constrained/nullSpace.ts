import { symmetricEigen } from '../../dense/symmetricEigen.js'
import { axpy, divide, dot, norm, orthogonalize } from '../../linalg/vector.js'
import { factor, solveFactored, solveTransposed } from '../leastSquares/dense/qr.js'
import { denseRows } from '../leastSquares/sparse/sparseRows.js'
import type { LagrangianModel } from './lagrangian.js'

/** The equations [H + shift, J^T; J, 0] [move; change] = -[gradient; residual], all dense, row by row. */
export interface KktMatrix {
  readonly hessian: Float64Array
  readonly jacobian: Float64Array
}

/** The matrices of a Lagrangian, whole. */
export async function kktMatrix(model: LagrangianModel): Promise<KktMatrix> {
  const [hessian, jacobian] = [await model.hessian(), await model.jacobian()]
  return { hessian, jacobian: denseRows(jacobian, model.point.length) }
}

/** The part of a matrix for some parameters and constraints. */
export function restricted(
  { hessian, jacobian }: KktMatrix,
  n: number,
  free: readonly number[],
  binding: readonly number[],
): KktMatrix {
  return {
    hessian: Float64Array.from(free.flatMap((i) => free.map((k) => hessian[i * n + k]!))),
    jacobian: Float64Array.from(binding.flatMap((j) => free.map((i) => jacobian[j * n + i]!))),
  }
}

/** Rows that keep less than this part of their length beside earlier ones depend on them. */
const dependent = 1e-10

/** What constraints leave free, and the Hessian's curvature there. */
export interface TangentSpace {
  /** An orthonormal basis of the constraints' gradients; fewer than these where they are linearly dependent. */
  readonly normal: readonly Float64Array[]
  /** Orthonormal eigenvectors of the Hessian on what is orthogonal to them, and its eigenvalues there, ascending. */
  readonly tangent: readonly Float64Array[]
  readonly curvatures: Float64Array
}

export function tangentSpace({ hessian, jacobian }: KktMatrix, n: number): TangentSpace {
  const normal: Float64Array[] = []
  for (let at = 0; at < jacobian.length; at += n) {
    const rest = jacobian.slice(at, at + n)
    const length = norm(rest)
    const left = orthogonalize(rest, normal)
    if (!(left > dependent * length)) continue
    divide(rest, left)
    normal.push(rest)
  }
  const complement = complementOf(normal, n)
  const images = complement.map((z) => times(hessian, z))
  const size = complement.length
  const { values, vectors } = symmetricEigen(
    Float64Array.from(complement.flatMap((y) => images.map((image) => dot(y, image)))),
    size,
  )
  const tangent = Array.from({ length: size }, (_, k) =>
    combination(complement, vectors.subarray(k * size, (k + 1) * size), n),
  )
  return { normal, tangent, curvatures: values }
}

/** An orthonormal basis of what is orthogonal to an orthonormal basis: the eigenvectors of 1 of the projection there. */
function complementOf(basis: readonly Float64Array[], n: number): Float64Array[] {
  const projection = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      projection[i * n + j] = basis.reduce((sum, y) => sum - y[i]! * y[j]!, Number(i === j))
  const { vectors } = symmetricEigen(projection, n)
  return Array.from({ length: n - basis.length }, (_, k) =>
    vectors.slice((basis.length + k) * n, (basis.length + k + 1) * n),
  )
}

function times(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length
  return x.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), x))
}

function combination(vectors: readonly Float64Array[], parts: ArrayLike<number>, n: number): Float64Array {
  const sum = new Float64Array(n)
  vectors.forEach((v, k) => {
    for (let i = 0; i < n; i++) sum[i] = sum[i]! + parts[k]! * v[i]!
  })
  return sum
}

export interface KktRight {
  readonly gradient: Float64Array
  readonly residual: Float64Array
  /** What each residual is divided by where not all can vanish. */
  readonly sizes: Float64Array
}

/**
 * The solution by null space (Nocedal and Wright 2006, section 16.2), with `shift` added to the Hessian: first towards the
 * constraints, then along them. Where constraints depend on each other their residuals vanish in the least-squares sense,
 * and the change of the multipliers is the shortest.
 */
export function nullSpaceStep(
  { hessian, jacobian }: KktMatrix,
  { normal, tangent, curvatures }: TangentSpace,
  shift: number,
  { gradient, residual, sizes }: KktRight,
): { readonly move: Float64Array; readonly change: Float64Array } {
  const [n, rows, rank] = [gradient.length, residual.length, normal.length]
  const row = (j: number) => jacobian.subarray(j * n, (j + 1) * n)
  const scaled = Float64Array.from({ length: rows * rank }, (_, at) => {
    const j = at % rows
    return dot(row(j), normal[Math.floor(at / rows)]!) / (sizes[j] || 1)
  })
  const image = (x: Float64Array) =>
    residual.map((_, j) => x.reduce((sum, xk, k) => sum + scaled[k * rows + j]! * xk, 0))
  const factors = factor(
    scaled.slice(),
    residual.map((r, j) => -r / (sizes[j] || 1)),
    rank,
  )
  const move = combination(normal, solveFactored(factors), n)
  const bent = times(hessian, move)
  const along = Float64Array.from(tangent, (z, k) => {
    const slope = dot(z, gradient) + dot(z, bent)
    return slope === 0 ? 0 : -slope / (curvatures[k]! + shift)
  })
  axpy(1, combination(tangent, along, n), move)
  const force = times(hessian, move).map((h, i) => h + shift * move[i]! + gradient[i]!)
  const pulls = Float64Array.from(normal, (y) => -dot(y, force))
  const shortest = image(solveFactored({ ...factors, rhs: solveTransposed(factors, pulls) }))
  return { move, change: shortest.map((l, j) => l / (sizes[j] || 1)) }
}
