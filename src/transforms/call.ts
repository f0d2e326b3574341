import type { Type, Value } from '../program/value.js'
import { showType } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import { leafNames, type Structure, type Tree, unflatten } from '../tensor/tree.js'
import type { StagedCall } from './stage.js'

/** The public face of a flat result: inside a traced function its tensors are traced values. */
export function rebuild<T>(structure: Structure, values: readonly Value[]): T {
  return unflatten(structure, values as readonly Tensor[]) as unknown as T
}

/** Marks the program inputs that belong to the chosen arguments; they must exist and be floats. */
export function chooseInputs(where: string, call: StagedCall, chosen: readonly number[]): boolean[] {
  for (const argument of chosen) {
    const structure = call.structures[argument]
    if (!structure)
      throw new Error(`${where}: argument ${argument} does not exist, the call has ${call.structures.length}`)
    const names = leafNames(structure)
    typesOf(call, argument).forEach((type, i) => {
      if (!isFloat(type.dtype))
        throw new Error(
          `${where}: argument ${argument}${names[i] ? ` at ${names[i]}` : ''} is ${showType(type)}; ` +
            'derivatives need float32 or float64, cast it or differentiate another argument',
        )
    })
  }
  return call.argument.map((argument) => chosen.includes(argument))
}

/** The types of an argument's leaves. */
export function typesOf(call: StagedCall, argument: number): Value[] {
  return call.inputs.filter((_, i) => call.argument[i] === argument)
}

/** Splits flat values of the chosen arguments into one tree each. */
export function rebuildArguments<T>(
  call: StagedCall,
  chosen: readonly number[],
  values: readonly Value[],
): Tree<T>[] {
  let next = 0
  return chosen.map((argument) => {
    const count = typesOf(call, argument).length
    next += count
    return rebuild(call.structures[argument] as Structure, values.slice(next - count, next))
  })
}

/** The only output of a call, which must be one float number. @throws naming what came instead. */
export function scalarOutput(where: string, outputs: readonly Type[]): Type {
  const [output] = outputs
  if (outputs.length !== 1 || !output || output.shape.some((n) => n !== 1) || !isFloat(output.dtype))
    throw new Error(
      `${where}: the function returned ${outputs.map(showType).join(', ') || 'nothing'}, ` +
        'expected one float number; reduce it with sum or mean, or use jacobian',
    )
  return output
}
