import type { Equation, Program } from '../../program/program.js'
import { Var } from '../../program/value.js'
import { range, type Shape } from '../../tensor/shape.js'

/** Slices that cut a value into consecutive pieces along one axis: parameters read from one flat vector, or a batch of them. */
export interface Split {
  readonly whole: Var
  readonly axis: number
  /** The lengths of the pieces. */
  readonly lengths: readonly number[]
  /** Which piece a slice is. */
  readonly piece: ReadonlyMap<Equation, number>
}

interface Cut {
  readonly equation: Equation
  readonly start: number
  readonly limit: number
}

/** The slices of a program that can be one node for each value and axis. */
export function findSplits(program: Program): Map<Equation, Split> {
  const cuts = new Map<Var, Map<number, Cut[]>>()
  for (const equation of program.equations) {
    const found = equation.primitive.name === 'slice' ? cutOf(equation) : undefined
    if (!found) continue
    const x = equation.inputs[0] as Var
    const byAxis = cuts.get(x) ?? new Map<number, Cut[]>()
    cuts.set(x, byAxis.set(found.axis, [...(byAxis.get(found.axis) ?? []), found.cut]))
  }
  const splits = new Map<Equation, Split>()
  for (const [whole, byAxis] of cuts)
    for (const [axis, list] of byAxis) {
      const split = splitOf(whole, axis, list)
      if (split) for (const { equation } of list) splits.set(equation, split)
    }
  return splits
}

/** Where a slice cuts, if along one axis only and without steps. */
function cutOf(equation: Equation): { axis: number; cut: Cut } | undefined {
  const { inputs, params } = equation
  const [x] = inputs
  const [start, limit, stride] = [params.start, params.limit, params.stride] as [Shape, Shape, Shape]
  if (!(x instanceof Var) || stride.some((step) => step !== 1)) return undefined
  const [axis, ...others] = range(x.shape.length).filter((i) => start[i] !== 0 || limit[i] !== x.shape[i])
  if (axis === undefined || others.length > 0) return undefined
  return { axis, cut: { equation, start: start[axis] as number, limit: limit[axis] as number } }
}

function splitOf(whole: Var, axis: number, cuts: readonly Cut[]): Split | undefined {
  const piece = new Map<Equation, number>()
  const lengths: number[] = []
  let [from, to] = [0, 0]
  for (const { equation, start, limit } of [...cuts].sort((a, b) => a.start - b.start)) {
    if (limit === start) return undefined
    if (start === to) {
      lengths.push(limit - start)
      from = start
      to = limit
    } else if (start !== from || limit !== to) return undefined
    piece.set(equation, lengths.length - 1)
  }
  return to === whole.shape[axis] && lengths.length > 1 ? { whole, axis, lengths, piece } : undefined
}
