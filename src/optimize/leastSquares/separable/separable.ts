import * as np from '../../../numpy/index.js'
import { Tensor } from '../../../tensor/tensor.js'
import type { Like, Tensored } from '../../../transforms/index.js'
import type { Arguments } from '../../../transforms/stage.js'
import { insideBox } from '../../box.js'
import { descentSolver } from '../../descentSolver.js'
import { parameters } from '../../parameters.js'
import { runSolver } from '../../solver.js'
import { methodNamed } from '../dense/methods.js'
import { checkCount, type LeastSquaresOptions, type LeastSquaresResult, toResult } from '../leastSquares.js'
import { leastSquaresObjective } from '../objective.js'
import { whitener } from '../residuals/noise.js'
import { jointModel, projectedResiduals } from './projection.js'
import { type Basis, tracedTerms, whitenedTerms } from './terms.js'

/**
 * `bounds`, `fixed` and `shared` are of the nonlinear parameters, of which `state` holds the point. The default method is
 * `damped`, with bounds `trustRegionReflective`.
 */
export type SeparableOptions = Omit<LeastSquaresOptions, 'jacobian' | 'loss' | 'lossScale'>

/**
 * The nonlinear parameters p and the coefficients c that minimise the sum of squares of sum_k c_k basis_k(p) - y, by
 * variable projection: the search is over p alone, with the best coefficients at every point (Golub and Pereyra 1973).
 * Coefficients need no start, and often fewer steps are taken, from more starts. `basis` returns an object with what each
 * coefficient multiplies, of the shape of y or one that broadcasts to it, under the coefficient's name:
 *
 *     separableLeastSquares(({ k }) => ({ a: np.exp(np.multiply(k, t)), offset: 1 }), y, { k: -1 })
 *
 * The result is that of the problem in p and c together: so are `names`, `values`, `model`, and what `uncertainty` and
 * `band` make of them. Its history is that of the search over p.
 *
 * @throws on bad input, as `leastSquares` does, and where the names of a parameter and a coefficient are the same.
 */
export async function separableLeastSquares<A extends Arguments, C extends Basis>(
  basis: (...args: A) => C,
  y: np.ArrayLike,
  start: Like<A[0]>,
  options: SeparableOptions = {},
): Promise<LeastSquaresResult<Tensored<A[0]> & { readonly [K in keyof C]: Tensor }>> {
  type P = Tensored<A[0]>
  const { tolerance = 0, state: before, method, ...run } = options
  checkRecord(start)
  const given = parameters<P>(start as Like<P>, options)
  const { descent, search } = methodNamed(method ?? (given.bounded ? undefined : 'damped'), given)
  const measured = np.astype(y, 'float64')
  const data = (measured.data as Float64Array).slice()
  checkFinite(data)
  const whiten = whitener(options, data.length)
  whiten?.(data)
  const f = (vector: Tensor) => basis(...([given.tree(vector)] as unknown as A))
  const plain = await tracedTerms(f, given.start, measured.shape, options)
  const terms = whiten ? whitenedTerms(plain, whiten) : plain
  try {
    checkNames([...given.names, ...terms.names])
    checkCount(data.length, [...given.names, ...terms.names])
    const residuals = projectedResiduals(terms, data)
    const objective = leastSquaresObjective(residuals, {})
    const solver = descentSolver(objective, descent, search, insideBox(given.start, given), { tolerance })
    const { state, history } = await runSolver(solver, run, before)
    const { coefficients, model } = jointModel(await terms.linearize(state.point), data, terms.names.length)
    const all = { ...(start as object), ...named(terms.names, coefficients) }
    const joint = parameters<P & { [K in keyof C]: Tensor }>(all as never, {
      fixed: options.fixed ?? [],
      shared: options.shared ?? [],
    })
    const values = Float64Array.of(...state.point, ...coefficients)
    const { evaluations } = objective
    return toResult(joint, residuals, { values, state, history, model, evaluations })
  } finally {
    await terms.dispose()
  }
}

const named = (names: readonly string[], values: Float64Array) =>
  Object.fromEntries(names.map((name, k) => [name, values[k]!]))

function checkRecord(start: unknown): void {
  if (
    typeof start !== 'object' ||
    Array.isArray(start) ||
    ArrayBuffer.isView(start) ||
    start instanceof Tensor
  )
    throw new Error(
      'start: expected an object of parameters by name, which the result holds beside the coefficients',
    )
}

function checkFinite(data: Float64Array): void {
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) throw new Error(`y: element ${bad} is ${data[bad]}, expected a finite number; leave it out`)
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined)
    throw new Error(
      `basis: the name ${twice} is that of a parameter too, expected another for the coefficient`,
    )
}
