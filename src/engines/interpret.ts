import type { Program } from '../program/program.js'
import { sameType, showType, type Value, Var } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * The reference engine: evaluates a program equation by equation, dropping each tensor after its last use.
 * @throws when the inputs are not of the program's number and types.
 */
export function interpret(program: Program, inputs: readonly Tensor[]): Tensor[] {
  checkInputs(program, inputs)
  const last = lastUses(program)
  const environment = new Map<Var, Tensor>()
  program.inputs.forEach((variable, i) => {
    if (last.has(variable)) environment.set(variable, inputs[i] as Tensor)
  })
  const read = (value: Value): Tensor => (value instanceof Var ? (environment.get(value) as Tensor) : value)
  program.equations.forEach(({ primitive, inputs, params, outputs }, i) => {
    const results = primitive.evaluate(inputs.map(read), params, outputs)
    outputs.forEach((variable, k) => {
      if (last.has(variable)) environment.set(variable, results[k] as Tensor)
    })
    for (const input of inputs) if (input instanceof Var && last.get(input) === i) environment.delete(input)
  })
  return program.outputs.map(read)
}

/** The index of the last equation that reads each variable; Infinity for those that are returned. */
export function lastUses(program: Program): Map<Var, number> {
  const last = new Map<Var, number>()
  program.equations.forEach(({ inputs }, i) => {
    for (const input of inputs) if (input instanceof Var) last.set(input, i)
  })
  for (const output of program.outputs) if (output instanceof Var) last.set(output, Number.POSITIVE_INFINITY)
  return last
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
