import { type ArrayLike, toValue } from '../numpy/convert.js'
import { traceFlat } from '../program/builder.js'
import type { Program } from '../program/program.js'
import { sameType, showType, type Type, type Value, Var } from '../program/value.js'
import { type NestedNumbers, Tensor, tensor } from '../tensor/tensor.js'
import { flatten, leafNames, type Structure, showStructure, type Tree, unflatten } from '../tensor/tree.js'

export type { ArrayLike } from '../numpy/convert.js'

/** Nested arrays and plain objects of tensors. */
export type Tensors = Tree<Tensor>

/** The arguments that a function of tensors `T` may be called with. */
export type Like<T> = [Tensors] extends [T]
  ? Tree<ArrayLike>
  : T extends ArrayLike
    ? ArrayLike
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: Like<T[K]> }
      : T extends object
        ? { readonly [K in keyof T]: Like<T[K]> }
        : T

/** What comes back for an argument of type `T`: the same tree with tensors for leaves. It undoes {@link Like}. */
export type Tensored<T> = 0 extends 1 & T
  ? T
  : [Tensors] extends [T]
    ? Tensors
    : T extends ArrayLike
      ? Tensor
      : T extends object
        ? { [K in keyof T]: Tensored<T[K]> }
        : T

/** The arguments of a function of tensors; `any` so that those of a lambda need no annotation. */
// biome-ignore lint/suspicious/noExplicitAny: as said
export type Arguments = readonly any[]

/** A function from trees of tensors to a tree of tensors, of any arity. */
// biome-ignore lint/suspicious/noExplicitAny: arguments are checked where the function is called
export type TensorFunction<R = unknown> = (...args: any[]) => R

/** Leaves of a call's arguments: tensors, traced values, numbers, typed arrays, nested arrays of numbers. */
export function isLeaf(node: unknown): boolean {
  return node instanceof Tensor || node instanceof Var || ArrayBuffer.isView(node) || isNumbers(node)
}

function isNumbers(node: unknown): boolean {
  if (Array.isArray(node)) return node.length > 0 && node.every(isNumbers)
  return typeof node === 'number' || typeof node === 'boolean'
}

/** Leaves as values, with the structure that puts them together again. */
export interface FlatValues {
  readonly values: Value[]
  readonly structure: Structure
}

export function flattenValues(tree: unknown, name?: string): FlatValues {
  const { leaves, structure } = flatten<unknown>(tree as Tree<unknown>, isLeaf, name)
  return { values: leaves.map(toValue), structure }
}

export const flattenEach = (args: readonly unknown[]): FlatValues[] =>
  args.map((x, i) => flattenValues(x, `argument ${i}`))

/**
 * Flattens a tree that must match another: its tangents, cotangents or directions. Numbers and arrays take
 * the dtype of what they match; tensors must have it.
 */
export function flattenLike(
  where: string,
  given: unknown,
  structure: Structure,
  types: readonly Type[],
): Value[] {
  const leaves = leavesLike(structure, given)
  if (!leaves) {
    const got = given === undefined ? 'nothing' : describe(flatten(given as Tree<unknown>, isLeaf).structure)
    throw new Error(`${where}: got ${got}, expected ${describe(structure)}`)
  }
  const names = leafNames(structure)
  return leaves.map((leaf, i) => {
    const expected = types[i] as Type
    const weak = typeof leaf === 'number' || Array.isArray(leaf)
    const value = weak ? tensor(leaf as NestedNumbers, { dtype: expected.dtype }) : toValue(leaf)
    if (!sameType(value, expected))
      throw new Error(
        `${where}${names[i] ? ` at ${names[i]}` : ''}: got ${showType(value)}, expected ${showType(expected)}`,
      )
    return value
  })
}

/** The parts of `node` at the leaves of a structure, objects by their keys; undefined when it has another shape. */
function leavesLike(structure: Structure, node: unknown): unknown[] | undefined {
  if (structure.kind === 'leaf') return isLeaf(node) ? [node] : undefined
  if (typeof node !== 'object' || node === null) return undefined
  if (Array.isArray(node) !== (structure.kind === 'array')) return undefined
  const keys = structure.kind === 'array' ? structure.children.map((_, i) => `${i}`) : structure.keys
  if (Object.keys(node).length !== keys.length) return undefined
  const parts = structure.children.map((child, i) =>
    leavesLike(child, (node as Readonly<Record<string, unknown>>)[keys[i] as string]),
  )
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined
}

function describe(structure: Structure): string {
  return structure.kind === 'leaf' ? 'one tensor' : `the tree ${showStructure(structure)}`
}

/** A function recorded as a program of its flat arguments, and of the outer values it captured. */
export interface Staged {
  readonly program: Program
  readonly captured: readonly Var[]
  readonly outputStructure: Structure
}

/** Records `f` on arguments of the given structure and types. */
export function stage(f: TensorFunction, structure: Structure, types: readonly Type[]): Staged {
  let outputStructure: Structure | undefined
  const { program, captured } = traceFlat((inputs) => {
    const result = f(...(unflatten<Var>(structure, inputs) as unknown as unknown[]))
    if (result instanceof Promise)
      throw new Error('trace: the function returned a promise; a traced function must be synchronous')
    if (result === undefined) throw new Error('trace: the function returned nothing; return its result')
    const flat = flattenValues(result, 'the result of the function')
    outputStructure = flat.structure
    return flat.values
  }, types)
  return { program, captured, outputStructure: outputStructure as Structure }
}

/** A call of `f` staged: its program with the values to run it on, captured ones first. */
export interface StagedCall extends Staged {
  readonly inputs: readonly Value[]
  /** For each input of the program, the argument that it belongs to, or -1 for captured values. */
  readonly argument: readonly number[]
  readonly structures: readonly Structure[]
}

export function stageCall(f: TensorFunction, args: readonly unknown[]): StagedCall {
  const flat = flattenEach(args)
  const structures = flat.map((x) => x.structure)
  const values = flat.flatMap((x) => x.values)
  const staged = stage(f, { kind: 'array', children: structures }, values)
  const argument = [...staged.captured.map(() => -1), ...flat.flatMap((x, i) => x.values.map(() => i))]
  return { ...staged, inputs: [...staged.captured, ...values], argument, structures }
}
