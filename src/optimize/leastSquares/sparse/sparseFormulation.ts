import type { CompileOptions } from '../../../engines/index.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { trustRegion } from '../../search.js'
import { after } from '../../solver.js'
import type { Formulation } from '../formulation.js'
import { normalPattern } from './normalMatrix.js'
import { scaledNormal, undeterminedOf } from './scaledNormal.js'
import { sparseLevenbergMarquardt } from './sparseDescent.js'
import { type SparseModel, sparseObjective } from './sparseModel.js'
import { sparseResiduals } from './sparseResiduals.js'
import { denseColumns } from './sparseRows.js'

/** A traced problem with a sparse Jacobian and sparse Cholesky factors of its normal equations. */
export async function sparseFormulation(
  f: (vector: Tensor) => unknown,
  start: Float64Array,
  options: CompileOptions,
): Promise<Formulation> {
  const residuals = await sparseResiduals(f, start, options)
  const normal = normalPattern(residuals.pattern, start.length)
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
    objective: (treatment) => sparseObjective(residuals, treatment),
    descent: () => sparseLevenbergMarquardt(normal),
    search: trustRegion(),
    undetermined: (model) => undeterminedOf(scaledNormal(normal, model as SparseModel)),
  }
}
