import { norm } from '../../linalg/vector.js'
import type { Awaitable } from '../solver.js'
import type { LagrangianModel } from './lagrangian.js'
import { type KktMatrix, kktMatrix, type TangentSpace, tangentSpace } from './nullSpace.js'

/** Newton's equations of the Lagrangian: [H + shift, J^T; J, 0] [move; change] = -[gradient; residual]. */
export interface KktSystem {
  readonly model: LagrangianModel
  /** c less what it should be. */
  readonly residual: Float64Array
  /** How large constraints are; see {@link constraintSizes}. */
  readonly sizes: Float64Array
  /** By how much the conditions of a minimum fail here, without units. */
  readonly optimality: number
  /** Steps before this one, so that each can draw its own random numbers. */
  readonly iteration: number
  readonly signal: AbortSignal | undefined
}

/** -(gradient, residual). */
export function rightHandSide({ model: { gradient }, residual }: KktSystem): Float64Array {
  const joined = new Float64Array(gradient.length + residual.length)
  gradient.forEach((g, i) => {
    joined[i] = -g
  })
  residual.forEach((r, j) => {
    joined[gradient.length + j] = -r
  })
  return joined
}

const bestAccuracy = 1e-12

/** What inexact solvers solve to: as asked, and at least to the root of the conditions' failure, for superlinear convergence. */
export const krylovTolerance = ({ optimality }: KktSystem, accuracy: number): number =>
  Math.max(bestAccuracy, Math.min(accuracy, Math.sqrt(optimality)))

export interface KktDirection {
  /** Of the point. */
  readonly move: Float64Array
  /** Of the multipliers. */
  readonly change: Float64Array
  /** Products or sketches so far, where it was found by such. */
  readonly work: number
}

/** Penalties of the merit function on the squares of the constraints and of the Lagrangian's gradient. */
export interface Penalties {
  readonly constraints: number
  readonly gradient: number
}

/** What is prepared at one point. */
export interface KktSteps {
  /** An accuracy of which theory says that it makes a descent direction; infinite where there is no such. */
  sufficient(penalties: Penalties): number
  /** A direction of this accuracy; goes on from that of an earlier call. */
  solve(accuracy: number): Awaitable<KktDirection>
}

/** Solves {@link KktSystem}s, exactly or to an accuracy that is asked for. */
export interface KktSolver {
  readonly name: string
  prepare(system: KktSystem): Awaitable<KktSteps>
}

export interface DenseKkt extends KktMatrix {
  readonly space: TangentSpace
  /** What makes the Hessian positive definite along the constraints, 0 where it is. */
  readonly shift: number
}

/** Curvature along the constraints below this, or this part of the Hessian, is not positive. */
const leastCurvature = 1e-6
const rounding = 1e-14
/** The least curvature where it is made positive (Hong, Na, Mahoney and Kolar 2023). */
export const madeCurvature = 0.1

export async function denseKkt(model: LagrangianModel): Promise<DenseKkt> {
  const matrix = await kktMatrix(model)
  const space = tangentSpace(matrix, model.point.length)
  const lowest = space.curvatures[0] ?? Infinity
  const size = norm(matrix.hessian)
  const positive = lowest > Math.max(leastCurvature * Math.min(size, 1), rounding * size)
  const shift = positive ? 0 : madeCurvature + size
  return { ...matrix, space, shift }
}
