import { add } from '../ops/arithmetic.js'
import { bind } from '../program/builder.js'
import { type MaybeZero, Unknown } from '../program/primitive.js'
import { type Environment, type Equation, type Program, read } from '../program/program.js'
import { type Value, Var } from '../program/value.js'

/**
 * Reverse mode's second half: runs a linear program backwards. `inputs` gives the values of its known
 * inputs and null for those it is linear in; returns the cotangents of the latter (null for zero) from
 * those of its outputs.
 */
export function transposeProgram(
  program: Program,
  inputs: readonly (Value | null)[],
  cotangents: readonly MaybeZero[],
): MaybeZero[] {
  const known: Environment = new Map()
  const linear = new Set<Value>()
  program.inputs.forEach((variable, i) => {
    const value = inputs[i]
    if (value) known.set(variable, value)
    else linear.add(variable)
  })
  const linearEquations: Equation[] = []
  const run = ({ primitive, inputs, params, outputs }: Equation) => {
    const at = inputs.map((input) => read(known, input))
    bind(primitive, at, params).forEach((result, i) => {
      known.set(outputs[i] as Var, result)
    })
  }
  for (const equation of program.equations) {
    const flags = equation.inputs.map((input) => linear.has(input))
    const cut = flags.includes(true)
      ? (equation.primitive.split?.(equation, flags, equation.params) ?? { known: [], unknown: [equation] })
      : { known: [equation], unknown: [] }
    cut.known.forEach(run)
    for (const part of cut.unknown) for (const output of part.outputs) linear.add(output)
    linearEquations.push(...cut.unknown)
  }
  const collected = new Map<Var, Value>()
  const accumulate = (target: Value, ct: MaybeZero | undefined) => {
    if (!ct || !(target instanceof Var) || !linear.has(target)) return
    const sum = collected.get(target)
    collected.set(target, sum ? add(sum, ct) : ct)
  }
  program.outputs.forEach((output, i) => {
    accumulate(output, cotangents[i])
  })
  for (const { primitive, inputs, params, outputs } of linearEquations.reverse()) {
    const cts = outputs.map((output) => collected.get(output) ?? null)
    if (cts.every((ct) => ct === null)) continue
    if (!primitive.transpose)
      throw new Error(`${primitive.name}: is not linear in its input, so it has no transpose`)
    const operands = inputs.map((input) => (linear.has(input) ? new Unknown(input) : read(known, input)))
    const back = primitive.transpose({ cotangents: cts, inputs: operands, outputs, params })
    inputs.forEach((input, i) => {
      accumulate(input, back[i])
    })
  }
  return program.inputs.filter((_, i) => !inputs[i]).map((variable) => collected.get(variable) ?? null)
}
