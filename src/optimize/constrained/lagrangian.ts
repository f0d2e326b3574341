import type { SparseRows } from '../leastSquares/sparse/sparseRows.js'
import type { FunctionEvaluations } from '../minimize/objective.js'
import type { Awaitable } from '../solver.js'
import type { ConstrainedFunction, Values } from './functions.js'

/** The Lagrangian near a point. */
export interface LagrangianModel extends Values {
  readonly point: Float64Array
  readonly multipliers: Float64Array
  /** By x. */
  readonly gradient: Float64Array
  hessian(): Awaitable<Float64Array>
  jacobian(): Awaitable<SparseRows>
  product(v: Float64Array, w: Float64Array): Awaitable<readonly [Float64Array, Float64Array]>
}

/** A constrained function that counts what is computed. */
export interface Lagrangian {
  readonly evaluations: FunctionEvaluations
  values(x: Float64Array): Awaitable<Values>
  at(x: Float64Array, multipliers: Float64Array): Promise<LagrangianModel>
}

/** Counts, and computes nothing twice at the point and multipliers looked at last. */
export function lagrangianOf(f: ConstrainedFunction): Lagrangian {
  const evaluations: FunctionEvaluations = { value: 0, gradient: 0, matrix: 0, product: 0 }
  let latest: LagrangianModel | undefined
  return {
    evaluations,
    values(x) {
      evaluations.value++
      return f.values(x)
    },
    async at(point, multipliers) {
      if (latest?.point === point && latest.multipliers === multipliers) return latest
      evaluations.value++
      evaluations.gradient++
      let hessian: Awaitable<Float64Array> | undefined
      let jacobian: Awaitable<SparseRows> | undefined
      latest = {
        point,
        multipliers,
        ...(await f.linearize(point, multipliers)),
        hessian() {
          if (!hessian) evaluations.matrix++
          hessian ??= f.hessian(point, multipliers)
          return hessian
        },
        jacobian() {
          jacobian ??= f.jacobian(point)
          return jacobian
        },
        product(v, w) {
          evaluations.product++
          return f.product(point, multipliers, v, w)
        },
      }
      return latest
    },
  }
}
