import { bytesPerElement } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import type { Equation, Program } from './program.js'
import { type Type, type Value, Var } from './value.js'

export interface Cost {
  /** Floating-point operations. */
  readonly flops: number
  /** Bytes read and written. */
  readonly bytes: number
}

export interface Forecast extends Cost {
  readonly equations: number
  /** Bytes of the inputs, the constants, and the intermediate values alive at the worst moment. */
  readonly peakBytes: number
}

const bytesOf = ({ dtype, shape }: Type) => bytesPerElement(dtype) * sizeOf(shape)

/** Bytes of the elements of several values. */
export function totalBytes(types: readonly Type[]): number {
  return types.reduce((sum, type) => sum + bytesOf(type), 0)
}

/** A reshape, and a checkpoint's barrier, give a new name to the same elements; every other result is stored on its own. */
const isAlias = ({ primitive }: Equation) => primitive.name === 'reshape' || primitive.name === 'barrier'

/** What one equation costs. An input that it names twice is read once; a reshape moves nothing. */
export function costOf(equation: Equation): Cost {
  const { primitive, inputs, params, outputs } = equation
  if (primitive.forecast) return primitive.forecast({ inputs, params, outputs })
  const flops = primitive.flops
    ? primitive.flops({ inputs, params, outputs })
    : outputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return { flops, bytes: isAlias(equation) ? 0 : totalBytes([...new Set(inputs), ...outputs]) }
}

/**
 * What running a program will cost, before anything runs. An equation's result is alive from that equation
 * to its last use; an engine that fuses equations or computes in place needs less.
 */
export function forecast(program: Program): Forecast {
  const { inputs, equations, outputs } = program
  const costs = equations.map(costOf)
  return {
    equations: equations.length,
    flops: costs.reduce((sum, cost) => sum + cost.flops, 0),
    bytes: costs.reduce((sum, cost) => sum + cost.bytes, 0),
    peakBytes: totalBytes(inputs) + constantBytes(program) + peakOfIntermediates(equations, outputs),
  }
}

function constantBytes({ equations, outputs }: Program): number {
  const constants = [...equations.flatMap(({ inputs }) => inputs), ...outputs]
  const stored = new Set(constants.flatMap((value) => (value instanceof Var ? [] : [value.data])))
  return [...stored].reduce((sum, data) => sum + data.byteLength, 0)
}

function peakOfIntermediates(equations: readonly Equation[], outputs: readonly Value[]): number {
  const original = new Map<Value, Value>()
  const lastUse = new Map<Value, number>()
  const use = (value: Value, at: number) => lastUse.set(original.get(value) ?? value, at)
  equations.forEach((equation, at) => {
    for (const input of equation.inputs) use(input, at)
    const [source] = equation.inputs
    if (source && isAlias(equation)) {
      for (const output of equation.outputs) original.set(output, original.get(source) ?? source)
      return
    }
    for (const output of equation.outputs) use(output, at)
  })
  for (const output of outputs) use(output, equations.length)

  const dying = equations.map((): number[] => [])
  let live = 0
  let peak = 0
  equations.forEach((equation, at) => {
    for (const output of equation.outputs) {
      if (original.has(output)) continue
      live += bytesOf(output)
      dying[lastUse.get(output) as number]?.push(bytesOf(output))
    }
    peak = Math.max(peak, live + (equation.primitive.forecast?.(equation).peakBytes ?? 0))
    for (const bytes of dying[at] as number[]) live -= bytes
  })
  return peak
}
