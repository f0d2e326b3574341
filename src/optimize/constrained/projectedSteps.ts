import { axpy, dot, norm } from '../../linalg/vector.js'
import { times } from '../elementwise.js'
import { breathing } from '../solver.js'
import type { ConstraintPreconditioner } from './constraintPreconditioner.js'
import { type KktDirection, type KktSteps, type KktSystem, krylovTolerance, rightHandSide } from './kkt.js'

/** Curvature along a direction, relative to that of the preconditioner, below which it is not positive. */
const leastCurvature = 1e-12
/** The first shift, relative to the preconditioner, and by how much it grows. */
const firstShift = 0.1
const growth = 10
const mostShift = 1e10

/**
 * Solves by {@link projectedGradients}. Where these meet curvature that is not positive, `shift` times the preconditioner's
 * diagonal is added to the Hessian, and more until they do not.
 */
export function projectedSteps(
  system: KktSystem,
  diagonal: Float64Array,
  precondition: ConstraintPreconditioner,
): KktSteps {
  let [shift, spent] = [0, 0]
  let iteration = projectedGradients(system, diagonal, precondition, shift)
  return {
    sufficient: () => Infinity,
    async solve(accuracy) {
      const goal = krylovTolerance(system, accuracy) * norm(rightHandSide(system))
      for (;;) {
        const { isPositive, ...direction } = await iteration(goal)
        const work = spent + direction.work
        if (isPositive || shift > mostShift) return { ...direction, work }
        spent = work
        shift = Math.max(growth * shift, firstShift)
        iteration = projectedGradients(system, diagonal, precondition, shift)
      }
    },
  }
}

interface Outcome extends KktDirection {
  readonly isPositive: boolean
}

/**
 * Conjugate gradients for the Lagrangian's equations along the constraints, from a step that satisfies these, with the
 * multipliers taken anew at each step so that the residual is as small as they can make it (Gould, Hribar and Nocedal 2001,
 * algorithm 6.2). Each call goes on from the last, until the residual's length is at most `goal`.
 */
function projectedGradients(
  { model, residual, signal }: KktSystem,
  diagonal: Float64Array,
  precondition: ConstraintPreconditioner,
  shift: number,
): (goal: number) => Promise<Outcome> {
  const { gradient } = model
  const n = gradient.length
  const none = new Float64Array(residual.length)
  const bent = async (v: Float64Array) => {
    const [image] = await model.product(v, none)
    return image.map((y, i) => y + shift * diagonal[i]! * v[i]!)
  }
  const { x: move } = precondition(
    gradient.map((g) => -g),
    residual.map((r) => -r),
  )
  const change = new Float64Array(residual.length)
  const direction = new Float64Array(n)
  /** The residual of the first equations. */
  let rest: Float64Array | undefined
  let [size, work, isPositive] = [1, 0, true]
  const breathe = breathing(signal)

  return async (goal) => {
    rest ??= (await bent(move)).map((y, i) => -gradient[i]! - y)
    for (; isPositive && work <= n; work++) {
      const { x: z, l } = precondition(rest, none)
      axpy(1, l, change)
      rest = times(diagonal, z)
      if (norm(rest) <= goal) break
      const before = size
      size = dot(rest, z)
      direction.forEach((p, i) => {
        direction[i] = z[i]! + (work === 0 ? 0 : (size / before) * p)
      })
      const image = await bent(direction)
      const curvature = dot(direction, image)
      isPositive = curvature > leastCurvature * dot(direction, times(diagonal, direction))
      if (!isPositive) break
      axpy(size / curvature, direction, move)
      axpy(-size / curvature, image, rest)
      await breathe()
    }
    return { move: move.slice(), change: change.slice(), work: work + 1, isPositive }
  }
}
