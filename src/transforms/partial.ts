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

export interface SplitOptions {
  /** Outputs that the second part returns even if they are known. */
  readonly later?: readonly boolean[]
  /** Leaves equations with sub-programs in one piece. */
  readonly whole?: boolean
}

/**
 * Partial evaluation: equations that need no unknown input go to the first part; the values that the
 * second part needs from it are its residuals. An equation with sub-programs may itself be cut in two.
 */
export function splitProgram(
  program: Program,
  unknownInputs: readonly boolean[],
  { later, whole = false }: SplitOptions = {},
): Parts {
  const unknown = new Set<Value>(program.inputs.filter((_, i) => unknownInputs[i]))
  const known: Equation[] = []
  const rest: Equation[] = []
  for (const equation of program.equations) {
    const { primitive, inputs, params } = equation
    const flags = inputs.map((input) => unknown.has(input))
    if (!flags.includes(true)) {
      known.push(equation)
      continue
    }
    const cut = (!whole && primitive.split?.(equation, flags, params)) || { known: [], unknown: [equation] }
    known.push(...cut.known)
    rest.push(...cut.unknown)
    for (const { outputs } of cut.unknown) for (const output of outputs) unknown.add(output)
  }
  const residuals = new Set<Var>()
  const note = (value: Value) => {
    if (value instanceof Var && !unknown.has(value)) residuals.add(value)
  }
  for (const equation of rest) equation.inputs.forEach(note)
  const knownOutputs = program.outputs.map((output, i) => !unknown.has(output) && !later?.[i])
  program.outputs.forEach((output, i) => {
    if (!knownOutputs[i]) note(output)
  })
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
