import type { DType } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Type, Value } from './value.js'

/** ONNX attributes: integers and lists of them, strings, and floats marked as such. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number }

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
  /** A constant vector of int64, as shapes, axes and indices are given. */
  int64(values: readonly number[]): string
}
