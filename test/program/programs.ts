import { traceFlat } from '../../src/program/builder.js'
import type { Program } from '../../src/program/program.js'
import type { Type, Value, Var } from '../../src/program/value.js'
import type { DType } from '../../src/tensor/dtype.js'
import type { Shape } from '../../src/tensor/shape.js'

export const float = (...shape: number[]): Type => ({ dtype: 'float64', shape })
export const typed = (dtype: DType, shape: Shape): Type => ({ dtype, shape })

/** The program of a function of values of the given types. */
export function program(types: readonly Type[], f: (...inputs: Var[]) => Value | Value[]): Program {
  return traceFlat((inputs) => [f(...inputs)].flat(), types).program
}
