import type { Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { forecast } from '../../program/forecast.js'
import type { Tensor } from '../../tensor/tensor.js'
import { vjp, vmap } from '../../transforms/index.js'
import { type BatchSumsOptions, batchSums } from '../operators/batchSums.js'
import { type FisherKind, noiseOf, scoresOf } from '../operators/fisherScores.js'
import { inPrecision, type Precision } from '../operators/precision.js'
import { type FlatProblem, flatProblem, type Selection } from '../parameters.js'
import type { Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'
import { type Layer, modelProgram } from './find.js'
import { mapsOf, probeTypes, tapped } from './tapped.js'

/** What a layer sees in a batch: its inputs, a 1 behind them where it has a bias, and the gradients of its outputs. */
export interface LayerView {
  readonly layer: Layer
  /** [samples, positions, inputs (+ 1)] */
  readonly inputs: Tensor
  /** [scores, samples, positions, outputs]: of sum_j s_j f_j for each score s; 0 for samples that fill the batch up. */
  readonly gradients: Tensor
  /** 1 for samples, 0 for those that fill the batch up. */
  readonly weights: Tensor
}

/**
 * Sums over the data set what `measure` makes of every layer's view, for the scores of a Fisher matrix: the inputs and
 * output gradients that all curvature by layers is made of. Results are in the order of the layers.
 */
export async function layerPass(
  where: string,
  problem: FlatProblem,
  layers: readonly Layer[],
  fisher: FisherKind,
  measure: (view: LayerView) => Tensor[],
  options: BatchSumsOptions,
): Promise<Vector[]> {
  return batchSums(
    where,
    problem,
    (samples) => {
      const program = modelProgram(problem, samples)
      const maps = mapsOf(program, layers, samples)
      const run = tapped(program, layers)
      const zeros = probeTypes(program, layers).map(({ shape, dtype }) => np.zeros(shape, { dtype }))
      return {
        extra: noiseOf(problem, fisher, samples),
        compute(theta, [x, y, w, ...z]) {
          const { outputs, activations } = run(theta, x!, zeros)
          const [, pull] = vjp((probes: Tensor[]) => run(theta, x!, probes).outputs, zeros)
          const perSample = np.reshape(w!, [samples, ...outputs.shape.slice(1).map(() => 1)])
          const scores = np.multiply(scoresOf(problem.loss, fisher)(outputs, y!, z), perSample)
          const gradients = vmap((score: Tensor) =>
            pull(score)[0].map((g, i) => maps[i]!.outputs(g) as Tensor),
          )(scores)
          return layers.flatMap((layer, i) =>
            measure({
              layer,
              inputs: withOne(activations[i]!, layer.bias),
              gradients: gradients[i]!,
              weights: w!,
            }),
          )
        },
      }
    },
    options,
  )
}

/** The problem in the precision asked for; with `auto` the operations of one pass forward over the data decide. */
export function layerProblem(
  problem: Problem,
  precision: Precision = 'auto',
  parameters?: Selection,
): FlatProblem {
  requireProblem(problem)
  return inPrecision(
    precision,
    (dtype) => flatProblem(problem, dtype, parameters),
    (flat) => forecast(modelProgram(flat, 1)).flops * flat.inputs.shape[0]!,
  )
}

function withOne(inputs: Tensor, bias: boolean): Tensor {
  const [n, t] = inputs.shape as [number, number]
  return bias ? np.concatenate([inputs, np.ones([n, t, 1], { dtype: inputs.dtype })], { axis: 2 }) : inputs
}
