import { Tensor } from '../../../tensor/tensor.js'
import { type Like, type Tensored, vmap } from '../../../transforms/index.js'
import type { Arguments } from '../../../transforms/stage.js'
import { insideBox } from '../../box.js'
import { checkWithin, type Parameters, parameters } from '../../parameters.js'
import { type Reason, reasons } from '../../reason.js'
import { methodNamed } from '../dense/methods.js'
import { errorsOf } from '../errors/uncertainty.js'
import { checkCount, type LeastSquaresOptions, treatmentOf } from '../leastSquares.js'
import { batchResiduals, fitData } from './batchResiduals.js'
import { type Ended, lockstep, type Progress } from './lockstep.js'

export interface BatchOptions extends Omit<LeastSquaresOptions, 'jacobian' | 'state' | 'onStep'> {
  /** Where each fit starts, [fits, parameters that vary]. Default: all at `start`. */
  readonly starts?: ArrayLike<ArrayLike<number>>
  /** Whether `sigma` or `covariance` are the errors themselves rather than up to a factor that the residuals tell. */
  readonly absolute?: boolean
  /** How many fits make their steps together, at most. Default 32. */
  readonly lanes?: number
  /** Called each time that all lanes have made a step. */
  readonly onStep?: (progress: Progress) => void
}

/** Everything by fit, in their order; NaN and `undefined` for those that could not be started. */
export interface BatchResult<P> {
  /** The parameters, a tree as that of the start with the fits as first axis. */
  readonly point: P
  /** The parameters that varied; their values, [fits, parameters]. */
  readonly names: readonly string[]
  readonly values: Tensor
  /** [fits, parameters], infinite for those that a fit's data do not determine. */
  readonly standardErrors: Tensor
  /** [fits, parameters, parameters] */
  readonly covariance: Tensor
  /** Half the sums of squares of the residuals in units of sigma, after the loss. */
  readonly value: Float64Array
  readonly converged: readonly boolean[]
  readonly reason: readonly (Reason | undefined)[]
  readonly iterations: Int32Array
  /** Why fits could not be started: the residuals are not finite there. */
  readonly failures: ReadonlyMap<number, string>
}

/**
 * Many small problems of one kind, each as {@link leastSquares} solves it: the residual, a function of the parameters and of
 * one fit's data, is traced and compiled once for many fits, which make their steps together. `data` is a tree of tensors
 * whose first axis is that of the fits; what all fits share belongs into the function.
 *
 *     batchLeastSquares(({ a, k }, y) => np.subtract(decay(a, k, t), y), { a: 1, k: 1 }, ys)
 *
 * That a fit does not converge, or cannot be started, is a result, and disturbs no other.
 *
 * @throws on bad input: data or starts of different numbers of fits, starts that are not finite or outside their bounds,
 * and what `leastSquares` throws on; the signal's reason when aborted.
 */
export async function batchLeastSquares<A extends Arguments>(
  residual: (...args: A) => unknown,
  start: Like<A[0]>,
  data: Like<A[1]>,
  options: BatchOptions = {},
): Promise<BatchResult<Tensored<A[0]>>> {
  type P = Tensored<A[0]>
  const { lanes = 32, tolerance = 0, maxSteps = 1000, absolute = false, signal, onStep } = options
  const given = parameters<P>(start as Like<P>, options)
  const measured = fitData(data ?? [])
  const starts = startsOf(given, measured.fits, options.starts)
  const f = (vector: Tensor, own: unknown) => residual(...([given.tree(vector), own] as unknown as A))
  const residuals = await batchResiduals(f, measured, lanesFor(lanes, starts.length), given.start, options)
  try {
    checkCount(residuals.rows, given.names)
    const method = methodNamed(options.method, given)
    const treatment = treatmentOf(options, residuals.rows)
    const collected = collector(starts.length, given.names.length, absolute)
    const run = { method, treatment, tolerance, maxSteps, signal, onStep }
    await lockstep(residuals, starts, collected.add, run)
    const { values } = collected.result
    return { ...collected.result, names: given.names, point: vmap(given.tree)(values) as P }
  } finally {
    await residuals.dispose()
  }
}

function lanesFor(lanes: number, fits: number): number {
  if (!(Number.isInteger(lanes) && lanes > 0))
    throw new Error(`lanes: got ${lanes}, expected an integer above 0`)
  return Math.min(lanes, fits)
}

/** The start of each fit, inside its bounds. */
function startsOf(
  given: Parameters<unknown>,
  fits: number | undefined,
  starts: BatchOptions['starts'],
): Float64Array[] {
  const count = fits ?? starts?.length
  if (!count) throw new Error('data: got no fits, expected tensors whose first axis is that of the fits')
  if (!starts) return Array.from({ length: count }, () => insideBox(given.start, given))
  if (starts.length !== count)
    throw new Error(`starts: got ${starts.length}, expected one for each of ${count} fits`)
  return Array.from(starts, (values, fit) => {
    if (values.length !== given.names.length)
      throw new Error(
        `starts: that of fit ${fit} has ${values.length} numbers, expected ${given.names.length}: ${given.names.slice(0, 8).join(', ')}`,
      )
    const start = Float64Array.from(values)
    checkWithin(`starts: in fit ${fit}`, given, start)
    return insideBox(start, given)
  })
}

/** Results as they come, in any order. */
function collector(fits: number, n: number, absolute: boolean) {
  const values = new Float64Array(fits * n).fill(Number.NaN)
  const standardErrors = new Float64Array(fits * n).fill(Number.NaN)
  const covariance = new Float64Array(fits * n * n).fill(Number.NaN)
  const value = new Float64Array(fits).fill(Number.NaN)
  const converged: boolean[] = Array(fits).fill(false)
  const reason: (Reason | undefined)[] = Array(fits).fill(undefined)
  const iterations = new Int32Array(fits)
  const failures = new Map<number, string>()
  return {
    result: {
      values: new Tensor(values, [fits, n]),
      standardErrors: new Tensor(standardErrors, [fits, n]),
      covariance: new Tensor(covariance, [fits, n, n]),
      value,
      converged,
      reason,
      iterations,
      failures,
    },
    add(fit: number, end: Ended | Error): void {
      if (end instanceof Error) {
        failures.set(fit, end.message)
        return
      }
      const { state } = end
      const errors = errorsOf(end.model, state.value, absolute)
      values.set(state.point, fit * n)
      standardErrors.set(errors.standardErrors, fit * n)
      covariance.set(errors.covariance, fit * n * n)
      value[fit] = state.value
      converged[fit] = reasons[end.reason].converged
      reason[fit] = end.reason
      iterations[fit] = state.iteration
    },
  }
}
