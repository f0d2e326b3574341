import { OnnxError, quote } from '../error.js'
import type { GraphProto, NodeProto } from '../schema/onnx_pb.js'

/**
 * The nodes, each after those whose outputs it uses, else in the given order. (The standard asks for that order in the
 * file, but some exporters do not keep it and ONNX Runtime sorts, so we do too.)
 * @throws OnnxError when the nodes form a cycle, naming one on it.
 */
export function topologicalOrder(nodes: readonly NodeProto[], file: string): NodeProto[] {
  const producers = new Map<string, NodeProto>()
  for (const node of nodes) for (const name of node.output) if (name) producers.set(name, node)

  const sorted: NodeProto[] = []
  const done = new Set<NodeProto>()
  // A depth-first search with its own stack: a file may hold a chain of any length.
  const path = new Map<NodeProto, Iterator<string>>()
  for (const root of nodes) {
    const stack: NodeProto[] = []
    const enter = (node: NodeProto) => {
      stack.push(node)
      path.set(node, usedNames(node).values())
    }
    if (!done.has(root)) enter(root)
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const next = path.get(node)?.next()
      if (next === undefined || next.done) {
        stack.pop()
        path.delete(node)
        done.add(node)
        sorted.push(node)
        continue
      }
      const producer = producers.get(next.value)
      if (!producer || done.has(producer)) continue
      if (path.has(producer))
        throw new OnnxError(`the graph has a cycle through input ${quote(next.value)}`, { file, node })
      enter(producer)
    }
  }
  return sorted
}

/** The graphs that a node such as If, Loop or Scan holds. */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((attribute) =>
    attribute.g ? [attribute.g, ...attribute.graphs] : attribute.graphs,
  )
}

/** The names of the values of its own graph that a node uses, directly or in its subgraphs. */
function usedNames(node: NodeProto): Set<string> {
  const names = new Set(node.input)
  for (const graph of subgraphsOf(node)) {
    const own = new Set<string>()
    for (const { name } of [...graph.input, ...graph.initializer]) own.add(name)
    for (const inner of graph.node) for (const name of inner.output) own.add(name)
    for (const { name } of graph.output) if (!own.has(name)) names.add(name)
    for (const inner of graph.node) for (const name of usedNames(inner)) if (!own.has(name)) names.add(name)
  }
  return names
}
