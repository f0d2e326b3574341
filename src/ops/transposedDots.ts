import type { Equation, Program } from '../program/program.js'
import type { Value, Var } from '../program/value.js'
import { type DotParams, lowerDot } from './dotLowering.js'

/**
 * A program for export, in which a dot whose result is only used transposed writes it so: gradients in matrices and
 * batches of products come out transposed, and choosing the order costs nothing, while moving the elements does.
 */
export function fuseTransposedDots(program: Program): Program {
  const uses = new Map<Value, number>()
  for (const value of [...program.equations.flatMap(({ inputs }) => inputs), ...program.outputs])
    uses.set(value, (uses.get(value) ?? 0) + 1)
  const dots = new Map<Value, Equation>()
  const fused = new Map<Equation, Equation>()
  const dropped = new Set<Equation>()
  for (const equation of program.equations) {
    const { primitive, inputs, params, outputs } = equation
    if (primitive.name === 'dot') dots.set(outputs[0] as Var, equation)
    const product = primitive.name === 'transpose' ? dots.get(inputs[0] as Value) : undefined
    if (!product || uses.get(inputs[0] as Value) !== 1) continue
    dropped.add(product)
    fused.set(equation, { ...dotInOrder(product, params.permutation as readonly number[]), outputs })
  }
  if (dropped.size === 0) return program
  const equations = program.equations.filter((equation) => !dropped.has(equation))
  return { ...program, equations: equations.map((equation) => fused.get(equation) ?? equation) }
}

function dotInOrder(dot: Equation, order: readonly number[]): Equation {
  const primitive: Equation['primitive'] = {
    ...dot.primitive,
    lower: (onnx, inputs, call) => [
      lowerDot(onnx, inputs, { ...call, params: dot.params as unknown as DotParams }, order),
    ],
  }
  return { ...dot, primitive }
}
