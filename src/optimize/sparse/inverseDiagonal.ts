import type { CholeskyFactor } from './sparseCholesky.js'

/**
 * The diagonal of A^-1 for a factored A = P^T L L^T P, from the entries of the inverse where L has some, last column first
 * (Takahashi, Fagan, Chin 1973; Erisman, Tinney 1975): for about the cost of the factorisation.
 */
export function inverseDiagonal({ order, columnPointers, rows, values }: CholeskyFactor): Float64Array {
  const n = order.length
  const inverse = new Float64Array(values.length)
  /** Where column j of L has an entry in a row; elsewhere -1. */
  const found = new Int32Array(n).fill(-1)
  const diagonal = new Float64Array(n)
  for (let j = n - 1; j >= 0; j--) {
    const [first, end] = [columnPointers[j]!, columnPointers[j + 1]!]
    for (let p = first + 1; p < end; p++) found[rows[p]!] = p
    for (let p = first + 1; p < end; p++) {
      const k = rows[p]!
      for (let q = columnPointers[k]!; q < columnPointers[k + 1]!; q++) {
        const other = found[rows[q]!]!
        if (other < 0) continue
        inverse[other]! -= values[p]! * inverse[q]!
        if (other !== p) inverse[p]! -= values[other]! * inverse[q]!
      }
    }
    const pivot = values[first]!
    let rest = 1 / pivot
    for (let p = first + 1; p < end; p++) {
      inverse[p]! /= pivot
      rest -= values[p]! * inverse[p]!
      found[rows[p]!] = -1
    }
    inverse[first] = rest / pivot
    diagonal[order[j]!] = inverse[first]!
  }
  return diagonal
}
