import { dot, norm } from '../../linalg/vector.js'
import { type QuadraticOptions, quadraticDescent } from './quadratic.js'
import { cubicMinimum, withinSphere } from './secular.js'
import { modelReduction } from './spectrum.js'

/** Curvature below this part of the largest is taken for this much, so that steps stay finite. */
const leastCurvature = 1e-14

/**
 * Newton's step with the absolute values of the curvature, so that it leads down where some are negative; for line
 * searches.
 */
export const newton = (options: QuadraticOptions) =>
  quadraticDescent('Newton', options, ({ spectrum, step }) => {
    const { values, gradient } = spectrum
    const least = leastCurvature * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const full = gradient.map((g, i) => (g === 0 ? 0 : -g / Math.max(Math.abs(values[i]!), least)))
    const slope = -dot(gradient, full)
    return {
      initialSize: 1,
      step: (size) =>
        step(
          full.map((x) => size * x),
          size,
          size === 1,
          size * slope,
        ),
    }
  })

/** The minimum of the quadratic model in a sphere: exactly (More and Sorensen 1983), or on a Krylov space. */
export const trustRegionNewton = (options: QuadraticOptions) =>
  quadraticDescent(
    'trust-region Newton',
    { scaled: true, ...options },
    ({ spectrum, size: length, step }) => ({
      initialSize: length || norm(spectrum.gradient) || 1,
      step(radius) {
        const { z, full } = withinSphere(spectrum, radius)
        return step(z, Math.min(radius, norm(z)), full)
      },
    }),
  )

/** The minimum of the quadratic model + |z|^3 / (3 size) (Cartis, Gould and Toint 2011). */
export const cubicNewton = (options: QuadraticOptions) =>
  quadraticDescent('cubic Newton', { scaled: true, ...options }, ({ spectrum, size: length, step }) => ({
    initialSize: length || 1,
    step(size) {
      const z = cubicMinimum(spectrum, 1 / size)
      return step(z, size, false, modelReduction(spectrum, z) - norm(z) ** 3 / (3 * size))
    },
  }))
