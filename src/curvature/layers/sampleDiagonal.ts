import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { vjp, vmap } from '../../transforms/index.js'
import { type BatchSumsOptions, batchSums } from '../operators/batchSums.js'
import { type FisherKind, noiseOf, scoresOf } from '../operators/fisherScores.js'
import type { FlatProblem } from '../parameters.js'

/**
 * The mean over samples of sum_c (J_n^T s_nc)^2: the diagonal of a Fisher matrix from each sample's own gradients.
 */
export async function sampleDiagonal(
  problem: FlatProblem,
  options: FisherKind & BatchSumsOptions,
): Promise<Float64Array> {
  const samples = problem.inputs.shape[0]!
  const [sum] = await batchSums(
    'fisherDiagonal',
    problem,
    (batch) => ({
      extra: noiseOf(problem, options, batch),
      compute(theta, [x, y, w, ...z]) {
        const outputs = problem.apply(theta, x!)
        const scores = np.moveaxis(scoresOf(problem.loss, options)(outputs, y!, z), 0, 1)
        const squares = vmap((one: Tensor, of: Tensor, weight: Tensor) => {
          const model = (part: Tensor) => problem.apply(part, np.expandDims(one, 0))
          const [, pull] = vjp(model, theta)
          const gradients = vmap((score: Tensor) => pull(np.expandDims(score, 0))[0] as Tensor)(of)
          return np.multiply(np.sum(np.square(gradients), { axis: 0 }), weight)
        })(x!, scores, w!)
        return [np.sum(squares, { axis: 0 })]
      },
    }),
    options,
  )
  return Float64Array.from(sum!, (value) => value / samples)
}
