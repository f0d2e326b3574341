import type { SymmetricPattern } from '../sparse/symmetric.js'
import { factorBlock, solveLower, solveUpper } from './blockCholesky.js'
import { blockProduct } from './blockProduct.js'

/** Solves systems with one pattern of blocks of one side, by S = U^T U. */
export interface ReducedCholesky {
  /** U in the place of S, whose upper triangle is read; whether S is positive definite. */
  factor(blocks: Float64Array): boolean
  /** S^-1 x, in place. */
  solve(blocks: Float64Array, x: Float64Array): void
}

/** `pattern`: of the blocks of U, each of `side` by `side` numbers, row by row. */
export function reducedCholesky(
  { size, columnPointers, rows }: SymmetricPattern,
  side: number,
): ReducedCholesky {
  const square = side * side
  const subtract = blockProduct('-', { depth: side, rows: side, columns: side })
  const diagonalOf = (j: number) => columnPointers[j + 1]! - 1
  /** For each row the block of the column at hand, or -1. */
  const found = new Int32Array(size)

  /** U_ij = U_ii^-T (S_ij - sum_{k < i} U_ki^T U_kj), from above down. */
  const factorColumn = (blocks: Float64Array, j: number): boolean => {
    for (let at = columnPointers[j]!; at <= diagonalOf(j); at++) {
      const i = rows[at]!
      for (let other = columnPointers[i]!; other < diagonalOf(i); other++) {
        const below = found[rows[other]!]!
        if (below >= 0) subtract(blocks, at * square, blocks, other * square, blocks, below * square)
      }
      if (i < j) solveLower(blocks, diagonalOf(i) * square, side, blocks, at * square, side)
    }
    return factorBlock(blocks, diagonalOf(j) * square, side)
  }

  return {
    factor(blocks) {
      for (let j = 0; j < size; j++) {
        found.fill(-1)
        for (let at = columnPointers[j]!; at <= diagonalOf(j); at++) found[rows[at]!] = at
        if (!factorColumn(blocks, j)) return false
      }
      return true
    },
    solve(blocks, x) {
      for (let j = 0; j < size; j++) {
        for (let at = columnPointers[j]!; at < diagonalOf(j); at++) {
          const block = at * square
          for (let s = 0; s < side; s++) {
            const known = x[rows[at]! * side + s]!
            for (let t = 0; t < side; t++) x[j * side + t]! -= blocks[block + s * side + t]! * known
          }
        }
        solveLower(blocks, diagonalOf(j) * square, side, x, j * side)
      }
      for (let j = size - 1; j >= 0; j--) {
        solveUpper(blocks, diagonalOf(j) * square, side, x, j * side)
        for (let at = columnPointers[j]!; at < diagonalOf(j); at++) {
          const block = at * square
          for (let s = 0; s < side; s++) {
            let sum = 0
            for (let t = 0; t < side; t++) sum += blocks[block + s * side + t]! * x[j * side + t]!
            x[rows[at]! * side + s]! -= sum
          }
        }
      }
    },
  }
}
