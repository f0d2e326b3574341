import { dot } from '../../linalg/vector.js'
import { type Box, clamp } from '../box.js'
import type { Descent } from '../descent.js'
import { largestRatio } from '../elementwise.js'
import { relativeLength } from './measures.js'
import type { FunctionModel } from './model.js'
import { projectedGradient } from './projectedGradient.js'
import { combine, decrementOf, denseSpectrum } from './spectrum.js'

/** Curvature below this part of the largest is taken for this much. */
const leastCurvature = 1e-14

/**
 * Newton's step within a box (Bertsekas 1982): parameters that their own curvature sends to a bound go there alone, the
 * others take Newton's step for them, and all stop at the bounds. For backtracking, which bends the step along the box.
 */
export function projectedNewton(box: Box): Descent<FunctionModel, undefined> {
  return {
    name: 'projected Newton',
    remember: () => undefined,
    async prepare(model, point) {
      const { gradient } = model
      const n = point.length
      const matrix = await model.matrix()
      const bound = (i: number) => {
        const g = gradient[i]!
        const distance = g > 0 ? point[i]! - box.lower[i]! : box.upper[i]! - point[i]!
        return distance * Math.abs(matrix[i * n + i]!) <= Math.abs(g) && distance < Infinity
      }
      const held = Array.from(point, (_, i) => bound(i))
      const free = [...point.keys()].filter((i) => !held[i])
      const inner = freeStep(matrix, gradient, free)
      const full = point.map((x, i) => {
        if (!held[i]) return 0
        return (gradient[i]! > 0 ? box.lower[i]! : gradient[i]! < 0 ? box.upper[i]! : x) - x
      })
      free.forEach((i, k) => {
        full[i] = inner.move[k]!
      })
      const moved = (size: number) => {
        const ahead = clamp(
          point.map((x, i) => x + size * full[i]!),
          box,
        )
        return ahead.map((x, i) => x - point[i]!)
      }
      const promised = (size: number, move: Float64Array) =>
        move.reduce((sum, x, i) => sum - gradient[i]! * (held[i] ? x : size * full[i]!), 0)
      const all = moved(1)
      return {
        decrement: inner.decrement + promised(1, all) - inner.slope,
        relative: largestRatio(all, point),
        optimality: projectedGradient(model, point, box),
        initialSize: 1,
        step(size) {
          const move = moved(size)
          return {
            move,
            predicted: promised(size, move),
            size,
            full: size === 1,
            relative: relativeLength(move, point),
          }
        },
      }
    },
  }
}

/** Newton's step in some parameters, with the absolute values of the curvature. */
function freeStep(matrix: Float64Array, gradient: Float64Array, free: readonly number[]) {
  if (free.length === 0) return { move: new Float64Array(), decrement: 0, slope: 0 }
  const n = gradient.length
  const part = Float64Array.from(free.flatMap((i) => free.map((j) => matrix[i * n + j]!)))
  const g = Float64Array.from(free, (i) => gradient[i]!)
  const spectrum = denseSpectrum(part, g)
  const least = leastCurvature * spectrum.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const move = combine(
    spectrum,
    spectrum.gradient.map((x, i) => (x === 0 ? 0 : -x / Math.max(Math.abs(spectrum.values[i]!), least))),
  )
  return { move, decrement: decrementOf(spectrum), slope: -dot(g, move) }
}
