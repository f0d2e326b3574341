import type { LinearOperator } from '../../linalg/operators/operator.js'
import { minres } from '../../linalg/solvers/minres.js'
import { dot, norm } from '../../linalg/vector.js'
import { Tensor } from '../../tensor/tensor.js'
import { type KktDirection, type KktSteps, type KktSystem, krylovTolerance, rightHandSide } from './kkt.js'

/** Curvature along a step below this part of the Hessian's size is not positive. */
const leastCurvature = 1e-8
/** The first shift, as a part of that size, and by how much it grows. */
const firstShift = 1e-2
const growth = 10
const mostGrowths = 10
/** Directions that do not descend for so many accuracies and penalties show that the shift is too small. */
const patience = 8

/**
 * Solves by MINRES, with products alone and no preconditioner. The shift grows where the curvature along a step is not
 * positive (Chiang and Zavala 2016), or no accuracy makes it descend.
 */
export function minresSteps(system: KktSystem): KktSteps {
  let [shift, work, calls] = [0, 0, 0]
  return {
    sufficient: () => Infinity,
    async solve(accuracy) {
      calls++
      for (let growths = 0; ; growths++) {
        const direction = await solveShifted(system, shift, krylovTolerance(system, accuracy))
        work += direction.work
        const { curvature, size } = await curvatureAlong(system, direction.move)
        const enough = curvature + shift > leastCurvature * size && (calls <= patience || growths > 0)
        if (enough || growths === mostGrowths) return { ...direction, work }
        shift = Math.max(growth * shift, firstShift * (size || 1))
      }
    },
  }
}

/** v^T H v / |v|^2 and |H v| / |v|. */
async function curvatureAlong({ model, residual }: KktSystem, move: Float64Array) {
  const [image] = await model.product(move, new Float64Array(residual.length))
  const squares = dot(move, move)
  return squares === 0
    ? { curvature: 1, size: 1 }
    : { curvature: dot(move, image) / squares, size: norm(image) / norm(move) }
}

async function solveShifted(system: KktSystem, shift: number, tolerance: number): Promise<KktDirection> {
  const { model, residual, signal } = system
  const n = model.point.length
  const order = n + residual.length
  const operator: LinearOperator = {
    rows: order,
    columns: order,
    async apply(vectors) {
      const z = vectors.data as Float64Array
      const [byPoint, byMultipliers] = await model.product(z.slice(0, n), z.slice(n))
      const image = new Float64Array(order)
      image.set(byPoint.map((x, i) => x + shift * z[i]!))
      image.set(byMultipliers, n)
      return new Tensor(image, [1, order])
    },
  }
  const { x, products } = await minres(operator, rightHandSide(system), {
    tolerance,
    ...(signal && { signal }),
  })
  return { move: x.slice(0, n), change: x.slice(n), work: products }
}
