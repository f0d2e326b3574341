import type { CompileOptions } from '../../../engines/index.js'
import type { Tensor } from '../../../tensor/tensor.js'
import type { Parameters } from '../../parameters.js'
import { trustRegion } from '../../search.js'
import { after } from '../../solver.js'
import type { Formulation } from '../formulation.js'
import { normalPattern } from './normalMatrix.js'
import { undeterminedOf } from './scaledNormal.js'
import { sparseTrustRegion } from './sparseDescent.js'
import { type SparseModel, sparseObjective } from './sparseModel.js'
import { sparseResiduals } from './sparseResiduals.js'
import { denseColumns } from './sparseRows.js'
import type { Sparsity } from './worthSparse.js'

/** A traced problem with a sparse Jacobian and sparse Cholesky factors of its normal equations. */
export async function sparseFormulation(
  f: (vector: Tensor) => unknown,
  given: Parameters<unknown>,
  options: CompileOptions,
  known?: Sparsity,
): Promise<Formulation> {
  const { start, bounded } = given
  const residuals = await sparseResiduals(f, start, options, known?.jacobian)
  const pattern = known?.normal ?? normalPattern(residuals.pattern, start.length)
  return {
    residuals: {
      ...residuals,
      derivatives: 'sparse',
      linearize: (x) =>
        after(residuals.linearize(x), ({ residual, jacobian }) => ({
          residual,
          columns: denseColumns(jacobian, x.length),
        })),
    },
    objective: (treatment) => sparseObjective(residuals, pattern, treatment),
    descent: () => sparseTrustRegion(pattern, bounded ? given : undefined),
    search: trustRegion(),
    undetermined: (model) => undeterminedOf((model as SparseModel).normal),
  }
}
