import type { Equation, Program } from '../program/program.js'
import { type Value, Var } from '../program/value.js'

/** A program cut in two: what follows from the known inputs, and the rest. */
export interface Parts {
  /** Known inputs to the residuals, after the known outputs. */
  readonly known: Program
  /** Residuals followed by the unknown inputs, to the unknown outputs. */
  readonly unknown: Program
  /** Which outputs the known part returns. */
  readonly knownOutputs: readonly boolean[]
}

/**
 * Partial evaluation: equations that need no unknown input go to the first part; the values that the
 * second part needs from it are its residuals.
 */
export function splitProgram(program: Program, unknownInputs: readonly boolean[]): Parts {
  const unknown = new Set<Value>(program.inputs.filter((_, i) => unknownInputs[i]))
  const known: Equation[] = []
  const rest: Equation[] = []
  for (const equation of program.equations)
    if (equation.inputs.some((input) => unknown.has(input))) {
      rest.push(equation)
      for (const output of equation.outputs) unknown.add(output)
    } else known.push(equation)
  const residuals = new Set<Var>()
  const note = (value: Value) => {
    if (value instanceof Var && !unknown.has(value)) residuals.add(value)
  }
  for (const equation of rest) equation.inputs.forEach(note)
  const knownOutputs = program.outputs.map((output) => !unknown.has(output))
  return {
    known: {
      inputs: program.inputs.filter((_, i) => !unknownInputs[i]),
      equations: known,
      outputs: [...program.outputs.filter((_, i) => knownOutputs[i]), ...residuals],
    },
    unknown: {
      inputs: [...residuals, ...program.inputs.filter((_, i) => unknownInputs[i])],
      equations: rest,
      outputs: program.outputs.filter((_, i) => !knownOutputs[i]),
    },
    knownOutputs,
  }
}
