import type { CompileOptions } from '../../../engines/index.js'
import { optimize } from '../../../ops/optimize.js'
import { Tensor } from '../../../tensor/tensor.js'
import { type SparseMatrix, sparseJacobian, trace } from '../../../transforms/index.js'
import type { SparsityPattern } from '../../../transforms/sparsity/pattern.js'
import { type Awaitable, after } from '../../solver.js'
import { flatResidual, prepare } from '../residuals/residuals.js'
import type { SparseRows } from './sparseRows.js'

/** Residuals as functions of one vector, with their Jacobian as a sparse matrix. */
export interface SparseResiduals {
  readonly rows: number
  readonly parameters: number
  readonly pattern: Pick<SparseRows, 'rowPointers' | 'columns'>
  /** How many products a Jacobian costs. */
  readonly products: number
  readonly together: boolean
  residual(x: Float64Array): Awaitable<Float64Array>
  linearize(x: Float64Array): Awaitable<{ readonly residual: Float64Array; readonly jacobian: SparseRows }>
  dispose(): Promise<void>
}

/**
 * Traces residuals with their Jacobian, whose pattern is detected unless it is known, and whose columns are found together
 * by colours.
 */
export async function sparseResiduals(
  f: (vector: Tensor) => unknown,
  start: Float64Array,
  options: CompileOptions = {},
  pattern?: SparsityPattern,
): Promise<SparseResiduals> {
  const flat = flatResidual(f)
  const at = new Tensor(start)
  let found: SparseMatrix | undefined
  const both = trace((x: Tensor) => {
    found = sparseJacobian(flat, pattern && { pattern })(x)
    return [flat(x), found.values]
  }, at).program
  const { rowPointers, columns, products } = found!
  const [residual, linearize] = await Promise.all([
    prepare(optimize(trace(flat, at).program), options),
    prepare(optimize(both), options),
  ])
  return {
    rows: rowPointers.length - 1,
    parameters: start.length,
    pattern: { rowPointers, columns },
    products,
    together: false,
    residual: (x) => after(residual.run([new Tensor(x)]), ([r]) => r!.data as Float64Array),
    linearize: (x) =>
      after(linearize.run([new Tensor(x)]), ([r, values]) => ({
        residual: r!.data as Float64Array,
        jacobian: { rowPointers, columns, values: values!.data as Float64Array },
      })),
    dispose: async () => {
      await residual.dispose()
      await linearize.dispose()
    },
  }
}
