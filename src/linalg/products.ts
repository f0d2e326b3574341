import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { type LinearOperator, operatorDType } from './operators/operator.js'
import { firstNotFinite, type Vector } from './vector.js'

/** How far a long computation has come, in its own units (steps or probes). */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** The products of one estimator with its operator: counted, checked, and open to being stopped. */
export interface Products {
  /** Matrix-vector products so far. */
  readonly count: number
  /**
   * A v_1, ..., A v_k as new float64 rows in one array of k * rows numbers.
   * @throws when the operator returns another shape or numbers that are not finite; the signal's reason when aborted.
   */
  apply(vectors: readonly Vector[]): Promise<Float64Array>
}

/** Wraps `operator` for the estimator `where`, whose name begins every error; counts on from `count`. */
export function countProducts(
  operator: LinearOperator,
  where: string,
  signal?: AbortSignal,
  count = 0,
): Products {
  const { rows, columns } = operator
  const rest = breather()
  return {
    get count() {
      return count
    },
    async apply(vectors) {
      signal?.throwIfAborted()
      const k = vectors.length
      const block =
        operatorDType(operator) === 'float32' ? new Float32Array(k * columns) : new Float64Array(k * columns)
      vectors.forEach((vector, i) => {
        block.set(vector, i * columns)
      })
      const result = await operator.apply(new Tensor(block, [k, columns]))
      if (result.shape.length !== 2 || result.shape[0] !== k || result.shape[1] !== rows)
        throw new Error(
          `${where}: the operator returned shape ${showShape(result.shape)} for product ${count + 1}, expected ${showShape([k, rows])}`,
        )
      const values = Float64Array.from(result.data)
      const bad = firstNotFinite(values)
      if (bad >= 0)
        throw new Error(
          `${where}: product ${count + 1 + Math.floor(bad / rows)} of the operator has ${values[bad]} at element ${bad % rows}; ` +
            'expected finite numbers, so check that the function and its derivatives are finite at this point',
        )
      count += k
      await rest()
      signal?.throwIfAborted()
      return values
    },
  }
}

/**
 * Lets timers, the page and abort signals have their turn every 50 ms: awaiting an operator that answers at once
 * never leaves the microtask queue.
 */
function breather(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < 50) return
    await new Promise((resolve) => setTimeout(resolve, 0))
    last = performance.now()
  }
}

/** @throws unless `value` is an integer >= `least` (and <= `most`). */
export function requireCount(value: number, name: string, where: string, least = 1, most = Infinity): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(
      `${where}: ${name} is ${value}, expected an integer ${most === Infinity ? `>= ${least}` : `from ${least} to ${most}`}`,
    )
}

/** @throws unless `value` is a finite number > 0. */
export function requirePositive(value: number, name: string, where: string): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new Error(`${where}: ${name} is ${value}, expected a finite number > 0`)
}
