import type { Awaitable } from './solver.js'

/** A function near a point, as a descent needs it; each kind of problem adds what it knows. */
export interface LocalModel {
  readonly value: number
  readonly gradient: Float64Array
}

/** A function to minimise. Values that are not finite are taken for points outside its domain. */
export interface Objective<Model extends LocalModel> {
  value(x: Float64Array, spare?: Model): Awaitable<number>
  /** `spare`: an earlier model that is needed no more, to be overwritten. */
  linearize(x: Float64Array, spare?: Model): Awaitable<Model>
}

/** A proposal to move. */
export interface Step {
  readonly move: Float64Array
  /** The reduction that the model promises, more than 0 away from a minimum. */
  readonly predicted: number
  /** The size that it used up: at most what was asked for, less where the full step is shorter. */
  readonly size: number
  /** Whether the search's size did not limit it. */
  readonly full: boolean
  /** The move's length relative to the point's, in the descent's own scale. */
  readonly relative: number
  /** |gradient|^2 / damping in the norm dual to that in which the step was damped, where it was. */
  dual?(gradient: Float64Array): number
}

/** Where to go from one point, for any size that a search asks for; what does not depend on the size is done. */
export interface Steps {
  /** The size to begin with. */
  readonly initialSize: number
  /** The model's reduction by the full step: Newton's decrement, squared and halved. */
  readonly decrement: number
  /** The largest part of itself by which the full step changes a parameter. */
  readonly relative: number
  /** The gradient without units, 0 at a minimum and 1 at most where the descent can say so. */
  readonly optimality: number
  step(size: number): Awaitable<Step>
}

/**
 * A way down: Gauss-Newton, dogleg, limited-memory BFGS, ... Combines with any {@link Search}.
 * Directions of a trust region use the size as its radius, damped ones as the inverse of the damping, line searches as
 * the part of the full step.
 */
export interface Descent<Model extends LocalModel, Memory = unknown> {
  readonly name: string
  /** Whether it guesses curvature from gradients, or sees part of it, so that a small step or decrement proves nothing. */
  readonly estimated?: boolean
  /** What is kept from point to point, as plain data; called once at each point that is taken. */
  remember(model: Model, point: Float64Array, memory: Memory | undefined): Awaitable<Memory>
  /** `spare`: what it once prepared and is needed no more, to be overwritten. */
  prepare(model: Model, point: Float64Array, memory: Memory, spare?: Steps): Awaitable<Steps>
}

/** @throws when a method given by the user is no descent with a search. */
export function checkedMethod<M extends { readonly descent: unknown; readonly search: unknown }>(
  method: M,
): M {
  if (!(method?.descent && method.search))
    throw new Error(
      `method: got an object of ${Object.keys(method ?? {}).join(', ') || 'nothing'}, expected a name, or { descent, search }`,
    )
  return method
}
