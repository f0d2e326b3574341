import { reshape } from '../../ops/broadcast.js'
import { traceFlat } from '../../program/builder.js'
import { evaluate } from '../../program/program.js'
import { showType, type Value } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import { vmap } from '../../transforms/vmap.js'
import { OnnxError, quote } from '../error.js'
import { checkInputs, type OnnxInput } from './inputs.js'

type Values = Readonly<Record<string, Value>>
type Run = (values: Values) => Values

/**
 * Runs a model on N samples, stacked along axis 0 of every input. In a declared input the first dimension is the
 * batch if it is a symbol or 1; samples come without it. An input with another first dimension, or none, has no
 * batch axis: a sample of it is the whole input.
 *
 * A model whose inputs all declare a symbol is given the N samples as its batch, if that gives outputs of N
 * elements along axis 0. Every other model (a batch of one in its input or in some Reshape) computes each sample
 * as it stands, as one program batched by vmap; a first axis of length one goes from its outputs. So no sample
 * ever meets another in a model that was exported for one.
 */
export function applySamples(run: Run, inputs: Values, declared: readonly OnnxInput[], file: string): Values {
  const size = countSamples(inputs, declared, file)
  const symbolic = declared.length > 0 && declared.every(({ shape }) => typeof shape[0] === 'string')
  if (symbolic) {
    checkInputs(inputs, declared, file)
    const whole = asOneBatch(run, inputs, size)
    if (whole) return whole
  }
  const hasAxis = new Map(
    declared.map(({ name, shape }) => [name, typeof shape[0] === 'string' || shape[0] === 1]),
  )
  const single = (sample: Values): Values => {
    const one = mapValues(sample, (x, name) => (hasAxis.get(name) ? reshape(x, [1, ...x.shape]) : x))
    checkInputs(one, declared, file)
    const results = run(one)
    const batched = [...hasAxis.values()].includes(true)
    return mapValues(results, (y) => (batched && y.shape[0] === 1 ? reshape(y, y.shape.slice(1)) : y))
  }
  return vmap(single as (sample: Values) => Record<string, Tensor>)(inputs as Record<string, Tensor>)
}

/** The model on the whole batch, or undefined where it cannot take it: traced first, which computes nothing. */
function asOneBatch(run: Run, inputs: Values, size: number): Values | undefined {
  const names = Object.keys(inputs)
  let outputs: string[] = []
  try {
    const { program, captured } = traceFlat((given) => {
      const results = run(Object.fromEntries(names.map((name, i) => [name, given[i] as Value])))
      outputs = Object.keys(results)
      return Object.values(results)
    }, Object.values(inputs))
    if (program.outputs.some((y) => y.shape[0] !== size)) return undefined
    const results = evaluate(program, [...captured, ...Object.values(inputs)])
    return Object.fromEntries(outputs.map((name, i) => [name, results[i] as Value]))
  } catch (error) {
    if (error instanceof OnnxError) return undefined
    throw error
  }
}

function countSamples(inputs: Values, declared: readonly OnnxInput[], file: string): number {
  let size: number | undefined
  for (const { name } of declared) {
    const x = inputs[name]
    if (!x) throw new OnnxError(`input ${quote(name)} is missing`, { file })
    const n = x.shape[0]
    if (n === undefined)
      throw new OnnxError(`input ${quote(name)} is ${showType(x)}, expected samples along axis 0`, { file })
    if (size !== undefined && n !== size)
      throw new OnnxError(`input ${quote(name)} has ${n} samples, the others ${size}`, { file })
    size = n
  }
  if (size === undefined) throw new OnnxError('the model has no inputs to batch', { file })
  return size
}

function mapValues(values: Values, f: (x: Value, name: string) => Value): Values {
  return Object.fromEntries(Object.entries(values).map(([name, x]) => [name, f(x, name)]))
}
