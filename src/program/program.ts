import { bind } from './builder.js'
import type { Params, Primitive } from './primitive.js'
import { sameType, showType, type Value, Var } from './value.js'

/** One step: `outputs = primitive(inputs; params)`. */
export interface Equation {
  readonly primitive: Primitive
  readonly inputs: readonly Value[]
  readonly params: Params
  readonly outputs: readonly Var[]
}

/** A function as a list of equations in order, each variable assigned once (SSA). Tensors among the inputs of an equation are constants. */
export interface Program {
  readonly inputs: readonly Var[]
  readonly equations: readonly Equation[]
  readonly outputs: readonly Value[]
}

/** Variables of a program bound to values; constants stand for themselves. */
export type Environment = Map<Var, Value>

/** Reads a value of a program whose variables are bound in `environment`. */
export function read(environment: Environment, value: Value): Value {
  if (!(value instanceof Var)) return value
  const bound = environment.get(value)
  if (bound === undefined) throw new Error(`program: ${showType(value)} is used before it is computed`)
  return bound
}

/**
 * Runs a program on values: tensors are computed, traced values are recorded, so this both interprets a
 * program and inlines it into another.
 */
export function evaluate(program: Program, inputs: readonly Value[]): Value[] {
  if (inputs.length !== program.inputs.length)
    throw new Error(`program: got ${inputs.length} inputs, expected ${program.inputs.length}`)
  const environment: Environment = new Map()
  program.inputs.forEach((variable, i) => {
    const value = inputs[i] as Value
    if (!sameType(value, variable))
      throw new Error(`program: input ${i} is ${showType(value)}, expected ${showType(variable)}`)
    environment.set(variable, value)
  })
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const results = bind(
      primitive,
      inputs.map((input) => read(environment, input)),
      params,
    )
    outputs.forEach((variable, i) => {
      environment.set(variable, results[i] as Value)
    })
  }
  return program.outputs.map((output) => read(environment, output))
}
