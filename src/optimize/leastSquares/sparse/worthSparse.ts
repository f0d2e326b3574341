import { Tensor } from '../../../tensor/tensor.js'
import { trace } from '../../../transforms/index.js'
import { linearizeProgram } from '../../../transforms/linearize.js'
import {
  compressedRows,
  jacobianPattern,
  type SparsityPattern,
} from '../../../transforms/sparsity/pattern.js'
import { countPairs } from '../../sparse/symmetric.js'
import { flatResidual } from '../residuals/residuals.js'
import { type NormalPattern, normalPattern } from './normalMatrix.js'

/** Fewer parameters than this are not worth a look at the pattern of their Jacobian. */
const leastParameters = 100
/** How many times more an operation on sparse matrices costs than one on dense ones. */
const sparseOverhead = 20

/** Where a Jacobian and its normal equations may differ from zero. */
export interface Sparsity {
  readonly jacobian: SparsityPattern
  readonly normal: NormalPattern
}

/**
 * The pattern of a Jacobian from which steps cost clearly less than from a dense one: products for the normal equations
 * and their factorisation, against 2 m n^2 operations of an orthogonal one. Nothing where they do not.
 */
export function worthSparse(f: (vector: Tensor) => unknown, start: Float64Array): Sparsity | undefined {
  const n = start.length
  if (n < leastParameters) return undefined
  const { program } = trace(flatResidual(f), new Tensor(start))
  const [output] = program.outputs
  const affordable = (2 * output!.shape[0]! * n ** 2) / sparseOverhead
  const jacobian = jacobianPattern(linearizeProgram(program, [true]), program.inputs, [output!])
  const rows = compressedRows(jacobian)
  if (2 * countPairs(rows.rowPointers) > affordable) return undefined
  const normal = normalPattern(rows, n)
  return normal.symbolic.flops <= affordable ? { jacobian, normal } : undefined
}
