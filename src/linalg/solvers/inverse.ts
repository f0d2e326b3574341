import { allocate } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { transposeOperator } from '../operators/algebra.js'
import { blockSize, type LinearOperator, operatorDType } from '../operators/operator.js'
import { type ConjugateGradientOptions, conjugateGradients } from './conjugateGradient.js'
import { type LsmrOptions, lsmrTogether } from './lsmr.js'
import { type MinresOptions, minresTogether } from './minres.js'
import type { Solution } from './solver.js'

export type InverseOptions =
  | ({ readonly method?: 'conjugateGradient' } & Omit<ConjugateGradientOptions, 'start'>)
  | ({ readonly method: 'minres' } & Omit<MinresOptions, 'start'>)
  | ({ readonly method: 'lsmr' } & LsmrOptions)

/**
 * A^-1, whose products are solves to `tolerance`; the vectors of a block are solved side by side, in one product with A
 * for each step. By conjugate gradients (default: A symmetric positive definite), 'minres' (symmetric), or 'lsmr' (any
 * A: then it is the pseudo-inverse, with damping (A^T A + damping^2 I)^-1 A^T).
 *
 * A product throws when its solve does not converge, saying the residual.
 */
export function inverseOperator(operator: LinearOperator, options: InverseOptions = {}): LinearOperator {
  const solveAll = solverOf(operator, options)
  const { rows, columns } = operator
  const product = (operator: LinearOperator, solve: typeof solveAll) => async (vectors: Tensor) => {
    const k = blockSize(vectors, operator.rows, 'inverseOperator')
    const rightHandSides = Array.from({ length: k }, (_, i) =>
      Float64Array.from(vectors.data.subarray(i * operator.rows, (i + 1) * operator.rows)),
    )
    const solutions = await solve(rightHandSides)
    const x = allocate(vectors.dtype, k * operator.columns)
    solutions.forEach((solution, i) => {
      if (!isSolved(solution, options.method))
        throw new Error(`inverseOperator: vector ${i} of ${k}: ${solution.message}`)
      x.set(solution.x, i * operator.columns)
    })
    return new Tensor(x, [k, operator.columns])
  }
  const apply = product(operator, solveAll)
  const shape = { rows: columns, columns: rows, dtype: operatorDType(operator) }
  if (options.method !== 'lsmr') return { ...shape, apply, applyTranspose: apply }
  const transpose = transposeOperator(operator)
  return { ...shape, apply, applyTranspose: product(transpose, solverOf(transpose, options)) }
}

/** A least-squares solution is what the pseudo-inverse gives, but not what the inverse of a singular matrix would. */
function isSolved({ reason, converged }: Solution, method: InverseOptions['method']): boolean {
  return method === 'lsmr' ? converged : reason === 'converged'
}

function solverOf(operator: LinearOperator, options: InverseOptions) {
  return (b: readonly Float64Array[]): Promise<Solution[]> => {
    if (options.method === 'minres') return minresTogether(operator, b, options)
    if (options.method === 'lsmr') return lsmrTogether(operator, b, options)
    return conjugateGradients(operator, b, options)
  }
}
