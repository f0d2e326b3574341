import { showType, type Value } from '../../program/value.js'
import { locating, OnnxError, quote, type Where } from '../error.js'
import type { FunctionProto, GraphProto, NodeProto, OperatorSetIdProto } from '../schema/onnx_pb.js'
import { type AttributeMap, Attributes, attributesOf } from './attributes.js'
import type { Context, Operation } from './operation.js'
import { domainName, dtypeOf, functionKey, maxNodes, type Runtime, reserve, tensorOf } from './runtime.js'
import { findOperation } from './table.js'

/** Values by name; an optional function input that was not given is bound to undefined. */
export interface Scope {
  readonly values: Map<string, Value | undefined>
  readonly outer?: Scope
  readonly opsets: ReadonlyMap<string, number>
  /** In a function: the attributes of the node that calls it. */
  readonly attributes?: AttributeMap
}

export function opsetsOf(
  imports: readonly OperatorSetIdProto[],
  base?: ReadonlyMap<string, number>,
): Map<string, number> {
  const opsets = new Map(base)
  for (const { domain, version } of imports) opsets.set(domainName(domain), Number(version))
  return opsets
}

/**
 * Runs nodes in order on values: tensors are computed at once, traced values are recorded. So shapes and
 * everything else that is known folds by itself while a model is traced.
 * @throws OnnxError naming the file, the node and the reason.
 */
export function runNodes(nodes: readonly NodeProto[], scope: Scope, runtime: Runtime): void {
  for (const node of nodes) {
    const where = { file: runtime.file, node }
    spend(runtime, where)
    const outputs = locating(where, () => runNode(node, scope, runtime))
    node.output.forEach((name, i) => {
      if (!name) return
      if (!outputs[i])
        locating(where, () => {
          throw new Error(
            `output ${i} (${quote(name)}) is not computed, only the first ${outputs.length} are supported`,
          )
        })
      scope.values.set(name, outputs[i])
    })
  }
}

/** Counts a node, or a step of a loop, against what one call may run. */
function spend(runtime: Runtime, where: Where): void {
  if (runtime.nodesLeft-- <= 0)
    throw new OnnxError(`the model runs more than ${maxNodes} nodes in one call; a loop may not end`, where)
}

export function lookUp(name: string, scope: Scope): Value | undefined {
  for (let s: Scope | undefined = scope; s; s = s.outer) if (s.values.has(name)) return s.values.get(name)
  throw new Error(`value ${quote(name)} is not computed before it is used`)
}

function runNode(node: NodeProto, scope: Scope, runtime: Runtime): readonly Value[] {
  const inputs = node.input.map((name) => (name ? lookUp(name, scope) : undefined))
  const attributes = attributesOf(node.attribute, scope.attributes)
  const local = runtime.functions.get(functionKey(node))
  if (local) return runFunction(local, inputs, attributes, scope, runtime)
  const row = findOperation(node, scope.opsets)
  checkInputs(inputs, row)
  const result = row.run(inputs, new Attributes(attributes), contextOf(node, scope, runtime))
  const outputs = Array.isArray(result) ? (result as readonly Value[]) : [result as Value]
  for (const output of outputs) reserve(output.shape, runtime, output.dtype)
  return outputs
}

function checkInputs(inputs: readonly (Value | undefined)[], { required, allowed }: Operation): void {
  if (inputs.length > allowed) throw new Error(`got ${inputs.length} inputs, expected at most ${allowed}`)
  for (let i = 0; i < required; i++)
    if (!inputs[i]) {
      const given = inputs.filter((x) => x !== undefined).map((x) => showType(x as Value))
      throw new Error(
        `input ${i} is missing, expected ${required} input(s), got ${given.join(', ') || 'none'}`,
      )
    }
}

function contextOf(node: NodeProto, scope: Scope, runtime: Runtime): Context {
  return {
    opset: scope.opsets.get(domainName(node.domain)) ?? 1,
    outputs: node.output.length,
    wants: (i) => Boolean(node.output[i]),
    reserve: (shape) => reserve(shape, runtime),
    tensor: (proto) => tensorOf(proto, runtime, { file: runtime.file, node }),
    dtype: (elementType) => dtypeOf(elementType, runtime.precision),
    run: (graph, given = []) => runSubgraph(graph, given, scope, runtime),
  }
}

/** The outputs of a subgraph, the body of a loop or a branch of If, which sees the values of the scope around it. */
function runSubgraph(graph: GraphProto, inputs: readonly Value[], outer: Scope, runtime: Runtime): Value[] {
  if (inputs.length !== graph.input.length)
    throw new Error(`the subgraph takes ${graph.input.length} inputs, but is given ${inputs.length}`)
  spend(runtime, { file: runtime.file })
  const own = graph.initializer.map(
    (proto) => [proto.name, tensorOf(proto, runtime, { file: runtime.file })] as const,
  )
  const given = graph.input.map(({ name }, i) => [name, inputs[i]] as const)
  const scope: Scope = { ...outer, values: new Map([...own, ...given]), outer }
  runNodes(graph.node, scope, runtime)
  return graph.output.map(({ name }) => lookUp(name, scope) as Value)
}

/** A function defined in the model, run in place of the node that calls it. */
function runFunction(
  f: FunctionProto,
  inputs: readonly (Value | undefined)[],
  attributes: AttributeMap,
  caller: Scope,
  runtime: Runtime,
): Value[] {
  if (inputs.length > f.input.length)
    throw new Error(
      `function ${quote(f.name)} got ${inputs.length} inputs, expected at most ${f.input.length}`,
    )
  const defaults = attributesOf(f.attributeProto)
  const scope: Scope = {
    values: new Map(f.input.map((name, i) => [name, inputs[i]])),
    opsets: opsetsOf(f.opsetImport, caller.opsets),
    attributes: new Map([...defaults, ...attributes]),
  }
  runNodes(f.node, scope, runtime)
  return f.output.map((name) => lookUp(name, scope) as Value)
}
