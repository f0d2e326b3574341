import { broadcastTo, reshape } from '../../ops/broadcast.js'
import { gather } from '../../ops/gather.js'
import { concatenate } from '../../ops/slice.js'
import type { Program } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'
import { allocate } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../batch.js'
import type { Coloring } from './coloring.js'

/** A sparse matrix as compressed rows: row i has values[k] at columns[k] for rowPointers[i] <= k < rowPointers[i + 1]. */
export interface SparseMatrix {
  readonly shape: readonly [rows: number, columns: number]
  readonly rowPointers: Int32Array
  readonly columns: Int32Array
  readonly values: Tensor
  /** How many products with the matrix its values cost: the number of colours. */
  readonly products: number
}

/**
 * A linear program applied, in one batch, to the sum of the unit vectors of each colour: [colours, size],
 * outputs end to end.
 */
export function productsOfColors(
  program: Program,
  residuals: readonly Value[],
  inputs: readonly Type[],
  { colors, count }: Coloring,
): Value {
  let offset = 0
  const seeds = inputs.map(({ dtype, shape }) => {
    const size = sizeOf(shape)
    const data = allocate(dtype, count * size)
    for (let i = 0; i < size; i++) data[(colors[offset + i] as number) * size + i] = 1
    offset += size
    return new Tensor(data, [count, ...shape])
  })
  const flags = [...residuals.map(() => false), ...seeds.map(() => true)]
  const { outputs, batched } = batchProgram(program, [...residuals, ...seeds], flags, count)
  const flat = outputs.map((output, i) =>
    batched[i]
      ? reshape(output, [count, sizeOf(output.shape.slice(1))])
      : broadcastTo(reshape(output, [1, sizeOf(output.shape)]), [count, sizeOf(output.shape)]),
  )
  return concatenate(flat, 1)
}

/** Elements of a matrix at flat positions. */
export function pick(matrix: Value, positions: Int32Array): Tensor {
  return gather(reshape(matrix, [sizeOf(matrix.shape)]), new Tensor(positions), 0) as Tensor
}

/** @throws unless all have one dtype, since their derivatives go into one array of values. */
export function commonDtype(where: string, types: readonly Type[]): Type['dtype'] {
  const dtypes = [...new Set(types.map(({ dtype }) => dtype))]
  if (dtypes.length !== 1)
    throw new Error(
      `${where}: leaves are ${dtypes.join(' and ') || 'absent'}, expected one float dtype; cast them first`,
    )
  return dtypes[0] as Type['dtype']
}
