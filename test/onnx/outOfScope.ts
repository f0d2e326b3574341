import { subgraphsOf } from '../../src/onnx/file/order.js'
import { readModel } from '../../src/onnx/file/read.js'
import { type NodeProto, TensorProto_DataType as Type } from '../../src/onnx/schema/onnx_pb.js'
import type { OnnxCase } from '../helpers/onnxCases.js'

/** A kind of model that evolute does not import, because it is no differentiable computation with floats. */
export interface Exclusion {
  readonly reason: string
  /** `domain:operator`, without the domain for ONNX's own; an asterisk ends a beginning. */
  readonly operators?: readonly string[]
  /** Element types of an input, output, constant or conversion. */
  readonly types?: readonly string[]
  readonly kinds?: readonly OnnxCase['nonTensors'][number]['kind'][]
  readonly cases?: readonly string[]
}

/** In order: a case is counted under the first that applies. */
export const outOfScope: readonly Exclusion[] = [
  {
    reason: 'text: strings and n-grams',
    types: ['STRING'],
    operators: ['String*', 'RegexFullMatch', 'TfIdfVectorizer'],
  },
  {
    reason: 'quantisation: integers and floats of 4 or 8 bits that stand for scaled numbers',
    types: ['FLOAT8*', 'FLOAT4*', 'INT4', 'UINT4'],
    operators: [
      'QLinear*',
      'QuantizeLinear',
      'DequantizeLinear',
      'DynamicQuantizeLinear',
      'ConvInteger',
      'MatMulInteger',
    ],
  },
  {
    reason: 'sequences and optional values',
    kinds: ['sequence', 'optional', 'map', 'sparse'],
    operators: ['Sequence*', 'Optional*', 'SplitToSequence', 'ConcatFromSequence'],
  },
  { reason: 'bits of integers', operators: ['Bitwise*', 'BitShift'] },
  {
    reason: 'random numbers, which a function to be differentiated must be given as inputs',
    operators: ['Bernoulli', 'Random*'],
    cases: [
      'test_training_dropout',
      'test_training_dropout_default',
      'test_training_dropout_default_mask',
      'test_training_dropout_mask',
    ],
  },
  { reason: 'shapes that depend on values', operators: ['NonMaxSuppression', 'Unique'] },
  { reason: 'decoding of image files', operators: ['ImageDecoder'] },
  { reason: 'trees and feature tables', operators: ['ai.onnx.ml:*'] },
  { reason: 'training steps as operators', operators: ['ai.onnx.preview.training:*'] },
]

/**
 * Cases of Attention whose stored results ONNX has corrected since version 1.19: which key head a query head meets (its
 * pull request 7274), softcap before the mask (7867), the numbers of the stages (7913), and a causal mask that left
 * the past out. Their results are compared with those of ONNX Runtime, which follows the corrections.
 */
export const isCorrected = (name: string): boolean =>
  /^test_attention_.*(gqa|qk_matmul_bias|qk_matmul_softcap|past_and_present.*causal)/.test(name) &&
  !name.includes('expanded')

/** Cases whose results were written down by hand, with four digits. */
export const isRounded = (name: string): boolean =>
  /^test_(roialign|gridsample_bicubic$|averagepool_2d_ceil_last)/.test(name)

/** Why a case is out of scope, or undefined. */
export function exclusionOf({ name, modelBytes, datasets, nonTensors }: OnnxCase): Exclusion | undefined {
  const model = readModel(modelBytes, { name })
  const nodes = allNodes(model.graph?.node ?? []).concat(model.functions.flatMap((f) => allNodes(f.node)))
  const operators = nodes.map(({ domain, opType }) =>
    domain && domain !== 'ai.onnx' ? `${domain}:${opType}` : opType,
  )
  const tensors = [
    ...datasets.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
    ...(model.graph?.initializer ?? []),
    ...nodes.flatMap((node) => node.attribute.flatMap(({ t }) => (t ? [t] : []))),
  ].map(({ dataType }) => dataType)
  const conversions = nodes.flatMap((node) =>
    node.attribute.flatMap((a) => (a.name === 'to' || a.name === 'dtype' ? [Number(a.i)] : [])),
  )
  const types = [...tensors, ...conversions].map((type) => Type[type] ?? '')
  const kinds = nonTensors.map(({ kind }) => kind)
  return outOfScope.find(
    (exclusion) =>
      exclusion.cases?.includes(name) ||
      exclusion.kinds?.some((kind) => kinds.includes(kind)) ||
      exclusion.operators?.some((pattern) => operators.some((op) => matches(pattern, op))) ||
      exclusion.types?.some((pattern) => types.some((type) => matches(pattern, type))),
  )
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern
}

/** Nodes with those of their subgraphs. */
export function allNodes(nodes: readonly NodeProto[]): NodeProto[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap((graph) => allNodes(graph.node))])
}
