import { zeros } from '../../ops/slice.js'
import { traceFlat } from '../../program/builder.js'
import { evaluate } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'
import { fullTensor, type Tensor } from '../../tensor/tensor.js'
import { chooseInputs, typesOf } from '../call.js'
import type { Likes } from '../derivatives.js'
import { instantiate } from '../jvp.js'
import { type Linearization, linearizeProgram } from '../linearize.js'
import type { Arguments, StagedCall, TensorFunction } from '../stage.js'
import { transposeProgram } from '../transpose.js'
import { colorColumns } from './coloring.js'
import { commonDtype, pick, productsOfColors, type SparseMatrix } from './compressed.js'
import {
  compressedRows,
  jacobianPattern,
  type SparsityPattern,
  totalSize,
  transposePattern,
} from './pattern.js'
import { plannedByShape } from './plan.js'

export interface SparseOptions {
  /** Which argument to differentiate. Default 0. */
  readonly argument?: number
}

export interface SparseJacobianOptions extends SparseOptions {
  /** Where the Jacobian may differ from zero, where that is known. Default: found from the program. */
  readonly pattern?: SparsityPattern
}

/**
 * The function from the arguments of `f` to its Jacobian as a sparse matrix: rows are the elements of the
 * results end to end, columns those of the argument. Its pattern is found from the program, once for each
 * combination of shapes; columns without a row in common, or rows without a column in common, are found
 * by one product, forward or reverse, whichever needs fewer (Curtis, Powell, Reid 1974).
 *
 * The pattern holds for every input of these shapes; entries that happen to be zero are stored. Where an
 * operation does not say which elements it mixes, all are taken to be mixed: gathers by indices that are
 * computed from arguments, and factorisations. Scans are followed step by step, branches are united.
 * @throws when leaves of the argument or of the results differ in dtype, or a known pattern has another size.
 */
export function sparseJacobian<A extends Arguments>(
  f: (...args: A) => unknown,
  { argument = 0, pattern }: SparseJacobianOptions = {},
): (...args: Likes<A>) => SparseMatrix {
  const planned = plannedByShape(f as TensorFunction, (call) => planJacobian(call, argument, pattern))
  return (...args) => {
    const { plan, inputs } = planned(args)
    return plan(inputs)
  }
}

function planJacobian(
  call: StagedCall,
  argument: number,
  known: SparsityPattern | undefined,
): (inputs: readonly Value[]) => SparseMatrix {
  const linearization = linearizeProgram(call.program, chooseInputs('sparseJacobian', call, [argument]))
  const inputs = typesOf(call, argument)
  const { outputs } = call.program
  const dtype = commonDtype('sparseJacobian', [...inputs, ...outputs])
  const pattern = known ?? jacobianPattern(linearization, inputs, outputs)
  const shape = [totalSize(outputs), totalSize(inputs)] as const
  if (pattern.rows.length !== shape[0] || pattern.columns !== shape[1])
    throw new Error(
      `pattern: is of ${pattern.rows.length} by ${pattern.columns} elements, expected ${shape[0]} by ${shape[1]} as the Jacobian`,
    )
  const { rowPointers, columns } = compressedRows(pattern)
  const byColumns = colorColumns(pattern)
  const byRows = colorColumns(transposePattern(pattern))
  const forward = byColumns.count <= byRows.count
  const coloring = forward ? byColumns : byRows
  const linear = forward
    ? forwardProgram(linearization, outputs)
    : reverseProgram(linearization, inputs, outputs)
  const positions = Int32Array.from(columns)
  pattern.rows.forEach((row, i) => {
    row.forEach((j, k) => {
      const [color, place] = forward ? [coloring.colors[j], i] : [coloring.colors[i], j]
      positions[(rowPointers[i] as number) + k] = (color as number) * (forward ? shape[0] : shape[1]) + place
    })
  })
  return (values) => {
    if (columns.length === 0)
      return { shape, rowPointers, columns, values: fullTensor([0], 0, dtype), products: 0 }
    const residuals = evaluate(linearization.primal, values).slice(outputs.length)
    const products = productsOfColors(linear, residuals, forward ? inputs : outputs, coloring)
    return {
      shape,
      rowPointers,
      columns,
      values: pick(products, positions) as Tensor,
      products: coloring.count,
    }
  }
}

/** Tangents of all outputs, zeros included. */
export function forwardProgram({ linear, moves }: Linearization, outputs: readonly Type[]) {
  let next = 0
  return {
    ...linear,
    outputs: outputs.map((output, i) => (moves[i] ? linear.outputs[next++]! : zeros(output))),
  }
}

/** Residuals and cotangents of all outputs to cotangents of the inputs. */
function reverseProgram({ linear, moves }: Linearization, inputs: readonly Type[], outputs: readonly Type[]) {
  const residuals = linear.inputs.slice(0, linear.inputs.length - inputs.length)
  return traceFlat(
    (values) => {
      const cotangents = values.slice(residuals.length).filter((_, i) => moves[i])
      const known = [...values.slice(0, residuals.length), ...inputs.map(() => null)]
      const back = transposeProgram(linear, known, cotangents)
      return inputs.map((input, i) => instantiate(back[i], input))
    },
    [...residuals, ...outputs],
  ).program
}
