import { dot, norm } from '../../linalg/vector.js'
import type { Search } from '../search.js'
import { type Quadratic, type QuadraticOptions, quadraticDescent } from './quadratic.js'
import { shifted } from './spectrum.js'

/** The damping by the gradient's length and the search's size. */
type Damping = (gradient: number, size: number) => number

/** z = -(H + damping)^-1 g, with a size small enough to make H + damping positive definite. */
const regularized = (name: string, damping: Damping) => (options: QuadraticOptions) =>
  quadraticDescent(name, options, ({ spectrum, step }: Quadratic) => {
    const length = norm(spectrum.gradient)
    const least = spectrum.values[0]!
    return {
      initialSize: 1,
      step(asked) {
        let size = asked
        while (least + damping(length, size) <= 0 && size > 0) size /= 2
        const shift = damping(length, size)
        return {
          ...step(shifted(spectrum, shift), size, false),
          dual: (gradient) => dot(gradient, gradient) / shift,
        }
      },
    }
  })

/**
 * Newton's step regularised by |g| / size, never longer than the size, which adapts to the gradient-normalised smoothness
 * (Semenov, Jaggi, Doikov 2025, algorithm 1). Combines with {@link gradientTest}, and any positive semidefinite curvature.
 */
export const gradientNormalizedNewton = regularized('gradient-normalised Newton', (g, size) => g / size)

/** Newton's step regularised by sqrt(|g| / size) (Mishchenko 2023; Doikov and Nesterov 2023). */
export const gradientRegularizedNewton = regularized('gradient-regularised Newton', (g, size) =>
  Math.sqrt(g / size),
)

/** theta = 1 / alpha - 1 of a step alpha H^-1 g, by the decrement sqrt(g H^-1 g) and the search's size. */
export type Schedule = (decrement: number, size: number) => number

/** Stepsizes of Newton's method that need no line search; the size is the inverse of a constant of smoothness. */
export const schedules = {
  /** alpha = (sqrt(1 + 2 L d) - 1) / (L d), size = 1 / L (Hanzely, Kamzolov, Pasechnyuk, Gasnikov, Richtarik, Takac 2022). */
  affineInvariant: (): Schedule => (decrement, size) => {
    const x = decrement / size
    return x / (Math.sqrt(1 + 2 * x) - 1) - 1
  },
  /** theta = (9 M)^(1 / (q - 1)) d^((q - 2) / (q - 1)), 2 <= q <= 4, size = 1 / M (Hanzely, Abdukhakimov, Takac 2024). */
  root:
    (q = 3): Schedule =>
    (decrement, size) =>
      (9 / size) ** (1 / (q - 1)) * decrement ** ((q - 2) / (q - 1)),
  /** theta = d^beta / size, 2/3 <= beta <= 1, to be found by {@link gradientTest} (the same). */
  universal:
    (beta = 2 / 3): Schedule =>
    (decrement, size) =>
      decrement ** beta / size,
} satisfies Record<string, (parameter?: number) => Schedule>

/** Newton's step times 1 / (1 + theta), with the curvature's absolute values. */
export const dampedNewton = (options: QuadraticOptions, schedule: Schedule, initialSize = 1) =>
  quadraticDescent('damped Newton', options, ({ spectrum, step, parts }) => {
    const { gradient } = spectrum
    const values = spectrum.values.map((value) => Math.abs(value) || Number.MIN_VALUE)
    const dual = (g: Float64Array) => g.reduce((sum, x, i) => sum + (x * x) / values[i]!, 0)
    const decrement = Math.sqrt(dual(gradient))
    return {
      initialSize,
      step(size) {
        const theta = schedule(decrement, size)
        const alpha = 1 / (1 + theta)
        const z = gradient.map((g, i) => (-alpha * g) / values[i]!)
        return { ...step(z, size, theta === 0), dual: (g) => dual(parts(g)) / theta }
      },
    }
  })

export interface GradientTestOptions {
  /** What must be at least `part` of |g+|^2 / damping: the reduction, or -g+ move. Default `reduction`. */
  readonly by?: 'reduction' | 'slope'
  /** Default 1/8 by the reduction, 1/4 by the slope. */
  readonly part?: number
  /** By how much the size grows when a point is taken, and shrinks when not. Default 2. */
  readonly factor?: number
}

/** Takes a point by the gradient there, which needs no constant of smoothness to be known; for damped descents. */
export function gradientTest({ by = 'reduction', factor = 2, ...rest }: GradientTestOptions = {}): Search {
  const { part = by === 'reduction' ? 1 / 8 : 1 / 4 } = rest
  return {
    name: 'gradient test',
    start: (initialSize) => ({ size: initialSize }),
    async update(_, step, reduction, trial) {
      if (!step.dual) throw new Error('gradientTest: the descent does not damp, expected one that does')
      const refused = { accepted: false, state: { size: step.size / factor } }
      if (!Number.isFinite(reduction)) return refused
      const { gradient } = await trial()
      const gained = by === 'reduction' ? reduction : -dot(gradient, step.move)
      return gained >= part * step.dual(gradient)
        ? { accepted: true, state: { size: step.size * factor } }
        : refused
    },
  }
}

/** Takes every point at which the function is finite, and keeps its size: for schedules whose constant is known. */
export function fixedSize(): Search {
  return {
    name: 'fixed size',
    start: (initialSize) => ({ size: initialSize }),
    update: ({ size }, step, reduction) =>
      Number.isFinite(reduction)
        ? { accepted: true, state: { size } }
        : { accepted: false, state: { size: step.size / 4 } },
  }
}
