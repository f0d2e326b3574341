import type { Equation, Program } from '../program.js'
import { type Value, Var } from '../value.js'

/**
 * Drops the equations for whose outputs `find` knows other values, and uses those instead. `find` sees
 * each equation with its inputs already replaced. Returns the same object when nothing is dropped.
 */
export function replaceEquations(
  program: Program,
  find: (equation: Equation) => readonly Value[] | undefined,
): Program {
  const replaced = new Map<Var, Value>()
  const current = (value: Value) => (value instanceof Var ? (replaced.get(value) ?? value) : value)
  const equations: Equation[] = []
  for (const original of program.equations) {
    const touched = original.inputs.some((input) => current(input) !== input)
    const equation = touched ? { ...original, inputs: original.inputs.map(current) } : original
    const found = find(equation)
    if (!found) equations.push(equation)
    else
      original.outputs.forEach((variable, i) => {
        replaced.set(variable, found[i] as Value)
      })
  }
  return replaced.size ? { ...program, equations, outputs: program.outputs.map(current) } : program
}
