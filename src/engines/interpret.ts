import type { Program } from '../program/program.js'
import { prepareProgram } from '../program/run.js'
import { sameType, showType, type Var } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * The reference engine: evaluates a program equation by equation, dropping each tensor after its last use.
 * @throws when the inputs are not of the program's number and types.
 */
export function interpret(program: Program, inputs: readonly Tensor[]): Tensor[] {
  checkInputs(program, inputs)
  return prepareProgram(program)(inputs)
}

/** @throws when tensors do not have the number and types of a program's inputs. */
export function checkInputs(program: Program, inputs: readonly Tensor[]): void {
  if (inputs.length !== program.inputs.length)
    throw new Error(`program: got ${inputs.length} inputs, expected ${program.inputs.length}`)
  for (let i = 0; i < inputs.length; i++) {
    const [got, expected] = [inputs[i] as Tensor, program.inputs[i] as Var]
    if (!sameType(got, expected))
      throw new Error(`program: input ${i} is ${showType(got)}, expected ${showType(expected)}`)
  }
}
