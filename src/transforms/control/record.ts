import { evaluate, type Program } from '../../program/program.js'
import { showType, type Type, type Value, type Var } from '../../program/value.js'
import type { Structure } from '../../tensor/tree.js'
import { flattenLike, flattenValues, type Staged, stage, type TensorFunction } from '../stage.js'
import { traceGroups } from './groups.js'

/** A tree of arguments as values, nothing as the empty tree. */
export function flattenTree(tree: unknown) {
  return flattenValues(tree ?? [])
}

/** Several functions of the same operands as closed programs: outer values that any of them uses come first. */
export interface Recorded {
  readonly programs: Program[]
  readonly captured: Var[]
}

/** Programs of the same operands made to take what any of them captured. */
export function closeTogether(staged: readonly Staged[], operands: readonly Type[]): Recorded {
  const captured = [...new Set(staged.flatMap((one) => one.captured))]
  const programs = staged.map((one) =>
    traceGroups([captured, operands], (outer, given) => {
      const own = one.captured.map((variable) => outer?.[captured.indexOf(variable)] as Value)
      return evaluate(one.program, [...own, ...(given as Value[])])
    }),
  )
  return { programs, captured }
}

/** Records `f` with its result made like a tree of given types. @throws naming the leaf that differs. */
export function stageLike(
  f: TensorFunction,
  inputs: { readonly structure: Structure; readonly values: readonly Type[] },
  what: string,
  expected: { readonly structure: Structure; readonly values: readonly Type[] },
): Staged {
  const structure: Structure = { kind: 'array', children: [inputs.structure] }
  return stage((x) => flattenLike(what, f(x), expected.structure, expected.values), structure, inputs.values)
}

/** @throws unless a value is one number, such as a predicate or an index. */
export function expectScalar(what: string, value: Type): void {
  if (value.shape.length > 0)
    throw new Error(`${what} is ${showType(value)}, expected one value of shape []; reduce it or use vmap`)
}
