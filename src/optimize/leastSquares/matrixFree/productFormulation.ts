import type { CompileOptions } from '../../../engines/index.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { damping } from '../../search.js'
import type { Formulation } from '../formulation.js'
import { productLevenbergMarquardt } from './productDescent.js'
import { noColumns, productObjective } from './productModel.js'
import { productResiduals } from './productResiduals.js'

/** A traced problem with products of its Jacobian only. What the data do not determine is not known. */
export async function productFormulation(
  f: (vector: Tensor) => unknown,
  start: Float64Array,
  options: CompileOptions,
): Promise<Formulation> {
  const residuals = await productResiduals(f, start, options)
  return {
    residuals: { ...residuals, derivatives: 'matrix-free', linearize: noColumns },
    objective: (treatment) => productObjective(residuals, treatment),
    descent: productLevenbergMarquardt,
    search: damping(),
    undetermined: () => [],
  }
}
