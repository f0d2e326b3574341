import type { Tensor } from '../../tensor/tensor.js'
import { isProgram, type Program } from '../program.js'
import { showType, type Value, Var } from '../value.js'
import { replaceEquations } from './replace.js'

/** Constants up to this many bytes are compared by content, larger ones by identity. */
const smallConstant = 256

/**
 * Computes once what several equations compute alike: the same primitive of the same inputs with the same
 * parameters. Small constants are the same when their dtype, shape and bits are, so 0 and -0 differ, and
 * NaN equals itself. Returns the same object when there is nothing to share.
 */
export function shareCommonSubexpressions(program: Program): Program {
  const numbers = new Map<unknown, number>()
  const identity = (thing: unknown): number => {
    const known = numbers.get(thing)
    if (known !== undefined) return known
    numbers.set(thing, numbers.size)
    return numbers.size - 1
  }
  const inputKey = (input: Value) => identity(input instanceof Var ? input : constantKey(input))

  const first = new Map<string, readonly Var[]>()
  return replaceEquations(program, ({ primitive, inputs, params, outputs }) => {
    const key = `${identity(primitive)}(${inputs.map(inputKey)})${keyOf(params, identity)}`
    const earlier = first.get(key)
    if (!earlier) first.set(key, outputs)
    return earlier
  })
}

const constantKey = (constant: Tensor) =>
  constant.data.byteLength > smallConstant ? constant : contentOf(constant)

/** Text that is equal for programs that do the same, whatever their variables are. */
function programKey(program: Program, identity: (thing: unknown) => number): string {
  const names = new Map<Var, string>()
  const declare = (variable: Var) => {
    names.set(variable, `v${names.size}`)
    return showType(variable)
  }
  const show = (value: Value) => (value instanceof Var ? names.get(value) : identity(constantKey(value)))
  const head = program.inputs.map(declare)
  const equations = program.equations.map(({ primitive, inputs, params, outputs }) => {
    const call = `${identity(primitive)}(${inputs.map(show)})${keyOf(params, identity)}`
    return `${outputs.map(declare)}=${call}`
  })
  return `{${[head, ...equations, program.outputs.map(show)].join(';')}}`
}

function contentOf(constant: Tensor): string {
  const { buffer, byteOffset, byteLength } = constant.data
  return `${showType(constant)}:${new Uint8Array(buffer, byteOffset, byteLength).join(' ')}`
}

/** Text that is equal for equal plain data; JSON would confuse NaN with null and -0 with 0. */
function keyOf(data: unknown, identity: (thing: unknown) => number): string {
  if (Array.isArray(data)) return `[${data.map((item) => keyOf(item, identity))}]`
  if (typeof data === 'string') return JSON.stringify(data)
  if (typeof data === 'number') return Object.is(data, -0) ? '-0' : String(data)
  if (isProgram(data)) return programKey(data, identity)
  if (data === null || Object.getPrototypeOf(Object(data)) !== Object.prototype)
    return `${typeof data}${identity(data)}`
  const fields = Object.entries(data as object).map(([name, value]) => `${name}:${keyOf(value, identity)}`)
  return `{${fields}}`
}
