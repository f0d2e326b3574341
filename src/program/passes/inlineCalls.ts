import { bind, traceFlat } from '../builder.js'
import { type Environment, type Program, read } from '../program.js'
import type { Value } from '../value.js'

/**
 * Replaces operations that only stand for others until derivatives are taken by those, all the way down.
 * Returns the same object when there are none.
 */
export function inlineCalls(program: Program): Program {
  if (!program.equations.some(({ primitive }) => primitive.inline)) return program
  return inlineCalls(traceFlat((inputs) => expand(program, inputs), program.inputs).program)
}

function expand(program: Program, inputs: readonly Value[]): Value[] {
  const environment: Environment = new Map()
  program.inputs.forEach((variable, i) => {
    environment.set(variable, inputs[i] as Value)
  })
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const at = inputs.map((input) => read(environment, input))
    const results = primitive.inline?.(at, params) ?? bind(primitive, at, params)
    outputs.forEach((variable, i) => {
      environment.set(variable, results[i] as Value)
    })
  }
  return program.outputs.map((output) => read(environment, output))
}
