import { zeros } from '../ops/slice.js'
import { bind } from '../program/builder.js'
import type { MaybeZero, Params, Primitive } from '../program/primitive.js'
import { type Environment, type Program, read } from '../program/program.js'
import { type Type, type Value, Var } from '../program/value.js'

/**
 * Forward mode: runs a program on values together with tangents (null for zero), by the derivative rule of
 * each primitive. Returns the outputs and their tangents.
 */
export function jvpProgram(
  program: Program,
  inputs: readonly Value[],
  tangents: readonly MaybeZero[],
): { outputs: Value[]; tangents: MaybeZero[] } {
  const values: Environment = new Map()
  const moving = new Map<Var, Value>()
  program.inputs.forEach((variable, i) => {
    values.set(variable, inputs[i] as Value)
    const tangent = tangents[i]
    if (tangent) moving.set(variable, tangent)
  })
  const tangentOf = (value: Value): MaybeZero => (value instanceof Var ? (moving.get(value) ?? null) : null)
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const at = inputs.map((input) => read(values, input))
    const ts = inputs.map(tangentOf)
    const results = differentiate(primitive, at, ts, params)
    outputs.forEach((variable, i) => {
      values.set(variable, results.outputs[i] as Value)
      const tangent = results.tangents[i]
      if (tangent) moving.set(variable, tangent)
    })
  }
  return {
    outputs: program.outputs.map((output) => read(values, output)),
    tangents: program.outputs.map(tangentOf),
  }
}

/** The outputs of one operation and their tangents. */
function differentiate(
  primitive: Primitive,
  inputs: readonly Value[],
  tangents: readonly MaybeZero[],
  params: Params,
): { outputs: Value[]; tangents: MaybeZero[] } {
  const moves = tangents.some((t) => t !== null)
  if (moves && primitive.differentiate) return primitive.differentiate({ inputs, tangents, params })
  const outputs = bind(primitive, inputs, params)
  return { outputs, tangents: moves ? primitive.derivative({ tangents, inputs, outputs, params }) : [] }
}

/** A tangent or cotangent as a value: zeros of the type of `like` for null. */
export function instantiate(t: MaybeZero | undefined, like: Type): Value {
  return t ?? zeros(like)
}
