import { create } from '@bufbuild/protobuf'
import { fuseTransposedDots } from '../../ops/transposedDots.js'
import type { Program } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import { elementTypeOf } from '../file/elements.js'
import { model, valueInfo } from '../file/write.js'
import { GraphProtoSchema, type ModelProto } from '../schema/onnx_pb.js'
import { type GraphWriter, graphWriter } from './graph.js'
import { expand } from './held.js'
import { lowerProgram } from './lower.js'

export interface ExportOptions {
  /** Names of the model's inputs; `input_0`, `input_1`, ... by default. */
  readonly inputNames?: readonly string[]
  /** Names of the model's outputs; `output_0`, `output_1`, ... by default. */
  readonly outputNames?: readonly string[]
  /** Name of the graph. */
  readonly name?: string
  /** Version of ONNX's operator set, 18 to 26. */
  readonly opset?: number
}

/** The IR version that came with operator set 21. */
const irVersion = 10

/**
 * A program as an ONNX model with the same inputs and outputs: one node or a few for each equation, constants as
 * initializers, all shapes fixed. Broadcasts are left to ONNX's operators where these broadcast by themselves.
 * The program should have passed dead-code elimination: every equation is written. Known differences in ONNX Runtime 1.30:
 * maxima and minima over axes overlook NaN; its MatMulScaleFusion rounds constant factors of float64 matrix products to
 * float32, unless that optimizer is disabled for the session (as `compileProgramOnnx` does).
 * @throws when names are missing or not unique, or an operation has no counterpart in ONNX Runtime for its dtype.
 */
export function programToModel(
  program: Program,
  { inputNames, outputNames, name = 'evolute', opset = 21 }: ExportOptions = {},
): ModelProto {
  if (!(Number.isInteger(opset) && opset >= 18 && opset <= 26))
    throw new Error(`programToModel: opset is ${opset}, expected an integer from 18 to 26`)
  const inputs = namesOf('input', program.inputs.length, inputNames)
  const outputs = namesOf('output', program.outputs.length, outputNames)
  checkUnique([...inputs, ...outputs])
  const graph = graphWriter([...inputs, ...outputs])
  const given = program.inputs.map(({ shape }, i) => ({ name: inputs[i] as string, shape }))
  const results = lowerProgram(graph, fuseTransposedDots(program), given)
  graph.scope = 'output'
  nameOutputs(
    graph,
    results.map((held, i) => expand(graph, held, program.outputs[i] as Value)),
    outputs,
  )
  return model(
    create(GraphProtoSchema, {
      name,
      node: [...graph.written],
      initializer: graph.initializers(),
      input: program.inputs.map((x, i) => valueInfo(inputs[i] as string, elementTypeOf[x.dtype], x.shape)),
      output: program.outputs.map((y, i) => valueInfo(outputs[i] as string, elementTypeOf[y.dtype], y.shape)),
    }),
    { opsets: { '': opset }, irVersion },
  )
}

/** Renames the values that nodes made; inputs, constants and values that are returned twice pass an Identity. */
function nameOutputs(graph: GraphWriter, values: readonly string[], outputs: readonly string[]): void {
  const made = new Set(graph.written.flatMap((node) => node.output))
  const names = new Map<string, string>()
  values.forEach((value, i) => {
    const own = made.has(value) && !names.has(value)
    names.set(own ? value : graph.node('Identity', [value]), outputs[i] as string)
  })
  graph.rename(names)
}

function namesOf(kind: string, count: number, given?: readonly string[]): readonly string[] {
  if (given && given.length !== count)
    throw new Error(`programToModel: got ${given.length} ${kind} names, expected ${count}`)
  return given ?? Array.from({ length: count }, (_, i) => `${kind}_${i}`)
}

function checkUnique(names: readonly string[]): void {
  const repeated = names.find((name, i) => name === '' || names.indexOf(name) !== i)
  if (repeated !== undefined)
    throw new Error(
      `programToModel: the name '${repeated}' is empty or given twice; all input and output names must differ`,
    )
}
