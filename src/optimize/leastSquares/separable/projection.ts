import { dot, norm } from '../../../linalg/vector.js'
import { after } from '../../solver.js'
import { applyTransposedQ, factor, normBetween, solveFactored, solveTransposed } from '../dense/qr.js'
import { columnLengths, type LeastSquaresModel, transposedProduct } from '../model.js'
import type { Linearized, Residuals } from '../residuals/residuals.js'
import type { Terms, TermsNearby } from './terms.js'

/** The problem min |terms c - data| over c, solved; `rotated` is what is left, in the frame of Q. */
function project(terms: Float64Array, data: Float64Array, count: number) {
  const reflectors = terms.slice()
  const rotated = data.slice()
  const factors = factor(reflectors, rotated, count)
  const coefficients = solveFactored(factors)
  for (let i = 0; i < rotated.length; i++) rotated[i] = i < factors.rank ? 0 : -rotated[i]!
  return { factors, reflectors, rotated, coefficients }
}

/** What is left of a vector when its part among the terms is taken away is rounding below this part of it. */
const rounding = 8 * Number.EPSILON

/** sum_k c_k term_k - data */
function residualOf(terms: Float64Array, coefficients: Float64Array, data: Float64Array): Float64Array {
  const residual = combine(terms, coefficients, data.length)
  for (let i = 0; i < data.length; i++) residual[i] = residual[i]! - data[i]!
  return residual
}

function combine(terms: Float64Array, coefficients: Float64Array, rows: number): Float64Array {
  const sum = new Float64Array(rows)
  for (let k = 0; k < coefficients.length; k++)
    for (let i = 0; i < rows; i++) sum[i] = sum[i]! + coefficients[k]! * terms[k * rows + i]!
  return sum
}

/**
 * What the best combination of terms leaves of data, as a function of the terms' parameters alone. With T P = Q R the
 * terms, c their coefficients and D_j the terms' derivatives, the residual r = T c - data has the derivatives
 *
 *     (I - T T^+) D_j c - (T^+)^T D_j^T r
 *
 * (Golub and Pereyra 1973, theorem 4.1). All are given in the frame of Q, where the first part of the sum is zero in just
 * the elements in which the second is not; lengths and angles are those that they have in the data's own.
 */
export function projectedResiduals(terms: Terms, data: Float64Array): Residuals {
  const { rows, names, together, dispose } = terms
  const count = names.length

  const linearized = ({ terms, derivatives }: TermsNearby): Linearized => {
    const { factors, reflectors, rotated, coefficients } = project(terms, data, count)
    const residual = residualOf(terms, coefficients, data)
    const columns = new Float64Array(derivatives.length * rows)
    derivatives.forEach((derivative, j) => {
      const moved = combine(derivative, coefficients, rows)
      applyTransposedQ(reflectors, factors, moved)
      const products = coefficients.map((_, k) =>
        dot(derivative.subarray(k * rows, (k + 1) * rows), residual),
      )
      const inside = solveTransposed(factors, products)
      const outside = normBetween(moved, inside.length, rows)
      if (outside <= rounding * norm(moved)) moved.fill(0)
      for (let k = 0; k < inside.length; k++) moved[k] = -inside[k]!
      columns.set(moved, j * rows)
    })
    return { residual: rotated, columns }
  }

  return {
    rows,
    derivatives: 'exact',
    together,
    residual: (x) => after(terms.at(x), (values) => project(values, data, count).rotated),
    linearize: (x) => after(terms.linearize(x), linearized),
    dispose,
  }
}

/** The best coefficients, and the problem in parameters and coefficients together near there. */
export function jointModel(
  { terms, derivatives }: TermsNearby,
  data: Float64Array,
  count: number,
): { readonly coefficients: Float64Array; readonly model: LeastSquaresModel } {
  const rows = data.length
  const { coefficients } = project(terms, data, count)
  const residual = residualOf(terms, coefficients, data)
  const n = derivatives.length + count
  const columns = new Float64Array(n * rows)
  derivatives.forEach((derivative, j) => {
    columns.set(combine(derivative, coefficients, rows), j * rows)
  })
  columns.set(terms, derivatives.length * rows)
  const model = {
    value: dot(residual, residual) / 2,
    gradient: transposedProduct(columns, residual, n),
    residual,
    columns,
    lengths: columnLengths(columns, n),
  }
  return { coefficients, model }
}
