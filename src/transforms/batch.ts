import { bind } from '../program/builder.js'
import { type Program, read } from '../program/program.js'
import { type Value, Var } from '../program/value.js'

/**
 * Runs a program over a batch: inputs marked `batched` carry `size` instances along axis 0. Returns the
 * outputs and which of them carry the batch.
 */
export function batchProgram(
  program: Program,
  inputs: readonly Value[],
  batched: readonly boolean[],
  size: number,
): { outputs: Value[]; batched: boolean[] } {
  const values = new Map<Var, Value>()
  const carries = new Set<Value>()
  program.inputs.forEach((variable, i) => {
    values.set(variable, inputs[i] as Value)
    if (batched[i]) carries.add(variable)
  })
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const at = inputs.map((input) => read(values, input))
    const flags = inputs.map((input) => carries.has(input))
    const any = flags.includes(true)
    const results = any
      ? primitive.batch({ inputs: at, batched: flags, size, params })
      : bind(primitive, at, params)
    outputs.forEach((variable, i) => {
      values.set(variable, results[i] as Value)
      if (any) carries.add(variable)
    })
  }
  return {
    outputs: program.outputs.map((output) => read(values, output)),
    batched: program.outputs.map((output) => output instanceof Var && carries.has(output)),
  }
}
