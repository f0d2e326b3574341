import { Tensor } from '../../tensor/tensor.js'
import type { Products, Progress } from '../products.js'
import { axpy, norm } from '../vector.js'

/** Which eigenvalues are wanted: the largest, the smallest (most negative), or those largest in magnitude. */
export type Which = 'largest' | 'smallest' | 'magnitude'

/** What is wanted most has the highest rank. */
export const ranks: Record<Which, (value: number) => number> = {
  largest: (value) => value,
  smallest: (value) => -value,
  magnitude: Math.abs,
}

/** `done` of at most `total` steps of the present search; a further search for repeated eigenvalues counts from 1 again. */
export interface EigenpairsProgress extends Progress {
  /** The wanted eigenvalues as far as they are known, best first. */
  readonly eigenvalues: readonly number[]
  /** The largest of their estimated residuals. */
  readonly residual: number
}

/** A unit vector and its Ritz value. */
export interface Pair {
  readonly value: number
  readonly vector: Float64Array
}

export interface TopEigenpairs {
  /** In descending order; `residual` is |A v - lambda v|, computed with a product of its own. */
  readonly eigenvalues: readonly { readonly value: number; readonly residual: number }[]
  /** Unit eigenvectors, float64 [count, n], in the order of `eigenvalues`. */
  readonly eigenvectors: Tensor
  /** Steps of the method: Lanczos steps of all searches, or block iterations. */
  readonly steps: number
  readonly products: number
  /** Whether every residual meets the tolerance (within a factor of 10, for rounding). */
  readonly converged: boolean
  readonly reason: 'converged' | 'step limit' | 'repeated eigenvalues not excluded' | 'inaccurate products'
  /** `reason` as a sentence. */
  readonly message: string
}

const messages: Record<TopEigenpairs['reason'], (maxSteps: number, tolerance: number) => string> = {
  converged: (_, tolerance) => `Every residual is below ${tolerance} of the largest eigenvalue.`,
  'step limit': (maxSteps, tolerance) =>
    `Not every residual fell below ${tolerance} of the largest eigenvalue in ${maxSteps} steps; raise maxSteps or tolerance.`,
  'repeated eigenvalues not excluded': (maxSteps) =>
    `Every residual is small, but ${maxSteps} steps could not exclude further copies of a repeated eigenvalue; raise maxSteps.`,
  'inaccurate products': (_, tolerance) =>
    `The process converged, but the products are not accurate enough for residuals below ${tolerance} of the largest eigenvalue; use float64 or raise tolerance.`,
}

/** How a search for eigenpairs ended. */
export interface Ending {
  readonly steps: number
  readonly maxSteps: number
  readonly tolerance: number
  /** The largest |lambda| seen. */
  readonly largest: number
  /** Whether the process itself had no more to do. */
  readonly complete: boolean
  readonly repeatedExcluded: boolean
}

/** The record of `pairs`, with residuals by products of their own, `block` in one call. */
export async function eigenpairsRecord(
  products: Products,
  pairs: readonly Pair[],
  block: number,
  ending: Ending,
): Promise<TopEigenpairs> {
  const { steps, maxSteps, tolerance, largest, complete, repeatedExcluded } = ending
  const sorted = [...pairs].sort((a, b) => b.value - a.value)
  const residuals = await trueResiduals(products, sorted, block)
  const accurate = residuals.every((residual) => residual <= 10 * tolerance * largest)
  const reason = !complete
    ? 'step limit'
    : !accurate
      ? 'inaccurate products'
      : repeatedExcluded
        ? 'converged'
        : 'repeated eigenvalues not excluded'
  const n = sorted[0]!.vector.length
  const eigenvectors = new Float64Array(sorted.length * n)
  sorted.forEach(({ vector }, i) => {
    eigenvectors.set(vector, i * n)
  })
  return {
    eigenvalues: sorted.map(({ value }, i) => ({ value, residual: residuals[i]! })),
    eigenvectors: new Tensor(eigenvectors, [sorted.length, n]),
    steps,
    products: products.count,
    converged: complete && accurate,
    reason,
    message: messages[reason](maxSteps, tolerance),
  }
}

async function trueResiduals(products: Products, pairs: readonly Pair[], block: number): Promise<number[]> {
  const residuals: number[] = []
  for (let i = 0; i < pairs.length; i += block) {
    const some = pairs.slice(i, i + block)
    const images = await products.apply(some.map(({ vector }) => vector))
    some.forEach(({ value, vector }, j) => {
      const image = images.subarray(j * vector.length, (j + 1) * vector.length)
      axpy(-value, vector, image)
      residuals.push(norm(image))
    })
  }
  return residuals
}
