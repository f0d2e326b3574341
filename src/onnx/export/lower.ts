import { create } from '@bufbuild/protobuf'
import { fuseTransposedDots } from '../../ops/transposedDots.js'
import { traceFlat } from '../../program/builder.js'
import type { Lowering } from '../../program/lowering.js'
import type { Primitive } from '../../program/primitive.js'
import { type Equation, type Program, subprograms } from '../../program/program.js'
import { type Type, type Value, Var } from '../../program/value.js'
import { broadcastShapes, sameShape, sizeOf } from '../../tensor/shape.js'
import { fullTensor } from '../../tensor/tensor.js'
import { elementTypeOf } from '../file/elements.js'
import { valueInfo } from '../file/write.js'
import { type GraphProto, GraphProtoSchema, TensorProto_DataType } from '../schema/onnx_pb.js'
import type { GraphWriter } from './graph.js'
import { expand, type Held, holdConstant } from './held.js'
import { lazyRules } from './lazy.js'
import { findSplits, type Split } from './split.js'

/**
 * Writes the equations of a program into a graph; returns how its outputs are held there.
 * @param scope what nodes are named after; by default the primitive of each equation.
 */
export function lowerProgram(
  graph: GraphWriter,
  program: Program,
  inputs: readonly Held[],
  scope?: string,
): Held[] {
  const held = new Map<Var, Held>()
  program.inputs.forEach((variable, i) => {
    held.set(variable, inputs[i] as Held)
  })
  const expanded = new Map<Var, string>()
  const splits = findSplits(program)
  const pieces = new Map<Split, string[]>()

  const hold = (value: Value): Held =>
    value instanceof Var ? (held.get(value) as Held) : holdConstant(graph, value)
  const whole = (value: Value): string => {
    const name = (value instanceof Var && expanded.get(value)) || expand(graph, hold(value), value)
    if (value instanceof Var) expanded.set(value, name)
    return name
  }
  const piecesOf = (split: Split): string[] => {
    const known = pieces.get(split)
    if (known) return known
    const { lengths, axis } = split
    const names = graph.nodes('Split', [whole(split.whole), graph.int64(lengths)], lengths.length, { axis })
    pieces.set(split, names)
    return names
  }
  const lowerSlice = (equation: Equation): Held[] | undefined => {
    const split = splits.get(equation)
    if (!split) return undefined
    const name = piecesOf(split)[split.piece.get(equation) as number] as string
    return [{ name, shape: (equation.outputs[0] as Var).shape }]
  }
  for (const equation of program.equations) {
    graph.scope = scope ?? equation.primitive.name
    const results =
      lowerEmpty(graph, equation, whole) ??
      lowerSlice(equation) ??
      lowerLazy(graph, equation, hold) ??
      lowerWhole(graph, equation, whole)
    equation.outputs.forEach((variable, i) => {
      held.set(variable, results[i] as Held)
    })
  }
  return program.outputs.map(hold)
}

/**
 * Equations that have to do with tensors without elements, which not all operators of ONNX Runtime expect. From
 * nothing a primitive makes nothing or, being linear in it, zeros; only concatenation has other inputs to show.
 */
function lowerEmpty(
  graph: GraphWriter,
  { primitive, inputs, outputs, params }: Equation,
  whole: (x: Value) => string,
): Held[] | undefined {
  const isEmpty = ({ shape }: Type) => sizeOf(shape) === 0
  if (subprograms(params).length > 0) return undefined
  if (!inputs.some(isEmpty) && !outputs.some(isEmpty)) return undefined
  const parts = inputs.filter((x) => !isEmpty(x))
  if (primitive.name !== 'concatenate' || parts.length === 0)
    return outputs.map((type) =>
      holdConstant(graph, fullTensor(isEmpty(type) ? type.shape : [], 0, type.dtype)),
    )
  const [type] = outputs as [Var]
  const name = graph.node('Concat', parts.map(whole), { axis: params.axis as number })
  return [{ name, shape: type.shape }]
}

/** Equations that can leave the broadcasting of their inputs for later. */
function lowerLazy(
  graph: GraphWriter,
  { primitive, inputs, params, outputs }: Equation,
  hold: (x: Value) => Held,
): Held[] | undefined {
  if (isElementwise(primitive)) {
    const held = inputs.map(hold)
    const shape = broadcastShapes(held.map((x) => x.shape))
    const types = inputs.map(({ dtype }, i) => ({ dtype, shape: (held[i] as Held).shape }))
    const call = { params, inputs: types, outputs: outputs.map(({ dtype }) => ({ dtype, shape })) }
    const names = held.map((x) => x.name)
    return lowerRule(primitive)(lowering(graph, graph.scope), names, call).map((name) => ({ name, shape }))
  }
  const rule = lazyRules[primitive.name]
  const [x] = inputs
  if (!rule || !x) return undefined
  const held = hold(x)
  if (primitive.name !== 'broadcast' && sameShape(held.shape, x.shape)) return undefined
  const result = rule(graph, held, x, params)
  return result && [result]
}

function lowerWhole(
  graph: GraphWriter,
  { primitive, inputs, params, outputs }: Equation,
  whole: (x: Value) => string,
): Held[] {
  const rule = lowerRule(primitive)
  const names = rule(lowering(graph, graph.scope), inputs.map(whole), { inputs, outputs, params })
  return names.map((name, i) => ({ name, shape: (outputs[i] as Var).shape }))
}

function lowerRule(primitive: Primitive): NonNullable<Primitive['lower']> {
  if (!primitive.lower)
    throw new Error(
      `programToModel: the operation '${primitive.name}' has no counterpart in ONNX; ` +
        'leave it out of the model, or run the program by compile, which computes it in JavaScript between parts on ONNX Runtime',
    )
  return primitive.lower.bind(primitive)
}

/** Whether an operation acts on each element alone, so that it commutes with broadcasting. */
function isElementwise(primitive: Primitive): boolean {
  return Boolean(primitive.scalar) || primitive.name === 'cast' || primitive.name === 'integerPow'
}

/** What `lower` rules write with; all nodes of a composition are named after the operation it stands for. */
function lowering(graph: GraphWriter, scope: string): Lowering {
  graph.scope = scope
  return {
    ...graph,
    compose(f, inputs, types) {
      const { program } = traceFlat((x) => [f(...x)], types)
      const held = inputs.map((name, i) => ({ name, shape: (types[i] as Type).shape }))
      const [result] = lowerProgram(graph, program, held, scope) as [Held]
      return expand(graph, result, program.outputs[0] as Value)
    },
    subgraph: (program, captured, unused = []) => ({ graph: subgraph(graph, program, captured, unused) }),
  }
}

/** A program as a graph inside another: `captured` are names of values around it. Every output is made by a node of its own. */
function subgraph(
  outer: GraphWriter,
  program: Program,
  captured: readonly string[],
  unused: readonly ('int64' | 'bool')[],
): GraphProto {
  const graph = outer.inner()
  const own = program.inputs.slice(captured.length)
  const names = own.map(() => graph.fresh('element'))
  const given = program.inputs.map(({ shape }, i) => ({
    name: captured[i] ?? (names[i - captured.length] as string),
    shape,
  }))
  const results = lowerProgram(graph, fuseTransposedDots(program), given)
  graph.scope = 'result'
  const outputs = results.map((held, i) => {
    const name = expand(graph, held, program.outputs[i] as Value)
    return graph.node('Identity', [name])
  })
  const elementTypes = { int64: TensorProto_DataType.INT64, bool: TensorProto_DataType.BOOL }
  const info = (name: string, { dtype, shape }: Type) => valueInfo(name, elementTypeOf[dtype], shape)
  return create(GraphProtoSchema, {
    name: graph.fresh('graph'),
    node: [...graph.written],
    initializer: graph.initializers(),
    input: [
      ...unused.map((type) => valueInfo(graph.fresh('unused'), elementTypes[type], [])),
      ...own.map((x, i) => info(names[i] as string, x)),
    ],
    output: program.outputs.map((y, i) => info(outputs[i] as string, y)),
  })
}
