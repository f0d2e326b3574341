import type { Tensor } from '../../tensor/tensor.js'
import type { Problem } from '../problem.js'
import type { OperatorOptions, SymmetricCurvature } from './curvatureOperator.js'
import { lossFisher } from './outputCurvature.js'

/**
 * The covariance (1/N) sum_i (g_i - g)(g_i - g)^T of the samples' gradients g_i about their mean g: the noise of a
 * stochastic gradient with one sample. Its trace is the noise in all directions together.
 * `gradient` is g, as `lossAndGradient` returns it; after `moveTo` the operator would need another one, so it does not move.
 */
export async function gradientCovariance(
  problem: Problem,
  gradient: Float64Array,
  options: Omit<OperatorOptions, 'moves'> = {},
): Promise<SymmetricCurvature> {
  const second = await lossFisher(problem, { ...options, kind: 'empirical' })
  if (gradient.length !== second.rows)
    throw new Error(
      `gradientCovariance: gradient has ${gradient.length} elements, expected ${second.rows}, one for each parameter`,
    )
  const centred = (products: (vectors: Tensor) => Tensor | Promise<Tensor>) => async (vectors: Tensor) => {
    const images = await products(vectors)
    const [k, n] = vectors.shape as [number, number]
    for (let i = 0; i < k; i++) {
      let along = 0
      for (let j = 0; j < n; j++) along += gradient[j]! * vectors.data[i * n + j]!
      for (let j = 0; j < n; j++) images.data[i * n + j]! -= along * gradient[j]!
    }
    return images
  }
  const apply = centred(second.apply)
  return { ...second, apply, applyTranspose: apply }
}
