import type { Type } from '../../program/value.js'
import { type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import type { GraphWriter } from './graph.js'

/**
 * A value as the graph holds it. Broadcasts are not carried out: the value named `name` has the shape `shape`,
 * which broadcasts to that of the program's variable, because ONNX's elementwise operators broadcast by themselves.
 */
export interface Held {
  readonly name: string
  readonly shape: Shape
}

/** The constants up to this many elements that are written out where all elements are equal. */
const smallConstant = 1024

/** A constant; one number if all elements are equal. */
export function holdConstant(graph: GraphWriter, value: Tensor): Held {
  const [first] = value.data
  if (first === undefined || !value.data.every((x) => Object.is(x, first)))
    return { name: graph.constant(value), shape: value.shape }
  return { name: graph.constant(first, value.dtype), shape: [] }
}

/** The name of a value with the shape of its `type`. */
export function expand(graph: GraphWriter, { name, shape }: Held, type: Type | Tensor): string {
  if (sameShape(shape, type.shape)) return name
  if (type instanceof Tensor && type.size <= smallConstant) return graph.constant(type)
  if (sizeOf(shape) === sizeOf(type.shape)) return reshapeTo(graph, name, type.shape)
  return graph.node('Expand', [name, graph.int64(type.shape)])
}

export function reshapeTo(graph: GraphWriter, name: string, shape: Shape): string {
  return graph.node('Reshape', [name, graph.int64(shape)], { allowzero: 1 })
}

/** `shape` with ones in front, so that it has `rank` axes. */
export function padShape(shape: Shape, rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape]
}
