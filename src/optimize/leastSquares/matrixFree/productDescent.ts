import { lsmr } from '../../../linalg/solvers/lsmr.js'
import { dot, norm } from '../../../linalg/vector.js'
import { Tensor } from '../../../tensor/tensor.js'
import type { Box } from '../../box.js'
import type { Descent } from '../../descent.js'
import { divided, largestRatio, times } from '../../elementwise.js'
import { after } from '../../solver.js'
import { affineScaling, extended } from '../bounds/affineScaling.js'
import { stepInside } from '../bounds/stepInside.js'
import { grownScale, optimality, type Scale } from '../dense/scaled.js'
import type { ProductModel } from './productModel.js'

/** The part of the gradient that steps leave. */
const [leastForcing, mostForcing] = [1e-10, 0.1]
/** Damping as {@link dampedGaussNewton} begins with. */
const initialSize = 1e4

/**
 * Levenberg's step with the damping 1 / size, in Marquardt's scale, by LSMR: only products with the Jacobian and its
 * transpose are needed. Within a box parameters are scaled and steps kept inside as {@link reflective} does. Steps are the
 * more exact the smaller the gradient is (inexact Newton: Dembo, Eisenstat, Steihaug 1982; Wright, Holt 1985), so that
 * convergence stays superlinear.
 */
export function productLevenbergMarquardt(box?: Box, signal?: AbortSignal): Descent<ProductModel, Scale> {
  return {
    name: box ? 'matrix-free reflective' : 'matrix-free Levenberg-Marquardt',
    remember: grownScale,
    async prepare(model, point, scale) {
      const { residual, jacobian } = model
      const rows = residual.length
      const plain = scale.lengths.map((length) => length || 1)
      const bent = box && affineScaling(plain, model, point, box)
      const unit = bent?.unit ?? plain
      const gradient = divided(model.gradient, unit)
      const optimal = optimality(model, point, bent?.freedom)
      const image = (z: Float64Array) =>
        after(jacobian.multiply(divided(z, unit)), (moved) => extended(moved, bent, z))
      const transposed = (u: Float64Array) =>
        after(jacobian.multiplyTransposed(u.subarray(0, rows)), (pulled) => {
          const back = divided(pulled, unit)
          return bent ? back.map((x, j) => x + bent.weights[j]! * u[rows + j]!) : back
        })
      const downhill = extended(
        residual.map((r) => -r),
        bent,
        new Float64Array(point.length),
      )
      const operator = {
        rows: downhill.length,
        columns: point.length,
        apply: async (z: Tensor) => asRow(await image(numbers(z))),
        applyTranspose: async (u: Tensor) => asRow(await transposed(numbers(u))),
      }
      const options = {
        tolerance: Math.max(leastForcing, Math.min(mostForcing, Math.sqrt(optimal))),
        ...(signal && { signal }),
      }
      const solve = async (damping: number) => {
        const { x: z } = await lsmr(operator, downhill, { ...options, damping })
        const moved = await image(z)
        return { z, predicted: -dot(gradient, z) - dot(moved, moved) / 2 }
      }
      const full = await solve(0)
      const size = norm(times(point, unit))
      return {
        initialSize,
        decrement: full.predicted,
        relative: largestRatio(full.z, point, unit),
        optimality: optimal,
        async step(asked) {
          // Where damping matters less than what the full step leaves, that is the damped one.
          const isFull = dot(full.z, full.z) / asked <= options.tolerance * full.predicted
          const free = isFull ? full : await solve(Math.sqrt(1 / asked))
          const place = box && { point, unit, box, radius: norm(free.z), optimality: optimal }
          const inside = place && (await stepInside({ gradient, image }, place, free.z))
          const { z, predicted } = inside ?? free
          return {
            move: divided(z, unit),
            predicted,
            size: asked,
            full: isFull && !inside,
            relative: norm(z) / size,
          }
        },
      }
    },
  }
}

const numbers = (x: Tensor) => x.data as Float64Array
const asRow = (x: Float64Array) => new Tensor(x, [1, x.length])
