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

/** Whether a parameter of an equation is a program that it runs. */
export function isProgram(data: unknown): data is Program {
  return typeof data === 'object' && data !== null && 'equations' in data && 'outputs' in data
}

/** The programs among an equation's parameters, under the names of these. */
export function subprograms(params: Params): [name: string, program: Program][] {
  return Object.entries(params).flatMap(([name, value]): [string, Program][] => {
    if (isProgram(value)) return [[name, value]]
    if (!Array.isArray(value) || !value.every(isProgram)) return []
    return value.map((program, i) => [`${name}[${i}]`, program])
  })
}

/** Parameters with each program among them replaced; the same object when none changes. */
export function mapSubprograms(params: Params, f: (program: Program) => Program): Params {
  let changed = false
  const map = (value: unknown): unknown => {
    if (!isProgram(value)) return value
    const mapped = f(value)
    if (mapped !== value) changed = true
    return mapped
  }
  const entries = Object.entries(params).map(([name, value]) => [
    name,
    Array.isArray(value) && value.some(isProgram) ? value.map(map) : map(value),
  ])
  return changed ? Object.fromEntries(entries) : params
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
