import type { Equation, Program } from '../../program/program.js'
import { Var } from '../../program/value.js'

/** Slices that cut a vector into consecutive pieces: parameters read from one flat vector. */
export interface Split {
  readonly vector: Var
  /** The lengths of the pieces. */
  readonly lengths: readonly number[]
  /** Which piece a slice is. */
  readonly piece: ReadonlyMap<Equation, number>
}

/** The slices of a program that can be one node for each vector. */
export function findSplits(program: Program): Map<Equation, Split> {
  const slices = new Map<Var, Equation[]>()
  for (const equation of program.equations) {
    const [x] = equation.inputs
    if (equation.primitive.name !== 'slice' || !(x instanceof Var) || x.shape.length !== 1) continue
    if ((equation.params.stride as readonly number[])[0] === 1)
      slices.set(x, [...(slices.get(x) ?? []), equation])
  }
  const splits = new Map<Equation, Split>()
  for (const [vector, equations] of slices) {
    const split = splitOf(vector, equations)
    if (split) for (const equation of equations) splits.set(equation, split)
  }
  return splits
}

function splitOf(vector: Var, equations: Equation[]): Split | undefined {
  const bounds = (equation: Equation) => {
    const [start, limit] = [equation.params.start, equation.params.limit] as [number[], number[]]
    return { equation, start: start[0] as number, limit: limit[0] as number }
  }
  const piece = new Map<Equation, number>()
  const lengths: number[] = []
  let [from, to] = [0, 0]
  for (const { equation, start, limit } of equations.map(bounds).sort((a, b) => a.start - b.start)) {
    if (limit === start) return undefined
    if (start === to) {
      lengths.push(limit - start)
      from = start
      to = limit
    } else if (start !== from || limit !== to) return undefined
    piece.set(equation, lengths.length - 1)
  }
  return to === vector.shape[0] && lengths.length > 1 ? { vector, lengths, piece } : undefined
}
