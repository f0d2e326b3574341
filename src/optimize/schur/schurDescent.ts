import { dot } from '../../linalg/vector.js'
import type { Descent } from '../descent.js'
import type { Observations } from './blockProblem.js'
import { diagonalOf, type NormalEquations } from './normalEquations.js'
import type { ReducedPattern } from './reducedPattern.js'
import { solveByElimination } from './schurComplement.js'

/** Ceres' first damping, 1e-4. */
const initialSize = 1e4

/**
 * Levenberg's step with the damping diag(J^T J) / size, in Marquardt's scale, solved by elimination of the points. What a
 * step without damping would do is not known: cameras and points are often determined only up to a motion of all.
 */
export function schurDescent(
  observations: Observations,
  reduced: ReducedPattern,
): Descent<NormalEquations, null> {
  return {
    name: 'Levenberg-Marquardt by Schur elimination',
    remember: () => null,
    prepare(equations, point) {
      const { gradient, residualSize } = equations
      const diagonal = diagonalOf(observations, equations)
      const length = (x: Float64Array) => Math.sqrt(weightedSquare(diagonal, x))
      return {
        initialSize,
        decrement: Number.NaN,
        relative: Number.NaN,
        optimality: largestCosine(gradient, diagonal, residualSize),
        step(size) {
          const damping = diagonal.map((d) => d / size)
          const move = solveByElimination(observations, equations, reduced, damping)
          if (!move) return failed(point.length, size)
          const predicted = (weightedSquare(damping, move) - dot(gradient, move)) / 2
          return { move, predicted, size, full: false, relative: length(move) / length(point) }
        },
      }
    },
  }
}

/** sum_j weights_j x_j^2 */
function weightedSquare(weights: Float64Array, x: Float64Array): number {
  let sum = 0
  for (let j = 0; j < x.length; j++) sum += weights[j]! * x[j]! * x[j]!
  return sum
}

/** A step that any search rejects in favour of a shorter one. */
const failed = (n: number, size: number) => ({
  move: new Float64Array(n),
  predicted: Number.NaN,
  size,
  full: false,
  relative: Number.NaN,
})

/** The largest cosine between the residuals and a column of their Jacobian. */
function largestCosine(gradient: Float64Array, diagonal: Float64Array, residualSize: number): number {
  let largest = 0
  for (let j = 0; j < gradient.length; j++)
    largest = Math.max(largest, Math.abs(gradient[j]!) / Math.sqrt(diagonal[j]!))
  return largest === 0 ? 0 : largest / residualSize
}
