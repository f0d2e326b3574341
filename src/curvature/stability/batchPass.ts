import { compileProgram } from '../../engines/index.js'
import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { castTensor } from '../../tensor/tensor.js'
import { trace } from '../../transforms/index.js'
import { flatProblem, type Selection } from '../parameters.js'
import { batchesOf, type Problem } from '../problem.js'

export interface PassOptions {
  /** Samples in a batch. */
  readonly batch: number
  /** Default float64. */
  readonly precision?: 'float32' | 'float64'
  /** The parameters in question. Default all. */
  readonly parameters?: Selection
}

/** A computation with the mean loss of one batch, compiled once for all. */
export interface BatchPass {
  /** Whole batches; samples that fill none are left out. */
  readonly batches: number
  run(index: number): Promise<Float64Array[]>
  dispose(): Promise<void>
}

/** Prepares `of(loss, theta)`, where loss(theta) is the mean over a batch's samples. */
export async function batchPass(
  problem: Problem,
  { batch, precision = 'float64', parameters }: PassOptions,
  of: (loss: (theta: Tensor) => Tensor, theta: Tensor) => Tensor[],
): Promise<BatchPass> {
  const flat = flatProblem(problem, precision, parameters)
  const batches = batchesOf(flat, batch).slice(0, Math.floor(flat.inputs.shape[0]! / batch))
  const [first] = batches
  const { program } = trace(
    (theta: Tensor, x: Tensor, y: Tensor) =>
      of((vector) => np.mean(flat.loss.perSample(flat.apply(vector, x), y)), theta),
    flat.theta,
    first!.inputs,
    first!.targets,
  )
  const executable = await compileProgram(program)
  return {
    batches: batches.length,
    async run(index) {
      const { inputs, targets } = batches[index]!
      const outputs = await executable.run([flat.theta, inputs, targets])
      return outputs.map((output) => castTensor(output, 'float64').data as Float64Array)
    },
    dispose: () => executable.dispose(),
  }
}
