import { type Box, clamp } from '../box.js'
import type { Awaitable, HistoryRow, IterationState, Solver } from '../solver.js'

/** Corners of a simplex, the best first. */
export interface SimplexState extends IterationState {
  readonly corners: readonly Float64Array[]
  readonly values: readonly number[]
  /** The best value with which the simplex last began anew. */
  readonly restarted: number
  readonly accepted: boolean
}

interface Problem {
  readonly value: (x: Float64Array) => Awaitable<number>
  readonly start: Float64Array
  readonly box: Box
  readonly tolerance: number
}

/** The first simplex reaches this part of each parameter away from the start, or this far where it is 0. */
const reach = 0.05

/**
 * The simplex of Nelder and Mead (1965) with the parameters of Gao and Han (2012), which suit many dimensions. One that has
 * shrunk to a point begins anew there, and ends when that brings nothing any more. Needs no derivatives, and proves
 * nothing about them.
 */
export function nelderMead({ value, start, box, tolerance }: Problem): Solver<SimplexState> {
  const n = start.length
  const [expansion, contraction, shrink] = [1 + 2 / n, 0.75 - 1 / (2 * n), n > 1 ? 1 - 1 / n : 0.5]
  const valueAt = async (x: Float64Array) => {
    const y = await value(x)
    return Number.isNaN(y) ? Infinity : y
  }

  const sorted = (state: SimplexState, corners: readonly Float64Array[], values: readonly number[]) => {
    const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!)
    const [best] = order
    return {
      ...state,
      iteration: state.iteration + 1,
      point: corners[best!]!,
      value: values[best!]!,
      corners: order.map((i) => corners[i]!),
      values: order.map((i) => values[i]!),
    }
  }

  const around = async (
    point: Float64Array,
    before: Omit<SimplexState, 'corners' | 'values' | 'point' | 'value'>,
  ) => {
    const corners = [point]
    for (let i = 0; i < n; i++) {
      const corner = point.slice()
      const size = reach * (Math.abs(point[i]!) || 1)
      corner[i] =
        point[i]! + size <= box.upper[i]! ? point[i]! + size : Math.max(point[i]! - size, box.lower[i]!)
      corners.push(corner)
    }
    const values: number[] = []
    for (const corner of corners) values.push(await valueAt(corner))
    return sorted({ ...before, point, value: values[0]!, corners, values }, corners, values)
  }

  return {
    async init() {
      const first = await value(start)
      if (!Number.isFinite(first))
        throw new Error(
          `start: the function is ${first} there, expected a finite number; start at a point of its domain`,
        )
      return around(start, { iteration: -1, restarted: Infinity, accepted: true })
    },
    async step(state) {
      if (collapsed(state, tolerance)) {
        if (!(state.value < state.restarted - tolerance * Math.abs(state.value)))
          return { ...state, iteration: state.iteration + 1, reason: 'collapsed' }
        return around(state.point, { iteration: state.iteration, restarted: state.value, accepted: true })
      }
      const { corners, values } = state
      const middle = start.map((_, i) => corners.slice(0, n).reduce((sum, x) => sum + x[i]!, 0) / n)
      const worst = corners[n]!
      const along = (t: number) =>
        clamp(
          middle.map((x, i) => x + t * (worst[i]! - x)),
          box,
        )
      const withWorst = (corner: Float64Array, y: number) =>
        sorted({ ...state, accepted: true }, [...corners.slice(0, n), corner], [...values.slice(0, n), y])
      const reflected = along(-1)
      const reflectedValue = await valueAt(reflected)
      if (reflectedValue < values[0]!) {
        const expanded = along(-expansion)
        const y = await valueAt(expanded)
        return y < reflectedValue ? withWorst(expanded, y) : withWorst(reflected, reflectedValue)
      }
      if (reflectedValue < values[n - 1]!) return withWorst(reflected, reflectedValue)
      const outside = reflectedValue < values[n]!
      const contracted = along(outside ? -contraction : contraction)
      const y = await valueAt(contracted)
      if (outside ? y <= reflectedValue : y < values[n]!) return withWorst(contracted, y)
      const shrunk = corners.map((x) => x.map((xi, i) => corners[0]![i]! + shrink * (xi - corners[0]![i]!)))
      const shrunkValues = [values[0]!]
      for (const corner of shrunk.slice(1)) shrunkValues.push(await valueAt(corner))
      return sorted({ ...state, accepted: false }, shrunk, shrunkValues)
    },
    terminate: ({ reason, value }) => reason ?? (value === -Infinity ? 'unbounded' : undefined),
    record: (state): HistoryRow => ({
      iteration: state.iteration,
      value: state.value,
      size: diameter(state),
      accepted: state.accepted,
      decrement: state.values.at(-1)! - state.value,
      optimality: Number.NaN,
    }),
  }
}

/** The largest distance of a corner from the best, relative to that. */
function diameter({ corners, point }: SimplexState): number {
  return Math.max(
    ...corners.map((x) =>
      Math.max(...x.map((xi, i) => Math.abs(xi - point[i]!) / Math.max(1, Math.abs(point[i]!)))),
    ),
  )
}

const collapsed = (state: SimplexState, tolerance: number) => diameter(state) <= tolerance
