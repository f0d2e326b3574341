import { blockDiagonalOperator, type StructuredOperator } from '../../linalg/index.js'
import { sum } from './values.js'

type Blocks = readonly [StructuredOperator, ...StructuredOperator[]]

/** Structured operators along the diagonal, such as one for each layer. */
export function structuredBlockDiagonal(...blocks: Blocks): StructuredOperator {
  const { rows, columns, dtype = 'float64', apply } = blockDiagonalOperator(...blocks)
  return {
    rows,
    columns,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => sum(blocks.map((block) => block.trace())),
    logDeterminant: (damping) => sum(blocks.map((block) => block.logDeterminant(damping))),
    inverse: (damping) =>
      structuredBlockDiagonal(...(blocks.map((block) => block.inverse(damping)) as unknown as Blocks)),
    diagonal: () => Float64Array.from(blocks.flatMap((block) => Array.from(block.diagonal()))),
    frobeniusNorm: () => Math.hypot(...blocks.map((block) => block.frobeniusNorm())),
  }
}
