import { axpy, dot, norm } from '../../linalg/vector.js'
import type { Descent } from '../descent.js'
import { measures, relativeLength } from './measures.js'
import type { FunctionModel } from './model.js'

/** How the gradient changed on the way to a point, on the last steps that showed positive curvature. */
export interface Pairs {
  readonly point: Float64Array
  readonly gradient: Float64Array
  /** Changes of the point, oldest first, and of the gradient. */
  readonly moves: readonly Float64Array[]
  readonly changes: readonly Float64Array[]
}

/** A pair whose s^T y is below this part of |s| |y| shows rounding rather than curvature. */
const leastCosine = 1e-12

/** The pairs with the newest one, `most` at most. */
export function grownPairs(
  { gradient }: FunctionModel,
  point: Float64Array,
  before: Pairs | undefined,
  most: number,
): Pairs {
  if (!before) return { point, gradient, moves: [], changes: [] }
  const move = point.map((x, i) => x - before.point[i]!)
  const change = gradient.map((g, i) => g - before.gradient[i]!)
  if (!(dot(move, change) > leastCosine * norm(move) * norm(change))) return { ...before, point, gradient }
  return {
    point,
    gradient,
    moves: [...before.moves, move].slice(-most),
    changes: [...before.changes, change].slice(-most),
  }
}

export interface LimitedMemoryOptions {
  /** How many pairs are kept. Default 10. */
  readonly memory?: number
}

/** Limited-memory BFGS: -H g with an inverse Hessian known by pairs (Nocedal 1980); for line searches. */
export function limitedMemory({ memory = 10 }: LimitedMemoryOptions = {}): Descent<FunctionModel, Pairs> {
  return {
    name: 'L-BFGS',
    estimated: true,
    remember: (model, point, before) => grownPairs(model, point, before, memory),
    prepare(model, point, pairs) {
      const full = quasiNewton(model.gradient, point, pairs)
      const slope = -dot(model.gradient, full)
      return {
        ...measures(model, point, full, slope / 2),
        initialSize: 1,
        step: (size) => lineStep(full, size, size * slope, point),
      }
    },
  }
}

/** A step along a line, of which no part is known to be Newton's. */
export function lineStep(full: Float64Array, size: number, predicted: number, point: Float64Array) {
  const move = full.map((x) => size * x)
  return { move, predicted, size, full: false, relative: relativeLength(move, point) }
}

/** -H g by two loops over the pairs (Nocedal and Wright 2006, algorithm 7.4). */
function quasiNewton(gradient: Float64Array, point: Float64Array, { moves, changes }: Pairs): Float64Array {
  const d = gradient.map((g) => -g)
  const newest = moves.length - 1
  if (newest < 0) return firstGuess(gradient, point)
  const weights = moves.map((s, k) => 1 / dot(s, changes[k]!))
  const parts: number[] = []
  for (let k = newest; k >= 0; k--) {
    parts[k] = weights[k]! * dot(moves[k]!, d)
    axpy(-parts[k]!, changes[k]!, d)
  }
  const scale = 1 / (weights[newest]! * dot(changes[newest]!, changes[newest]!))
  for (let i = 0; i < d.length; i++) d[i] = scale * d[i]!
  moves.forEach((s, k) => {
    axpy(parts[k]! - weights[k]! * dot(changes[k]!, d), s, d)
  })
  return d
}

/** Down the gradient, as far as the point's own length at most. */
export function firstGuess(gradient: Float64Array, point: Float64Array): Float64Array {
  const length = norm(gradient)
  const most = Math.min(length, Math.max(norm(point), 1))
  return gradient.map((g) => (length === 0 ? 0 : (-g / length) * most))
}
