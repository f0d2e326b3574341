import type { CompileOptions } from '../../../engines/index.js'
import type { Tensor } from '../../../tensor/tensor.js'
import type { Parameters } from '../../parameters.js'
import { damping } from '../../search.js'
import type { Formulation } from '../formulation.js'
import { productLevenbergMarquardt } from './productDescent.js'
import { noColumns, productObjective } from './productModel.js'
import { productResiduals } from './productResiduals.js'

/** A traced problem with products of its Jacobian only. What the data do not determine is not known. */
export async function productFormulation(
  f: (vector: Tensor) => unknown,
  given: Parameters<unknown>,
  options: CompileOptions,
): Promise<Formulation> {
  const residuals = await productResiduals(f, given.start, options)
  return {
    residuals: { ...residuals, derivatives: 'matrix-free', linearize: noColumns },
    objective: (treatment) => productObjective(residuals, treatment),
    descent: (signal) => productLevenbergMarquardt(given.bounded ? given : undefined, signal),
    search: damping(),
    undetermined: () => [],
  }
}
