import type { Program } from '../program/program.js'
import { sameType, type Type, type Value, Var } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Structure, sameStructure } from '../tensor/tree.js'
import { rebuild } from '../transforms/call.js'
import type { TensorFunction } from '../transforms/stage.js'
import { flattenArguments, trace } from '../transforms/trace.js'

interface Specialization<T> {
  readonly structure: Structure
  readonly types: readonly Type[]
  readonly outputStructure: Structure
  readonly compiled: T
}

/**
 * A function that traces and compiles `f` once for each combination of shapes and dtypes it is called
 * with. `finish` turns a compiled program and its inputs into what the call returns. Called with traced
 * values, it is `f` itself, so that compiled functions can be differentiated.
 */
export function specialize<T>(
  f: TensorFunction,
  compileProgram: (program: Program) => T,
  finish: (
    compiled: T,
    inputs: readonly Tensor[],
    rebuildResult: (outputs: readonly Value[]) => unknown,
  ) => unknown,
): (...args: unknown[]) => unknown {
  const known: Specialization<T>[] = []
  return (...args) => {
    const { values, structure } = flattenArguments(args)
    if (values.some((value) => value instanceof Var)) return f(...args)
    let found = known.find((entry) => matches(entry, structure, values))
    if (!found) {
      const { program, outputStructure } = trace(f, ...args)
      const types = values.map(({ dtype, shape }) => ({ dtype, shape }))
      found = { structure, types, outputStructure, compiled: compileProgram(program) }
      known.push(found)
    }
    const { compiled, outputStructure } = found
    return finish(compiled, values as Tensor[], (outputs) => rebuild(outputStructure, outputs))
  }
}

function matches(entry: Specialization<unknown>, structure: Structure, values: readonly Value[]): boolean {
  if (entry.types.length !== values.length || !sameStructure(entry.structure, structure)) return false
  for (let i = 0; i < values.length; i++) if (!sameType(entry.types[i]!, values[i]!)) return false
  return true
}
