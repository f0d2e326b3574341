import type { Tensor } from '../tensor/tensor.js'
import type { Lowering } from './lowering.js'
import type { Type, Value } from './value.js'

/** Plain data, so that equations can be printed, compared and stored. */
export type Params = Readonly<Record<string, unknown>>

/** A value, or null for a zero that is known to be zero without computing it. */
export type MaybeZero = Value | null

/** An input of an equation that is being transposed and whose value is not known: the linear one. */
export class Unknown implements Type {
  readonly dtype: Type['dtype']
  readonly shape: Type['shape']

  constructor(type: Type) {
    this.dtype = type.dtype
    this.shape = type.shape
  }
}

export interface Call<P> {
  readonly inputs: readonly Type[]
  readonly outputs: readonly Type[]
  readonly params: P
}

/**
 * Which elements of a linear operation's inputs reach which results, for sparsity:
 * - `moves`: every result is one element or zero; found by running `evaluate` on the elements' numbers;
 * - `sums`: every element is added to at most one result; found by running `transpose` on the results' numbers;
 * - a function: a composition of such operations through which `x`, in the place of input `of`, reaches at
 *   least the results that it reaches in the operation itself.
 */
export type Pattern<P> = 'moves' | 'sums' | Composition<P>['through']

interface Composition<P> {
  through(x: Value, of: number, call: Call<P> & { readonly inputs: readonly Value[] }): Value
}

/**
 * One row of the table of operations: all that the rest of the library knows about one of them.
 * Every rule is written with primitives, so that derivatives are closed under differentiation.
 */
export interface Primitive<P extends Params = Params> {
  readonly name: string

  /** Types of the outputs; throws a sentence when the inputs do not fit. */
  infer(inputs: readonly Type[], params: P): Type[]

  /** The reference result, in plain loops. */
  evaluate(inputs: readonly Tensor[], params: P, outputs: readonly Type[]): Tensor[]

  /** Tangents of the outputs: the Jacobian at `inputs` applied to `tangents`. */
  derivative(at: {
    tangents: readonly MaybeZero[]
    inputs: readonly Value[]
    outputs: readonly Value[]
    params: P
  }): MaybeZero[]

  /** For operations linear in the inputs that are {@link Unknown}: cotangents of those inputs. */
  transpose?(at: {
    cotangents: readonly MaybeZero[]
    inputs: readonly (Value | Unknown)[]
    outputs: readonly Type[]
    params: P
  }): MaybeZero[]

  /** The outputs over a batch: inputs marked `batched`, and every output, carry the batch as axis 0. */
  batch(at: { inputs: readonly Value[]; batched: readonly boolean[]; size: number; params: P }): Value[]

  /** Emits ONNX nodes; returns the names of the outputs. */
  lower(onnx: Lowering, inputs: readonly string[], call: Call<P>): readonly string[]

  /** Floating-point operations of one call; when absent, one per output element. */
  flops?(call: Call<P>): number

  /** For elementwise operations: the function of numbers, and its JavaScript text where it is plain arithmetic. */
  readonly scalar?: (...x: number[]) => number
  readonly expression?: (...x: string[]) => string

  /**
   * For operations that only move elements of their one input: the input's index at an output's index,
   * as JavaScript integer expressions.
   */
  view?(index: readonly string[], call: Call<P>): string[]

  /** For linear operations that are not elementwise; when absent, every element may reach every result. */
  readonly pattern?: Pattern<P>
}
