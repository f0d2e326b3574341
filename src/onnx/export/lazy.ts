import type { Params } from '../../program/primitive.js'
import type { Type } from '../../program/value.js'
import { type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import type { GraphWriter } from './graph.js'
import { type Held, padShape, reshapeTo } from './held.js'

/** Applies an operation to a value that is held smaller than its type; undefined when it needs the whole. */
type LazyRule = (graph: GraphWriter, x: Held, type: Type, params: Params) => Held | undefined

/** What the operations that move or add elements do to values whose broadcast is still to come. */
export const lazyRules: Readonly<Record<string, LazyRule>> = {
  broadcast: (_, x) => x,

  reshape(graph, x, type, params) {
    const shape = reshapedHeld(padShape(x.shape, type.shape.length), type.shape, params.shape as Shape)
    if (!shape || sizeOf(x.shape) === 1) return shape && scalarOf(graph, x)
    return { name: sameShape(shape, x.shape) ? x.name : reshapeTo(graph, x.name, shape), shape }
  },

  transpose(graph, x, type, params) {
    if (x.shape.length === 0) return x
    const permutation = params.permutation as readonly number[]
    const padded = padShape(x.shape, type.shape.length)
    const name = padded.length === x.shape.length ? x.name : reshapeTo(graph, x.name, padded)
    const shape = permutation.map((axis) => padded[axis] as number)
    return { name: graph.node('Transpose', [name], { perm: permutation }), shape }
  },

  reduceSum(graph, x, type, params) {
    const copies = repeated(x, type, params)
    const { name, shape } = reduced('ReduceSum', graph, x, type, params)
    return {
      name: copies === 1 ? name : graph.node('Mul', [name, graph.constant(copies, type.dtype)]),
      shape,
    }
  },
  reduceMax: (graph, x, type, params) => reduced('ReduceMax', graph, x, type, params),
  reduceMin: (graph, x, type, params) => reduced('ReduceMin', graph, x, type, params),
}

function scalarOf(graph: GraphWriter, x: Held): Held {
  return x.shape.length === 0 ? x : { name: reshapeTo(graph, x.name, []), shape: [] }
}

/**
 * The held shape after reshaping `from` to `to`. The axes of both fall into runs of equal size; a run must be
 * wholly held or wholly still to be broadcast.
 */
function reshapedHeld(held: Shape, from: Shape, to: Shape): Shape | undefined {
  const shape: number[] = []
  let [i, k] = [0, 0]
  while (i < from.length || k < to.length) {
    const [start, first] = [i, k]
    let [inner, outer] = [from[i++] ?? 1, to[k++] ?? 1]
    while (inner !== outer) {
      if (inner < outer) inner *= from[i++] as number
      else outer *= to[k++] as number
    }
    const heldSize = sizeOf(held.slice(start, i))
    if (heldSize !== 1 && heldSize !== inner) return undefined
    shape.push(...to.slice(first, k).map((n) => (heldSize === 1 ? 1 : n)))
  }
  return shape
}

function reduced(op: string, graph: GraphWriter, x: Held, type: Type, params: Params): Held {
  const missing = type.shape.length - x.shape.length
  const axes = (params.axes as readonly number[]).map((axis) => axis - missing).filter((axis) => axis >= 0)
  const shape = x.shape.filter((_, axis) => !axes.includes(axis))
  if (axes.length === 0) return x
  if (sizeOf(shape) === sizeOf(x.shape)) return { name: reshapeTo(graph, x.name, shape), shape }
  return { name: graph.node(op, [x.name, graph.int64(axes)], { keepdims: 0 }), shape }
}

/** How often each held element occurs among those that a reduction adds up. */
function repeated(x: Held, type: Type, params: Params): number {
  const held = padShape(x.shape, type.shape.length)
  return (params.axes as readonly number[]).reduce(
    (product, axis) => product * (held[axis] === type.shape[axis] ? 1 : (type.shape[axis] as number)),
    1,
  )
}
