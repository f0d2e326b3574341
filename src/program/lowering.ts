import type { DType } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Program } from './program.js'
import type { Type, Value } from './value.js'

/** ONNX attributes: integers and lists of them, strings, floats and graphs marked as such. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly graph: unknown }

/** What a primitive's `lower` rule writes ONNX nodes with. Names stand for values. */
export interface Lowering {
  /** Adds a node with one output; returns its name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string
  /** Adds a node with several outputs; an unwanted one has the empty name. */
  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string[]
  /** A constant tensor, or a number as a scalar of `dtype`. */
  constant(value: Tensor | number, dtype?: DType): string
  /** Lowers a composition of other primitives, for what ONNX lacks or ONNX Runtime computes badly. */
  compose(f: (...x: Value[]) => Value, inputs: readonly string[], types: readonly Type[]): string
  /**
   * A program as the graph that a control-flow node runs. Its first inputs are values of the graph around it,
   * given by name; the others are inputs of its own, after those of the `unused` types.
   */
  subgraph(
    program: Program,
    captured: readonly string[],
    unused?: readonly ('int64' | 'bool')[],
  ): OnnxAttribute
  /** A constant vector of int64, as shapes, axes and indices are given. */
  int64(values: readonly number[]): string
}
