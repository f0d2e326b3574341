import { traceFlat } from '../program/builder.js'
import { evaluate, type Program } from '../program/program.js'
import type { Value } from '../program/value.js'
import { jvpProgram } from './jvp.js'
import { splitProgram } from './partial.js'

/** A program's value and derivative: what can be computed before a direction is known, and the linear rest. */
export interface Linearization {
  /** The program's inputs to its outputs followed by the residuals. */
  readonly primal: Program
  /** Residuals followed by tangents of the chosen inputs, to tangents of the outputs that `moves` marks. */
  readonly linear: Program
  /** Which outputs depend on the chosen inputs; tangents of the others are zero. */
  readonly moves: readonly boolean[]
}

/** Splits the derivative of `program` with respect to the inputs that `wrt` marks. */
export function linearizeProgram(program: Program, wrt: readonly boolean[]): Linearization {
  let moves: boolean[] = []
  const count = program.inputs.length
  const chosen = program.inputs.filter((_, i) => wrt[i])
  const { program: both } = traceFlat(
    (inputs) => {
      let next = count
      const tangents = wrt.map((chosen) => (chosen ? (inputs[next++] as Value) : null))
      const at = jvpProgram(program, inputs.slice(0, count), tangents)
      moves = at.tangents.map((t) => t !== null)
      return [...at.outputs, ...at.tangents.filter((t) => t !== null)]
    },
    [...program.inputs, ...chosen],
  )
  const { known, unknown } = splitProgram(
    both,
    both.inputs.map((_, i) => i >= count),
  )
  return { primal: known, linear: unknown, moves }
}

/** A program linearised at a point. */
export interface LinearizedAt {
  readonly outputs: Value[]
  readonly residuals: Value[]
  readonly linear: Program
  readonly moves: readonly boolean[]
}

export function linearizeAt(
  program: Program,
  inputs: readonly Value[],
  wrt: readonly boolean[],
): LinearizedAt {
  const { primal, linear, moves } = linearizeProgram(program, wrt)
  const results = evaluate(primal, inputs)
  const count = program.outputs.length
  return { outputs: results.slice(0, count), residuals: results.slice(count), linear, moves }
}
