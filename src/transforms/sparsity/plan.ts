import { sameType, type Type, typeOf, type Value } from '../../program/value.js'
import { type Structure, sameStructure } from '../../tensor/tree.js'
import { flattenEach, type StagedCall, stageCall, type TensorFunction } from '../stage.js'

interface Entry<P> {
  readonly types: readonly Type[]
  readonly structures: readonly Structure[]
  readonly plan: P
}

/**
 * Prepares `f` once for each combination of shapes and dtypes of its arguments, and gives back what was
 * prepared with the values of a call. A function that uses traced values from outside is prepared at every call.
 */
export function plannedByShape<P>(f: TensorFunction, prepare: (call: StagedCall) => P) {
  const known: Entry<P>[] = []
  return (args: readonly unknown[]): { plan: P; inputs: readonly Value[] } => {
    const flat = flattenEach(args)
    const values = flat.flatMap((x) => x.values)
    const structures = flat.map((x) => x.structure)
    const found = known.find(
      (entry) =>
        entry.types.length === values.length &&
        entry.types.every((type, i) => sameType(type, values[i] as Value)) &&
        sameStructure({ kind: 'array', children: entry.structures }, { kind: 'array', children: structures }),
    )
    if (found) return { plan: found.plan, inputs: values }
    const call = stageCall(f, args)
    const plan = prepare(call)
    if (call.captured.length === 0) known.push({ types: values.map(typeOf), structures, plan })
    return { plan, inputs: call.inputs }
  }
}
