import { symmetricEigen } from '../../dense/symmetricEigen.js'
import { tridiagonalEigen } from '../../dense/tridiagonalEigen.js'
import { canExtend, extendLanczos, startLanczos } from '../../linalg/eigen/lanczos.js'
import type { LinearOperator } from '../../linalg/operators/operator.js'
import { countProducts } from '../../linalg/products.js'
import { axpy, dot, norm } from '../../linalg/vector.js'
import { Tensor } from '../../tensor/tensor.js'
import type { FunctionModel } from './model.js'

/** A curvature matrix, or its part that a Krylov space sees, in a basis that makes it diagonal. */
export interface Spectrum {
  /** Ascending. */
  readonly values: Float64Array
  /** Orthonormal vectors, one for each value. */
  readonly vectors: readonly Float64Array[]
  /** The gradient's parts along them. */
  readonly gradient: Float64Array
}

/** The spectrum of a dense matrix [n, n], given row by row. */
export function denseSpectrum(matrix: Float64Array, gradient: Float64Array): Spectrum {
  const n = gradient.length
  const { values, vectors } = symmetricEigen(Float64Array.from(matrix), n)
  const rows = Array.from({ length: n }, (_, i) => vectors.subarray(i * n, (i + 1) * n))
  return { values, vectors: rows, gradient: Float64Array.from(rows, (v) => dot(v, gradient)) }
}

export interface KrylovOptions {
  /** The dimension at most. Default 100. */
  readonly dimension?: number
  /** Ends where Newton's equation holds to this part of the gradient. Default 0.01. */
  readonly accuracy?: number
}

/** Dimensions beyond the first that shows negative curvature, to find the most negative. */
const beyond = 5

/**
 * The curvature on the Krylov space of the gradient, by the Lanczos process: of the smallest dimension that solves
 * Newton's equation well enough, or that shows negative curvature (Gould, Lucidi, Roma and Toint 1999).
 */
export async function krylovSpectrum(
  { gradient, product }: FunctionModel,
  { dimension = 100, accuracy = 0.01 }: KrylovOptions = {},
): Promise<Spectrum> {
  const n = gradient.length
  const operator: LinearOperator = {
    rows: n,
    columns: n,
    apply: async (v) => new Tensor(Float64Array.from(await product(v.data as Float64Array)), [1, n]),
  }
  const size = norm(gradient)
  if (size === 0) return { values: new Float64Array(), vectors: [], gradient: new Float64Array() }
  const products = countProducts(operator, 'minimize')
  const state = startLanczos(gradient, operator)
  let most = Math.min(n, dimension)
  for (let check = 1; ; ) {
    await extendLanczos(products, state)
    const m = state.alpha.length
    const done = m >= most || !canExtend(state)
    if (m < check && !done) continue
    check = m + 1 + (m >> 3)
    const { values, vectors } = tridiagonalEigen(state.alpha, state.beta.slice(0, m - 1), { vectors: 'all' })
    const along = Float64Array.from(vectors, (v) => size * v[0]!)
    if (values[0]! <= 0 && most > m + beyond) most = m + beyond
    const last = vectors.reduce((sum, v, i) => sum - (along[i]! / values[i]!) * v[m - 1]!, 0)
    const solved = values[0]! > 0 && Math.abs(state.beta[m - 1]! * last) <= accuracy * size
    if (!done && !solved) continue
    const rows = vectors.map((v) => {
      const sum = new Float64Array(n)
      v.forEach((c, k) => {
        axpy(c, state.basis[k]!, sum)
      })
      return sum
    })
    return { values, vectors: rows, gradient: along }
  }
}

/** The vector with these parts along the spectrum's vectors. */
export function combine({ vectors }: Spectrum, parts: ArrayLike<number>): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0)
  vectors.forEach((v, i) => {
    axpy(parts[i]!, v, sum)
  })
  return sum
}

/** -(H + shift)^-1 g, in parts; 0 where the gradient is. */
export function shifted({ values, gradient }: Spectrum, shift: number): Float64Array {
  return values.map((value, i) => (gradient[i] === 0 ? 0 : -gradient[i]! / (value + shift)))
}

/** -g z - z H z / 2, by how much the quadratic model falls. */
export function modelReduction({ values, gradient }: Spectrum, z: Float64Array): number {
  return z.reduce((sum, x, i) => sum - x * (gradient[i]! + (values[i]! * x) / 2), 0)
}

/** The reduction by a step without limit: g H^-1 g / 2; infinite where the curvature is negative. */
export function decrementOf(spectrum: Spectrum): number {
  if (spectrum.values.some((value) => value < 0)) return Number.POSITIVE_INFINITY
  return modelReduction(spectrum, shifted(spectrum, 0))
}
