import type { Equation, Program } from '../program.js'
import { type Value, Var } from '../value.js'

/** Drops the equations that no output depends on. Returns the same object when there are none. */
export function eliminateDeadCode(program: Program): Program {
  const needed = new Set<Value>(program.outputs)
  const kept: Equation[] = []
  let changed = false
  for (const equation of [...program.equations].reverse()) {
    const used = equation.outputs.map((variable) => needed.has(variable))
    const { primitive, params } = equation
    const pruned = used.includes(true) ? (primitive.prune?.(equation, used, params) ?? equation) : undefined
    if (pruned !== equation) changed = true
    if (!pruned) continue
    kept.push(pruned)
    for (const input of pruned.inputs) if (input instanceof Var) needed.add(input)
  }
  return changed ? { ...program, equations: kept.reverse() } : program
}
