import { scalarize } from '../../engines/js/index.js'
import { optimize } from '../../ops/optimize.js'
import { zeros } from '../../ops/slice.js'
import { traceFlat } from '../../program/builder.js'
import type { MaybeZero } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import { range } from '../../tensor/shape.js'
import { fullTensor } from '../../tensor/tensor.js'
import { jvpProgram } from '../../transforms/jvp.js'
import { linearizeProgram } from '../../transforms/linearize.js'
import { transposeProgram } from '../../transforms/transpose.js'

/**
 * A program of few numbers as one of single numbers that returns, for each result, its derivatives by the first `count`
 * inputs and then itself.
 */
export function scalarDerivatives(program: Program, count: number): Program {
  const scalars = scalarize(program)
  const rowsOf = scalars.outputs.length <= count ? reverseRows : forwardRows
  const { program: both } = traceFlat((inputs) => {
    const { values, rows } = rowsOf(scalars, inputs, count)
    return values.flatMap((value, i) => [...rows[i]!.map((x) => x ?? zeros(one)), value])
  }, scalars.inputs)
  return optimize(both)
}

interface Derivatives {
  readonly values: readonly Value[]
  /** Those of each value; null for zero. */
  readonly rows: readonly (readonly MaybeZero[])[]
}

/** A product with the linear part's transpose for each result. */
function reverseRows(program: Program, inputs: readonly Value[], count: number): Derivatives {
  const { primal, linear, moves } = linearizeProgram(
    program,
    inputs.map((_, j) => j < count),
  )
  const results = evaluate(primal, inputs)
  const unknown = inputs.slice(0, count).map(() => null)
  const known = [...results.slice(moves.length), ...unknown]
  const moving = range(moves.length).filter((i) => moves[i])
  const rows = moves.map((_, row) =>
    transposeProgram(
      linear,
      known,
      moving.map((i) => (i === row ? one : null)),
    ),
  )
  return { values: results.slice(0, moves.length), rows }
}

/** A run with tangents for each input. */
function forwardRows(program: Program, inputs: readonly Value[], count: number): Derivatives {
  const columns = range(count).map(
    (j) =>
      jvpProgram(
        program,
        inputs,
        inputs.map((_, k) => (k === j ? one : null)),
      ).tangents,
  )
  return {
    values: evaluate(program, inputs),
    rows: program.outputs.map((_, i) => columns.map((column) => column[i]!)),
  }
}

const one = fullTensor([], 1, 'float64')
