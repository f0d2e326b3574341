import type { Tensor } from '../tensor/tensor.js'
import type { Cost } from './forecast.js'
import type { Lowering } from './lowering.js'
import type { Equation, Program } from './program.js'
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
 * A value along a curve: its normalised Taylor coefficients (1/k!) d^k/dt^k at t = 0, each computed when it is
 * first asked for. Coefficient 0 is the value itself; null is a zero known without computing.
 */
export interface Series {
  readonly value: Value
  coefficient(order: number): MaybeZero
  /** Whether all coefficients but the first are known to be zero. */
  readonly constant: boolean
}

export interface TaylorCall<P> {
  readonly series: readonly Series[]
  readonly outputs: readonly Value[]
  readonly params: P
  /** The highest coefficient that will be asked for. */
  readonly order: number
  /** A function of values applied to series. */
  lift(f: (...x: Value[]) => Value, ...series: Series[]): Series
}

/** Makes a program ready to run many times. */
export type Prepare = (program: Program) => (inputs: readonly Tensor[]) => Tensor[]

/** The two halves of an equation; outputs of the first that the second uses are new variables. */
export interface Cut {
  readonly known: readonly Equation[]
  readonly unknown: readonly Equation[]
}

/**
 * One row of the table of operations: all that the rest of the library knows about one of them.
 * Every rule is written with primitives, so that derivatives are closed under differentiation.
 */
export interface Primitive<P extends Params = Params> {
  readonly name: string

  /** Types of the outputs; throws a sentence when the inputs do not fit. */
  infer(inputs: readonly Type[], params: P): Type[]

  /** The reference result, in plain loops. Sub-programs are run by what the engine's `prepare` makes of them. */
  evaluate(inputs: readonly Tensor[], params: P, outputs: readonly Type[], prepare?: Prepare): Tensor[]

  /** Tangents of the outputs: the Jacobian at `inputs` applied to `tangents`. */
  derivative(at: {
    tangents: readonly MaybeZero[]
    inputs: readonly Value[]
    outputs: readonly Value[]
    params: P
  }): MaybeZero[]

  /** For operations with sub-programs: outputs and their tangents together, instead of `bind` and `derivative`. */
  differentiate?(at: { inputs: readonly Value[]; tangents: readonly MaybeZero[]; params: P }): {
    outputs: Value[]
    tangents: MaybeZero[]
  }

  /** For operations with sub-programs: the equation cut in two when `unknown` inputs come later; see `splitProgram`. */
  split?(equation: Equation, unknown: readonly boolean[], params: P): Cut

  /** For operations with sub-programs: the equation without the outputs that are not `used`, and what only they need. */
  prune?(equation: Equation, used: readonly boolean[], params: P): Equation

  /** For operations that only stand for others until derivatives are taken: those, applied to `inputs`. */
  inline?(inputs: readonly Value[], params: P): Value[]

  /**
   * The outputs along a curve. When absent it follows from the derivative f'(u) u' of f(u): if that does not vary
   * with u, it gives every coefficient from that of u; else the coefficients of f are those of its integral.
   */
  taylor?(at: TaylorCall<P>): Series[]

  /** For operations linear in the inputs that are {@link Unknown}: cotangents of those inputs. */
  transpose?(at: {
    cotangents: readonly MaybeZero[]
    inputs: readonly (Value | Unknown)[]
    outputs: readonly Type[]
    params: P
  }): MaybeZero[]

  /** The outputs over a batch: inputs marked `batched`, and every output, carry the batch as axis 0. */
  batch(at: { inputs: readonly Value[]; batched: readonly boolean[]; size: number; params: P }): Value[]

  /**
   * Emits ONNX nodes; returns the names of the outputs. When absent, ONNX has no counterpart: the ONNX engine then
   * leaves the operation to `evaluate`, and no model can hold it.
   */
  lower?(onnx: Lowering, inputs: readonly string[], call: Call<P>): readonly string[]

  /** Floating-point operations of one call; when absent, one per output element. */
  flops?(call: Call<P>): number

  /** For operations with sub-programs: the whole cost of one call, with the bytes that are alive inside it. */
  forecast?(call: Call<P>): Cost & { readonly peakBytes: number }

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
