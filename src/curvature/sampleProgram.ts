import type { Program } from '../program/program.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import { trace } from '../transforms/index.js'
import type { Problem } from './problem.js'

/** The model's program for one sample: (parameters, input) to outputs. */
export function sampleProgram({ parameters, apply, inputs }: Problem): Program {
  const sample = fullTensor([1, ...inputs.shape.slice(1)], 0, inputs.dtype)
  return trace((p: typeof parameters, x: Tensor) => apply(p, x), parameters as never, sample).program
}
