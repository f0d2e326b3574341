import { locating, OnnxError, quote } from '../error.js'
import { subgraphsOf } from '../file/order.js'
import type { FunctionProto, GraphProto, NodeProto } from '../schema/onnx_pb.js'
import { opsetsOf } from './graph.js'
import { functionKey, maxNodes, type Runtime } from './runtime.js'
import { findOperation } from './table.js'

const maxDepth = 100

/** The nodes that the named values are computed from, in order. */
export function neededNodes(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const wanted = new Set(outputs)
  const needed: NodeProto[] = []
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as NodeProto
    if (!node.output.some((name) => wanted.has(name))) continue
    needed.push(node)
    for (const name of usedNames(node)) wanted.add(name)
  }
  return needed.reverse()
}

/** The names that a node and its subgraphs use. */
export function usedNames(node: NodeProto): string[] {
  const inner = subgraphsOf(node).flatMap((graph) => [
    ...graph.node.flatMap(usedNames),
    ...graph.output.map((output) => output.name),
  ])
  return [...node.input, ...inner]
}

/**
 * Checks before anything is computed that every operation is known, that functions do not call themselves, and
 * that they do not multiply beyond measure.
 * @throws OnnxError
 */
export function checkOperations(
  nodes: readonly NodeProto[],
  opsets: ReadonlyMap<string, number>,
  runtime: Runtime,
): void {
  const sizes = new Map<FunctionProto, number>()
  const open = new Set<FunctionProto>()

  function sizeOfFunction(f: FunctionProto, own: ReadonlyMap<string, number>, node: NodeProto): number {
    if (open.has(f))
      throw new OnnxError(`function ${quote(f.name)} calls itself`, { file: runtime.file, node })
    const before = sizes.get(f)
    if (before !== undefined) return before
    if (open.size >= maxDepth)
      throw new OnnxError(`functions call each other more than ${maxDepth} deep`, {
        file: runtime.file,
        node,
      })
    open.add(f)
    const size = count(f.node, opsetsOf(f.opsetImport, own))
    open.delete(f)
    sizes.set(f, size)
    return size
  }

  function count(list: readonly NodeProto[], own: ReadonlyMap<string, number>): number {
    let total = 0
    for (const node of list) {
      const f = runtime.functions.get(functionKey(node))
      if (f) total += sizeOfFunction(f, own, node)
      else {
        locating({ file: runtime.file, node }, () => findOperation(node, own))
        total += 1 + subgraphsOf(node).reduce((sum, graph: GraphProto) => sum + count(graph.node, own), 0)
      }
      if (total > maxNodes)
        throw new OnnxError(`the model's functions expand to more than ${maxNodes} nodes`, {
          file: runtime.file,
          node,
        })
    }
    return total
  }

  count(nodes, opsets)
}
