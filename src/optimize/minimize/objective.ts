import type { Objective } from '../descent.js'
import type { Awaitable } from '../solver.js'
import type { ScalarFunction } from './functions.js'
import type { FunctionModel } from './model.js'

/** How often what was computed; `matrix` and `product` are those of the curvature. */
export interface FunctionEvaluations {
  value: number
  gradient: number
  matrix: number
  product: number
}

export interface FunctionObjective extends Objective<FunctionModel> {
  readonly evaluations: FunctionEvaluations
  /** The value alone, for methods that never ask for derivatives. */
  valueAlone(x: Float64Array): Awaitable<number>
}

/** Counts, and computes nothing twice at the point looked at last. */
export function functionObjective(f: ScalarFunction): FunctionObjective {
  const evaluations: FunctionEvaluations = { value: 0, gradient: 0, matrix: 0, product: 0 }
  let latest: { readonly x: Float64Array; readonly model: FunctionModel } | undefined

  const linearize = async (x: Float64Array): Promise<FunctionModel> => {
    if (latest?.x === x) return latest.model
    evaluations.value++
    evaluations.gradient++
    let matrix: ReturnType<FunctionModel['matrix']> | undefined
    const model: FunctionModel = {
      ...(await f.valueAndGradient(x)),
      matrix() {
        if (!matrix) {
          evaluations.matrix++
          matrix = f.matrix(x)
        }
        return matrix
      },
      product(v) {
        evaluations.product++
        return f.product(x, v)
      },
    }
    latest = { x, model }
    return model
  }

  const valueAlone = (x: Float64Array) => {
    evaluations.value++
    return f.value(x)
  }

  return {
    evaluations,
    linearize,
    valueAlone,
    value: async (x) => (f.together ? (await linearize(x)).value : valueAlone(x)),
  }
}
