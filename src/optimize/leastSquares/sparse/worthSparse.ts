import { Tensor } from '../../../tensor/tensor.js'
import { trace } from '../../../transforms/index.js'
import { linearizeProgram } from '../../../transforms/linearize.js'
import { compressedRows, jacobianPattern } from '../../../transforms/sparsity/pattern.js'
import { countPairs } from '../../sparse/symmetric.js'
import { flatResidual } from '../residuals.js'
import { normalPattern } from './normalMatrix.js'

/** Fewer parameters than this are not worth a look at the pattern of their Jacobian. */
const leastParameters = 100
/** How many times more an operation on sparse matrices costs than one on dense ones. */
const sparseOverhead = 20

/**
 * Whether steps from a sparse Jacobian cost clearly less than from a dense one: products for the normal equations and
 * their factorisation, against 2 m n^2 operations of an orthogonal one.
 */
export function worthSparse(f: (vector: Tensor) => unknown, start: Float64Array): boolean {
  const n = start.length
  if (n < leastParameters) return false
  const { program } = trace(flatResidual(f), new Tensor(start))
  const [output] = program.outputs
  const affordable = (2 * output!.shape[0]! * n ** 2) / sparseOverhead
  const linearization = linearizeProgram(program, [true])
  const rows = compressedRows(jacobianPattern(linearization, program.inputs, [output!]))
  return 2 * countPairs(rows.rowPointers) <= affordable && normalPattern(rows, n).symbolic.flops <= affordable
}
