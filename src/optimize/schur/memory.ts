import type { Observations } from './blockProblem.js'
import type { ReducedPattern } from './reducedPattern.js'

/** Bytes that a solution holds at most, by what they are for. */
export interface BlockMemory {
  /** Observed data and indices. */
  readonly observations: number
  /** Two sets of normal equations: those of the point, and of the trial point. */
  readonly normalEquations: number
  /** The cameras' system, in whose place its factor comes, with its pattern. */
  readonly reducedSystem: number
  readonly total: number
}

const [double, integer] = [8, 4]

export function blockMemory(
  { cameras, points, camera, pointers, data }: Observations,
  { place, blocks, blockOfPair }: ReducedPattern,
): BlockMemory {
  const [a, b] = [cameras.size, points.size]
  const observations = double * data.size + integer * (2 * camera.length + pointers.length)
  const numbers = cameras.count * a * (a + 1) + points.count * b * (b + 1) + camera.length * a * b
  const normalEquations = 2 * double * numbers
  const reducedSystem =
    double * blocks.rows.length * a * a +
    integer * (blockOfPair.length + blocks.rows.length + blocks.columnPointers.length + place.length)
  return {
    observations,
    normalEquations,
    reducedSystem,
    total: observations + normalEquations + reducedSystem,
  }
}
