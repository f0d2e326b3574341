import type { Type } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import type { Linearization } from '../linearize.js'
import { propagate, type Reach } from './reach.js'
import { type Indices, intersection, none, single } from './sets.js'

/** Where a matrix may differ from zero: for each row its columns, ascending. */
export interface SparsityPattern {
  readonly rows: readonly Indices[]
  readonly columns: number
}

export const totalSize = (types: readonly Type[]) => types.reduce((sum, { shape }) => sum + sizeOf(shape), 0)

/**
 * The pattern of the Jacobian of all outputs, end to end, by all inputs that a program was linearised in:
 * index sets are propagated through the linear part, operation by operation.
 */
export function jacobianPattern(
  { linear, moves }: Linearization,
  inputs: readonly Type[],
  outputs: readonly Type[],
): SparsityPattern {
  let next = 0
  const seeds = inputs.map(({ shape }) => Array.from({ length: sizeOf(shape) }, () => single(next++)))
  const residuals = new Array<Reach>(linear.inputs.length - inputs.length).fill(undefined)
  const reached = propagate(linear, [...residuals, ...seeds])
  let moving = 0
  const rows = outputs.flatMap(({ shape }, i) => {
    const reach = moves[i] ? reached[moving++] : undefined
    return reach ?? new Array<Indices>(sizeOf(shape)).fill(none)
  })
  return { rows, columns: next }
}

export function transposePattern({ rows, columns }: SparsityPattern): SparsityPattern {
  const counts = new Int32Array(columns)
  for (const row of rows) for (const j of row) counts[j]!++
  const transposed = Array.from(counts, (count) => new Int32Array(count))
  counts.fill(0)
  rows.forEach((row, i) => {
    for (const j of row) transposed[j]![counts[j]!++] = i
  })
  return { rows: transposed, columns: rows.length }
}

/** What a pattern of a symmetric matrix and its transpose have in common: both hold every nonzero. */
export function symmetricPattern(pattern: SparsityPattern): SparsityPattern {
  const mirrored = transposePattern(pattern)
  return { ...pattern, rows: pattern.rows.map((row, i) => intersection(row, mirrored.rows[i] as Indices)) }
}

/** The arrays of compressed sparse rows: row i holds columns[rowPointers[i]] to columns[rowPointers[i + 1] - 1]. */
export function compressedRows({ rows }: SparsityPattern): { rowPointers: Int32Array; columns: Int32Array } {
  const rowPointers = new Int32Array(rows.length + 1)
  rows.forEach((row, i) => {
    rowPointers[i + 1] = (rowPointers[i] as number) + row.length
  })
  const columns = new Int32Array(rowPointers[rows.length] as number)
  rows.forEach((row, i) => {
    columns.set(row, rowPointers[i])
  })
  return { rowPointers, columns }
}
