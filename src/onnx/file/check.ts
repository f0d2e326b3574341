import { OnnxError, quote, type Where } from '../error.js'
import type {
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
} from '../schema/onnx_pb.js'
import { subgraphsOf, topologicalOrder } from './order.js'

/** The values that a node may use: those of its own graph so far, then those of the graphs around it. */
interface Scope {
  readonly names: Set<string>
  readonly outer?: Scope
}

/** Checks what `readModel` promises of a model, and sorts its nodes. @throws OnnxError */
export function checkModel(model: ModelProto, file: string): void {
  const where = { file }
  const { graph } = model
  if (!graph) throw new OnnxError('holds no graph (is it an ONNX model?)', where)
  if (graph.node.length === 0) throw new OnnxError('the graph is empty (it has no nodes)', where)
  if (graph.output.length === 0) throw new OnnxError('the graph has no outputs', where)
  const domains = operatorDomains(model.opsetImport, where)
  for (const f of model.functions) domains.add(domainName(f.domain))
  checkGraph(graph, domains, where)
  for (const f of model.functions) checkFunction(f, domains, file)
}

function checkGraph(graph: GraphProto, domains: ReadonlySet<string>, where: Where, outer?: Scope): void {
  const stated = new Set<string>()
  for (const { name } of graph.input) addName(stated, name, 'graph input', where)
  const initializers = new Set<string>()
  for (const { name } of graph.initializer) addName(initializers, name, 'initializer', where)
  for (const { values } of graph.sparseInitializer)
    addName(initializers, values?.name ?? '', 'sparse initializer', where)
  // An initializer may also be an input, whose default value it then is.
  const scope = { names: new Set([...stated, ...initializers]), ...(outer && { outer }) }
  checkNodes(graph, domains, where, scope)
  for (const { name } of graph.output)
    if (!isVisible(name, scope)) throw new OnnxError(`graph output ${quote(name)} is never produced`, where)
}

function checkFunction(f: FunctionProto, modelDomains: ReadonlySet<string>, file: string): void {
  const where = { file, node: { name: f.name, opType: 'function' } }
  const domains = new Set([...modelDomains, ...operatorDomains(f.opsetImport, where)])
  const scope = { names: new Set<string>() }
  for (const name of f.input) addName(scope.names, name, 'function input', where)
  checkNodes(f, domains, where, scope)
  for (const name of f.output)
    if (!isVisible(name, scope)) throw new OnnxError(`output ${quote(name)} is never produced`, where)
}

/** Checks the nodes of a graph or function, and puts them into topological order. */
function checkNodes(
  owner: { node: NodeProto[] },
  domains: ReadonlySet<string>,
  { file }: Where,
  scope: Scope,
): void {
  owner.node = topologicalOrder(owner.node, file)
  for (const node of owner.node) {
    const where = { file, node }
    if (!node.opType) throw new OnnxError('the node has no op_type', where)
    if (!domains.has(domainName(node.domain)))
      throw new OnnxError(`no operator set is imported for domain ${quote(node.domain)}`, where)
    for (const name of node.input)
      if (name && !isVisible(name, scope))
        throw new OnnxError(`input ${quote(name)} is never produced`, where)
    const attributes = new Set<string>()
    for (const { name } of node.attribute) addName(attributes, name, 'attribute', where)
    for (const graph of subgraphsOf(node)) checkGraph(graph, domains, where, scope)
    for (const name of node.output) if (name) addName(scope.names, name, 'value', where)
  }
}

function isVisible(name: string, scope: Scope): boolean {
  for (let s: Scope | undefined = scope; s; s = s.outer) if (s.names.has(name)) return true
  return false
}

function addName(names: Set<string>, name: string, kind: string, where: Where): void {
  if (!name) throw new OnnxError(`a ${kind} has no name`, where)
  if (names.has(name)) throw new OnnxError(`duplicate ${kind} name ${quote(name)}`, where)
  names.add(name)
}

function operatorDomains(imports: readonly OperatorSetIdProto[], where: Where): Set<string> {
  if (imports.length === 0) throw new OnnxError('declares no operator set (opset_import is missing)', where)
  for (const { domain, version } of imports)
    if (version < 1n)
      throw new OnnxError(`operator set ${quote(domain)} has version ${version}, expected 1 or more`, where)
  return new Set(imports.map(({ domain }) => domainName(domain)))
}

/** The default domain has two spellings. */
function domainName(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}
