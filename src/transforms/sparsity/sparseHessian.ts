import { evaluate } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import { fullTensor, type Tensor } from '../../tensor/tensor.js'
import { chooseInputs, typesOf } from '../call.js'
import { grad, type Likes } from '../derivatives.js'
import { linearizeProgram } from '../linearize.js'
import type { Arguments, StagedCall, TensorFunction } from '../stage.js'
import { type Coloring, colorStars } from './coloring.js'
import { commonDtype, pick, productsOfColors, type SparseMatrix } from './compressed.js'
import {
  compressedRows,
  jacobianPattern,
  type SparsityPattern,
  symmetricPattern,
  totalSize,
} from './pattern.js'
import { plannedByShape } from './plan.js'
import { forwardProgram, type SparseOptions } from './sparseJacobian.js'

/**
 * The function from the arguments of `f`, which returns one number, to its matrix of second derivatives as
 * a sparse matrix over the elements of the argument end to end. Its pattern is that of the Jacobian of the
 * gradient's program, found once for each combination of shapes; the matrix is read off one Hessian-vector
 * product for each colour of a star colouring (Coleman and Moré 1984), which for a banded matrix is a
 * constant number of products, whatever its size. See {@link sparseJacobian} for what the pattern holds.
 */
export function sparseHessian<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  { argument = 0 }: SparseOptions = {},
): (...args: Likes<A>) => SparseMatrix {
  const gradient = grad(f as TensorFunction<Tensor>, { argument }) as TensorFunction
  const planned = plannedByShape(gradient, (call) => planHessian(call, argument))
  return (...args) => {
    const { plan, inputs } = planned(args)
    return plan(inputs)
  }
}

function planHessian(call: StagedCall, argument: number): (inputs: readonly Value[]) => SparseMatrix {
  const linearization = linearizeProgram(call.program, chooseInputs('sparseHessian', call, [argument]))
  const inputs = typesOf(call, argument)
  const dtype = commonDtype('sparseHessian', inputs)
  const { outputs } = call.program
  const pattern = symmetricPattern(jacobianPattern(linearization, inputs, outputs))
  const { rowPointers, columns } = compressedRows(pattern)
  const size = totalSize(inputs)
  const shape = [size, size] as const
  const coloring = colorStars(pattern)
  const positions = positionsOf(pattern, coloring)
  const linear = forwardProgram(linearization, outputs)
  return (values) => {
    if (columns.length === 0)
      return { shape, rowPointers, columns, values: fullTensor([0], 0, dtype), products: 0 }
    const residuals = evaluate(linearization.primal, values).slice(outputs.length)
    const products = productsOfColors(linear, residuals, inputs, coloring)
    return { shape, rowPointers, columns, values: pick(products, positions), products: coloring.count }
  }
}

/**
 * Where to read each entry in the [colours, size] products: H_ij stands alone in row i of the product of
 * j's colour, unless i has other neighbours of that colour; then it does in row j of that of i's colour.
 */
function positionsOf({ rows }: SparsityPattern, { colors, count }: Coloring): Int32Array {
  const size = rows.length
  const positions: number[] = []
  const met = new Int32Array(count)
  rows.forEach((row, i) => {
    for (const j of row) met[colors[j] as number]!++
    for (const j of row) {
      const alone = met[colors[j] as number] === 1
      positions.push(alone ? (colors[j] as number) * size + i : (colors[i] as number) * size + j)
    }
    for (const j of row) met[colors[j] as number] = 0
  })
  return Int32Array.from(positions)
}
