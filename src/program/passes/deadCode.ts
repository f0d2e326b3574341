import type { Program } from '../program.js'
import { type Value, Var } from '../value.js'

/** Drops the equations that no output depends on. Returns the same object when there are none. */
export function eliminateDeadCode(program: Program): Program {
  const needed = new Set<Value>(program.outputs)
  const kept = [...program.equations]
    .reverse()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((variable) => needed.has(variable))) return false
      for (const input of inputs) if (input instanceof Var) needed.add(input)
      return true
    })
    .reverse()
  return kept.length === program.equations.length ? program : { ...program, equations: kept }
}
