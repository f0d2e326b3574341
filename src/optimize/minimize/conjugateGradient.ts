import { dot, norm } from '../../linalg/vector.js'
import type { Descent } from '../descent.js'
import { firstGuess, lineStep } from './limitedMemory.js'
import { measures } from './measures.js'
import type { FunctionModel } from './model.js'

/** The way from a point. */
export interface ConjugateDirection {
  readonly point: Float64Array
  readonly gradient: Float64Array
  /** -gradient + weight * the last direction. */
  readonly direction: Float64Array
  /** How many of it to go first: as many as last time. */
  readonly size: number
}

/** Directions keep at least this much of the last one, relative to the lengths of direction and gradient. */
const least = 0.01

/** Nonlinear conjugate gradients (Hager and Zhang 2005, CG_DESCENT); for line searches. */
export const conjugateDirections: Descent<FunctionModel, ConjugateDirection> = {
  name: 'nonlinear conjugate gradients',
  estimated: true,
  remember({ gradient }, point, before) {
    const steepest = { point, gradient, direction: firstGuess(gradient, point), size: 1 }
    if (!before) return steepest
    const { direction: d } = before
    const change = gradient.map((g, i) => g - before.gradient[i]!)
    if (!(dot(d, change) > 0)) return steepest
    const weight = Math.max(hagerZhang(gradient, d, change), floor(before.gradient, d))
    const direction = gradient.map((g, i) => weight * d[i]! - g)
    if (!(dot(gradient, direction) < 0)) return steepest
    const went = norm(point.map((x, i) => x - before.point[i]!))
    return { point, gradient, direction, size: went / norm(d) }
  },
  prepare(model, point, { direction, size: first }) {
    const full = direction.map((x) => first * x)
    const slope = -dot(model.gradient, full)
    return {
      ...measures(model, point, full, slope / 2),
      initialSize: 1,
      step: (size) => lineStep(full, size, size * slope, point),
    }
  },
}

/** (y - 2 d |y|^2 / d^T y)^T g / d^T y. */
function hagerZhang(gradient: Float64Array, d: Float64Array, y: Float64Array): number {
  const dy = dot(d, y)
  return (dot(y, gradient) - (2 * dot(y, y) * dot(d, gradient)) / dy) / dy
}

const floor = (gradient: Float64Array, d: Float64Array) => -1 / (norm(d) * Math.min(least, norm(gradient)))
