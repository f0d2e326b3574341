import { lsmr } from '../../../linalg/solvers/lsmr.js'
import { dot, norm } from '../../../linalg/vector.js'
import { Tensor } from '../../../tensor/tensor.js'
import type { Descent } from '../../descent.js'
import { divided, largestRatio, times } from '../../elementwise.js'
import { grownScale, optimality, type Scale } from '../scaled.js'
import type { ProductModel } from './productModel.js'

/** The part of the gradient that steps leave. */
const [leastForcing, mostForcing] = [1e-10, 0.1]
/** Damping as {@link dampedGaussNewton} begins with. */
const initialSize = 1e4

/**
 * Levenberg's step with the damping 1 / size, in Marquardt's scale, by LSMR: only products with the Jacobian and its
 * transpose are needed. Steps are the more exact the smaller the gradient is (inexact Newton: Dembo, Eisenstat, Steihaug
 * 1982; Wright, Holt 1985), so that convergence stays superlinear.
 */
export function productLevenbergMarquardt(signal?: AbortSignal): Descent<ProductModel, Scale> {
  return {
    name: 'matrix-free Levenberg-Marquardt',
    remember: grownScale,
    async prepare(model, point, scale) {
      const { gradient, residual, jacobian } = model
      const units = scale.lengths.map((length) => length || 1)
      const cosine = optimality(model, point)
      const operator = {
        rows: residual.length,
        columns: point.length,
        apply: async (z: Tensor) => asRow(await jacobian.multiply(divided(numbers(z), units))),
        applyTranspose: async (u: Tensor) =>
          asRow(divided(await jacobian.multiplyTransposed(numbers(u)), units)),
      }
      const options = {
        tolerance: Math.max(leastForcing, Math.min(mostForcing, Math.sqrt(cosine))),
        ...(signal && { signal }),
      }
      const downhill = residual.map((r) => -r)
      const toStep = async (z: Float64Array) => {
        const move = divided(z, units)
        const image = await jacobian.multiply(move)
        return { move, predicted: -dot(gradient, move) - dot(image, image) / 2, length: norm(z) }
      }
      const full = await toStep((await lsmr(operator, downhill, options)).x)
      const size = norm(times(point, units))
      return {
        initialSize,
        decrement: full.predicted,
        relative: largestRatio(full.move, point),
        optimality: cosine,
        async step(asked) {
          // Where damping matters less than what the full step leaves, that is the damped one.
          const isFull = full.length ** 2 / asked <= options.tolerance * full.predicted
          const damping = Math.sqrt(1 / asked)
          const { move, predicted, length } = isFull
            ? full
            : await toStep((await lsmr(operator, downhill, { ...options, damping })).x)
          return { move, predicted, size: asked, full: isFull, relative: length / size }
        },
      }
    },
  }
}

const numbers = (x: Tensor) => x.data as Float64Array
const asRow = (x: Float64Array) => new Tensor(x, [1, x.length])
