import { Tensor } from '../../../tensor/tensor.js'

/** What is known of the errors of residuals. */
export interface Noise {
  /** Standard deviations, one for all or one for each. */
  readonly sigma?: number | ArrayLike<number> | Tensor
  /** The covariance, row by row. */
  readonly covariance?: ArrayLike<ArrayLike<number>>
}

/** Divides vectors of residuals by their errors, in place: x -> L^-1 x with L L^T their covariance. */
export type Whiten = (x: Float64Array) => void

/** @throws when the errors are not as many as residuals, not positive, or their covariance not positive definite. */
export function whitener({ sigma, covariance }: Noise, rows: number): Whiten | undefined {
  if (covariance && sigma !== undefined)
    throw new Error(
      'covariance: got sigma too, expected one of them; the diagonal of the covariance is sigma squared',
    )
  if (covariance) return byFactor(choleskyOf(covariance, rows), rows)
  if (sigma === undefined) return undefined
  const given = sigma instanceof Tensor ? sigma.data : sigma
  const each = typeof given === 'number' ? new Float64Array(rows).fill(given) : Float64Array.from(given)
  if (each.length !== rows)
    throw new Error(
      `sigma: got ${each.length} standard deviations, expected one, or one for each of ${rows} residuals`,
    )
  const bad = each.findIndex((s) => !(s > 0 && s < Infinity))
  if (bad >= 0)
    throw new Error(
      `sigma: that of residual ${bad} is ${each[bad]}, expected a finite number above 0; drop the residual instead`,
    )
  return (x) => {
    for (let i = 0; i < rows; i++) x[i] = x[i]! / each[i]!
  }
}

function byFactor(l: Float64Array, rows: number): Whiten {
  return (x) => {
    for (let i = 0; i < rows; i++) {
      let rest = x[i]!
      for (let k = 0; k < i; k++) rest -= l[i * rows + k]! * x[k]!
      x[i] = rest / l[i * rows + i]!
    }
  }
}

/** The lower triangular L of covariance = L L^T, row by row. */
function choleskyOf(covariance: ArrayLike<ArrayLike<number>>, rows: number): Float64Array {
  const l = new Float64Array(rows * rows)
  if (covariance.length !== rows)
    throw new Error(`covariance: got ${covariance.length} rows, expected ${rows}, one for each residual`)
  for (let i = 0; i < rows; i++) {
    const row = covariance[i]!
    if (row.length !== rows)
      throw new Error(`covariance: row ${i} has ${row.length} numbers, expected ${rows}`)
    for (let j = 0; j <= i; j++) {
      if (Math.abs(row[j]! - covariance[j]![i]!) > 1e-10 * Math.abs(row[j]!))
        throw new Error(
          `covariance: elements ${i},${j} and ${j},${i} are ${row[j]} and ${covariance[j]![i]}, expected the same`,
        )
      let rest = row[j]!
      for (let k = 0; k < j; k++) rest -= l[i * rows + k]! * l[j * rows + k]!
      if (i !== j) l[i * rows + j] = rest / l[j * rows + j]!
      else if (rest > 0) l[i * rows + i] = Math.sqrt(rest)
      else throw new Error(`covariance: not positive definite, pivot ${i} is ${rest}, expected more than 0`)
    }
  }
  return l
}
