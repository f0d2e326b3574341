import { print } from '../program/print.js'
import type { Program } from '../program/program.js'
import type { Structure } from '../tensor/tree.js'
import { flattenEach, stage, type TensorFunction } from './stage.js'

/** A function of trees recorded as a program, with the structures of its arguments and result. */
export interface TracedFunction {
  readonly program: Program
  /** The array of arguments. */
  readonly inputStructure: Structure
  readonly outputStructure: Structure
  toString(): string
}

/**
 * Records what `f` does on arguments with the shapes and dtypes of `args` (their values do not matter).
 * @throws when f uses traced values of an enclosing function: trace that one instead.
 */
export function trace(f: TensorFunction, ...args: readonly unknown[]): TracedFunction {
  const { values, structure } = flattenArguments(args)
  const { program, captured, outputStructure } = stage(f, structure, values)
  if (captured.length > 0)
    throw new Error(
      `trace: the function uses ${captured.length} traced value(s) from outside; pass them as arguments`,
    )
  return { program, inputStructure: structure, outputStructure, toString: () => print(program) }
}

/** Arguments as values; the structure is that of the array of arguments, even when all are numbers. */
export function flattenArguments(args: readonly unknown[]) {
  const flat = flattenEach(args)
  return {
    values: flat.flatMap((x) => x.values),
    structure: { kind: 'array', children: flat.map((x) => x.structure) } as Structure,
  }
}
