import type { Value } from '../../program/value.js'
import { sameType, showType } from '../../program/value.js'
import { isFloat } from '../../tensor/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { ArrayLike } from '../../transforms/stage.js'
import { locating, OnnxError, quote } from '../error.js'
import { checkModel } from '../file/check.js'
import { readModel } from '../file/read.js'
import type { ExternalLoader } from '../file/tensors.js'
import type { GraphProto, ModelProto } from '../schema/onnx_pb.js'
import { applySamples } from './batch.js'
import { checkOperations, neededNodes, usedNames } from './check.js'
import { lookUp, opsetsOf, runNodes, type Scope } from './graph.js'
import { checkInputs, type InputOptions, type OnnxInput, readInput, toDeclared } from './inputs.js'
import { isTrainable, namesOfWeights } from './parameters.js'
import { functionKey, maxNodes, type Runtime, tensorOf } from './runtime.js'

export interface ImportOptions extends InputOptions {
  /** The file's name, for error messages. */
  readonly name?: string
  /** Reads the files beside the model that hold its tensors' data. */
  readonly externalData?: ExternalLoader
  /** The values to compute, any of the graph's, instead of its outputs; nodes that they do not need are left out. */
  readonly outputs?: readonly string[]
  /**
   * The float type in which the model computes, whatever the file says: its float tensors are converted to it.
   * Without it each keeps its own, and a model of 16-bit floats is refused, since nothing changes precision silently.
   */
  readonly precision?: 'float32' | 'float64'
  /** Whether a float tensor of the file is a parameter; by default, whether an operation uses it as a weight. */
  readonly trainable?: (name: string, tensor: Tensor) => boolean
  /** The largest tensor that one operation may make, in bytes; 2^30 by default. */
  readonly maxBytes?: number
}

export type Tensors = Readonly<Record<string, Tensor>>

/** A model as a function of its parameters and inputs. */
export interface OnnxModel {
  readonly inputs: readonly OnnxInput[]
  readonly outputs: readonly string[]
  /** Float tensors of the file that are trained, in its order. */
  readonly parameters: Tensors
  /** The other float tensors of the file: running means and variances, bounds, scales and exponents. */
  readonly state: Tensors
  /** The version of ONNX's own operator set. */
  readonly opset: number
  /** The versions of all operator sets by domain. */
  readonly opsets: Readonly<Record<string, number>>
  readonly metadata: Readonly<Record<string, string>>
  /**
   * The outputs for the inputs. A parameter that is not given keeps the file's value. Tensors are computed at once;
   * inside a traced function it records, so it can be differentiated, batched and compiled.
   * @throws OnnxError naming the file, the node where there is one, and the reason.
   */
  readonly apply: (parameters: Tensors, inputs: Readonly<Record<string, ArrayLike>>) => Record<string, Tensor>
  /**
   * The outputs for N samples, stacked along axis 0 of every input and output. Where an input declares a first
   * dimension of 1 its samples come without that axis. See {@link applySamples} for how the model is batched.
   */
  readonly applyBatch: (
    parameters: Tensors,
    inputs: Readonly<Record<string, ArrayLike>>,
  ) => Record<string, Tensor>
}

/**
 * Imports an ONNX model (operator sets 7 to 24, and older ones where they mean the same) as a function: an
 * interpreter of its graph, written with evolute's functions of values. What is known when it is traced, such as
 * shapes and what is computed from them, folds by itself. All integer types are held as int32. BatchNormalization is in its inference form, with the stored mean
 * and variance, unless the node says training_mode = 1; Dropout is the identity.
 * @throws OnnxError for a malformed file, an operation that is not supported, types other than tensors of numbers.
 */
export function importModel(source: Uint8Array | ModelProto, options: ImportOptions = {}): OnnxModel {
  const file = options.name ?? 'model.onnx'
  const proto = source instanceof Uint8Array ? readModel(source, { name: file }) : source
  if (proto === source) checkModel(proto, file) // Also sorts its nodes.
  const graph = proto.graph
  if (!graph) throw new OnnxError('holds no graph', { file })
  const runtime = runtimeOf(proto, file, options)
  const opsets = opsetsOf(proto.opsetImport)
  const outputs = options.outputs ?? graph.output.map(({ name }) => name)
  const nodes = neededNodes(graph.node, outputs)
  checkOperations(nodes, opsets, runtime)
  checkOutputs(graph, outputs, file)

  const stored = new Set(graph.initializer.map(({ name }) => name))
  const used = new Set([...nodes.flatMap(usedNames), ...outputs])
  const { parameters, state, constants } = tensorsOf(graph, nodes, used, runtime, options.trainable)
  const inputs = graph.input
    .filter(({ name }) => !stored.has(name) && (!options.outputs || used.has(name)))
    .map((info) => readInput(info, options, runtime))

  const run = (given: Tensors, values: Readonly<Record<string, Value>>): Record<string, Value> => {
    runtime.nodesLeft = maxNodes
    const scope: Scope = { values: new Map(constants), opsets }
    for (const [name, value] of Object.entries(given)) {
      const stored = constants.get(name)
      if (!stored || !isFloat(stored.dtype))
        throw new OnnxError(`there is no parameter ${quote(name)}`, { file })
      if (!sameType(value, stored))
        throw new OnnxError(`parameter ${quote(name)} is ${showType(value)}, expected ${showType(stored)}`, {
          file,
        })
      scope.values.set(name, value)
    }
    for (const [name, value] of Object.entries(values)) scope.values.set(name, value)
    runNodes(nodes, scope, runtime)
    return Object.fromEntries(
      outputs.map((name) => [name, locating({ file }, () => lookUp(name, scope) as Value)]),
    )
  }

  const toValues = (given: Readonly<Record<string, ArrayLike>>): Record<string, Value> => {
    const types = new Map(inputs.map(({ name, dtype }) => [name, dtype]))
    return Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, toDeclared(value, types.get(name) ?? 'float32')]),
    )
  }

  return {
    inputs,
    outputs,
    parameters,
    state,
    opset: opsets.get('') ?? 0,
    opsets: Object.fromEntries([...opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value])),
    apply(given, x) {
      const values = toValues(x)
      checkInputs(values, inputs, file)
      return run(given, values) as Record<string, Tensor>
    },
    applyBatch(given, x) {
      return applySamples((values) => run(given, values), toValues(x), inputs, file) as Record<string, Tensor>
    },
  }
}

function runtimeOf(proto: ModelProto, file: string, options: ImportOptions): Runtime {
  return {
    file,
    functions: new Map(
      proto.functions.map((f) => [
        functionKey({ domain: f.domain, opType: f.name, overload: f.overload }),
        f,
      ]),
    ),
    precision: options.precision,
    maxBytes: options.maxBytes ?? 2 ** 30,
    external: options.externalData,
    decoded: new Map(),
    nodesLeft: maxNodes,
  }
}

function checkOutputs(graph: GraphProto, outputs: readonly string[], file: string): void {
  const made = new Set([
    ...graph.node.flatMap((node) => node.output),
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
  ])
  for (const name of outputs)
    if (!made.has(name)) throw new OnnxError(`there is no value ${quote(name)} to put out`, { file })
}

/** The tensors of the file that are used, and which of them are parameters or other floats. */
function tensorsOf(
  graph: GraphProto,
  nodes: GraphProto['node'],
  used: ReadonlySet<string>,
  runtime: Runtime,
  trainable: ImportOptions['trainable'],
) {
  if (graph.sparseInitializer.some(({ values }) => used.has(values?.name ?? '')))
    throw new OnnxError('sparse tensors are not supported; store them dense', { file: runtime.file })
  const weights = namesOfWeights(nodes)
  const constants = new Map<string, Tensor>()
  const parameters: [string, Tensor][] = []
  const state: [string, Tensor][] = []
  for (const proto of graph.initializer) {
    if (!used.has(proto.name)) continue
    const tensor = tensorOf(proto, runtime, { file: runtime.file })
    constants.set(proto.name, tensor)
    if (!isFloat(tensor.dtype)) continue
    const isParameter = trainable?.(proto.name, tensor) ?? isTrainable(proto.name, tensor, weights)
    const list = isParameter ? parameters : state
    list.push([proto.name, tensor])
  }
  return { constants, parameters: Object.fromEntries(parameters), state: Object.fromEntries(state) }
}
