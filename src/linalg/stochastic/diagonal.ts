import type { LinearOperator } from '../operators/operator.js'
import type { Checkpoint } from '../resume.js'
import { norm } from '../vector.js'
import { beginProbes, type EstimatorOptions, type ProbeOptions, takeProbes } from './estimator.js'

export interface DiagonalCheckpoint extends Checkpoint {
  readonly probes: number
  /** Of each entry's samples: their mean, and the sum of squares of their distances from it. */
  readonly mean: Float64Array
  readonly squares: Float64Array
}

/** A tolerance is on the length of the errors of all entries, relative to that of the diagonal. */
export interface DiagonalOptions extends ProbeOptions, EstimatorOptions<DiagonalCheckpoint> {}

export interface DiagonalEstimate {
  /** The estimated diagonal, [n]. */
  readonly estimate: Float64Array
  /** The standard error of each entry. */
  readonly standardError: Float64Array
  readonly probes: number
  readonly products: number
  /** Whether the tolerance was met; true where none was asked for. */
  readonly converged: boolean
}

/**
 * diag A = E[z * A z], the mean over random sign vectors z, each one product; 100 by default (Bekas, Kokiopoulou,
 * Saad 2007). The variance of one sample of entry i is the sum of the squares of row i of a symmetric A but for A_ii.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function hutchinsonDiagonal(
  operator: LinearOperator,
  options: DiagonalOptions = {},
): Promise<DiagonalEstimate> {
  const where = 'hutchinsonDiagonal'
  const { n, plan, run, products, random } = beginProbes(operator, options, where)
  const { checkpoint, onStep, onCheckpoint } = options
  const mean = Float64Array.from(checkpoint?.mean ?? new Float64Array(n))
  const squares = Float64Array.from(checkpoint?.squares ?? new Float64Array(n))
  let done = checkpoint?.probes ?? 0
  /** Welford's update: the samples themselves would take `done` times n numbers. */
  const addSample = (sample: number, i: number) => {
    const distance = sample - mean[i]!
    mean[i] = mean[i]! + distance / done
    squares[i] = squares[i]! + distance * (sample - mean[i]!)
  }
  const standardError = () => squares.map((square) => Math.sqrt(square / (done - 1) / done))
  const sampler = {
    get done() {
      return done
    },
    async take(count: number) {
      const vectors = Array.from({ length: count }, (_, i) => random.split(done + i).rademacher(n))
      const images = await products.apply(vectors)
      vectors.forEach((z, k) => {
        done++
        for (let i = 0; i < n; i++) addSample(z[i]! * images[k * n + i]!, i)
      })
      onCheckpoint?.({
        run,
        products: products.count,
        probes: done,
        mean: mean.slice(),
        squares: squares.slice(),
      })
    },
    estimate: () => ({ estimate: norm(mean), standardError: norm(standardError()) }),
  }
  const converged = await takeProbes(plan, sampler, onStep)
  return { estimate: mean, standardError: standardError(), probes: done, products: products.count, converged }
}
