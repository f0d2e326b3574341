import { broadcastTo } from '../../ops/broadcast.js'
import { traceFlat } from '../../program/builder.js'
import { forecast, totalBytes } from '../../program/forecast.js'
import { type MaybeZero, type Primitive, Unknown } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import { prepareProgram } from '../../program/run.js'
import { sameType, showType, type Type, type Value } from '../../program/value.js'
import { isFloat } from '../../tensor/dtype.js'
import { batchProgram } from '../batch.js'
import { transposeProgram } from '../transpose.js'

/** Operations that run a program, and differ in their derivatives. */
export interface CallParams extends Record<string, unknown> {
  readonly program: Program
}

type Common = 'infer' | 'evaluate' | 'lower' | 'inline' | 'forecast' | 'transpose'

/** What operations that run the program in their parameters have in common. */
export function callRules<P extends CallParams>(name: string): Pick<Primitive<P>, Common> {
  return {
    infer(inputs, { program }) {
      const fits = inputs.length === program.inputs.length
      inputs.forEach((input, i) => {
        const expected = program.inputs[i]
        if (!expected || !sameType(input, expected))
          throw new Error(
            `${name}: input ${i} is ${showType(input)}, expected ${expected && showType(expected)}`,
          )
      })
      if (!fits) throw new Error(`${name}: got ${inputs.length} inputs, expected ${program.inputs.length}`)
      return program.outputs.map(({ dtype, shape }) => ({ dtype, shape }))
    },
    evaluate: (inputs, { program }, _, prepare = prepareProgram) => prepare(program)(inputs),
    inline: (inputs, { program }) => evaluate(program, inputs),
    lower: (onnx, inputs, { inputs: types, params: { program } }) =>
      program.outputs.map((_, i) => onnx.compose((...x) => evaluate(program, x)[i] as Value, inputs, types)),
    forecast({ params: { program } }) {
      const whole = forecast(program)
      return {
        ...whole,
        peakBytes: Math.max(0, whole.peakBytes - totalBytes([...program.inputs, ...program.outputs])),
      }
    },
    transpose: ({ cotangents, inputs, params: { program } }) => transposeCall(program, inputs, cotangents),
  }
}

/** Cotangents of the unknown inputs of a program that is linear in them, in the places of all inputs. */
export function transposeCall(
  program: Program,
  inputs: readonly (Value | Unknown)[],
  cotangents: readonly MaybeZero[],
): MaybeZero[] {
  const known = inputs.map((input) => (input instanceof Unknown ? null : input))
  const back = transposeProgram(program, known, cotangents)
  let next = 0
  return known.map((value) => (value ? null : (back[next++] as MaybeZero)))
}

const batchedType = ({ dtype, shape }: Type, size: number): Type => ({ dtype, shape: [size, ...shape] })

/** A program over a batch, as a program: inputs marked `batched`, and all outputs, carry it as axis 0. */
export function batchedProgram(program: Program, batched: readonly boolean[], size: number): Program {
  const types = program.inputs.map((type, i) => (batched[i] ? batchedType(type, size) : type))
  return traceFlat((inputs) => {
    const result = batchProgram(program, inputs, batched, size)
    return result.outputs.map((output, i) =>
      result.batched[i] ? output : broadcastTo(output, [size, ...output.shape]),
    )
  }, types).program
}

/** A closed program of `f`. @throws when it uses traced values from outside, which its derivative would not see. */
export function traceClosed(
  where: string,
  f: (inputs: Value[]) => readonly Value[],
  types: readonly Type[],
): Program {
  const { program, captured } = traceFlat(f, types)
  if (captured.length > 0)
    throw new Error(
      `${where} uses ${captured.length} traced value(s) from outside (${captured.map(showType).join(', ')}); ` +
        'pass them as arguments of the function',
    )
  return program
}

/** `make()`, computed at the first call and kept. In listings it is its name. */
export function lazily<T>(name: string, make: () => T): () => T {
  let made: { value: T } | undefined
  const get = () => {
    made ??= { value: make() }
    return made.value
  }
  return Object.assign(get, { toJSON: () => name })
}

export const isFloatType = ({ dtype }: Type) => isFloat(dtype)
