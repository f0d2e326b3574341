import { Tensor } from '../../tensor/tensor.js'
import { costOf, totalBytes } from '../forecast.js'
import type { Program } from '../program.js'
import { replaceEquations } from './replace.js'

/** Results up to this many bytes may outgrow the constants that they come from. */
const alwaysSmall = 1024
const mostGrowth = 8
/** Operations that may be spent on one equation while preparing a program. */
const mostWork = 1e7

export interface FoldOptions {
  /** The largest result to store, in bytes; 2^20 unless given. */
  readonly maxBytes?: number
}

/**
 * Evaluates the equations whose inputs are all constants. Left alone are those whose result would take
 * more than `maxBytes`, or more than 1 KiB and 8 times the bytes of its inputs (a broadcast scalar is
 * better made when it is needed), or more than 10^7 operations in the reference loops.
 * Returns the same object when there is nothing to evaluate.
 */
export function foldConstants(program: Program, { maxBytes = 2 ** 20 }: FoldOptions = {}): Program {
  return replaceEquations(program, (equation) => {
    const { primitive, inputs, params, outputs } = equation
    if (!inputs.every((input) => input instanceof Tensor)) return undefined
    const bytes = totalBytes(outputs)
    const most = Math.min(maxBytes, Math.max(alwaysSmall, mostGrowth * totalBytes(inputs)))
    if (bytes > most || costOf(equation).flops > mostWork) return undefined
    return primitive.evaluate(inputs, params, outputs)
  })
}
