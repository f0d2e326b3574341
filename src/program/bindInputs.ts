import type { Tensor } from '../tensor/tensor.js'
import { traceFlat } from './builder.js'
import { evaluate, type Program } from './program.js'
import type { Value, Var } from './value.js'

/**
 * The program with some inputs fixed (null leaves one free): what follows from them alone is computed at
 * once, so outputs of the result may be constants.
 */
export function bindInputs(program: Program, given: readonly (Tensor | null)[]): Program {
  const free = program.inputs.filter((_, i) => !given[i])
  return traceFlat((variables) => {
    let next = 0
    return evaluate(
      program,
      given.map((value): Value => value ?? (variables[next++] as Var)),
    )
  }, free).program
}
