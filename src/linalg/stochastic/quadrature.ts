import { tridiagonalEigen } from '../../dense/tridiagonalEigen.js'
import { canExtend, extendTogether, type LanczosState, snapshot, startLanczos } from '../eigen/lanczos.js'
import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts, type Progress, requireCount } from '../products.js'
import { Random } from '../random.js'
import { type Checkpoint, requireSameRun } from '../resume.js'
import type { EstimatorOptions, ProbePlan } from './estimator.js'

/** The symmetric tridiagonal matrix of a finished Lanczos process: diagonal [m] and off-diagonal [m - 1]. */
export interface Tridiagonal {
  readonly alpha: Float64Array
  readonly beta: Float64Array
}

/**
 * Stochastic Lanczos quadrature, so far. All estimators that use it share it: one that continues another's checkpoint,
 * with the same seed and steps, takes no product that the other took.
 */
export interface QuadratureCheckpoint extends Checkpoint {
  readonly finished: readonly Tridiagonal[]
  readonly running: readonly LanczosState[]
}

export interface QuadratureOptions extends EstimatorOptions<QuadratureCheckpoint> {
  /** Lanczos steps per probe, each one product and one vector of memory. Default 80, at most n. */
  readonly steps?: number
  /** How Lanczos vectors are kept. Default float64. */
  readonly basisDtype?: 'float64' | 'float32'
}

/** z^T f(A) z / z^T z = sum_j weights[j] f(nodes[j]) for polynomials f of degree below twice the steps. */
export interface Quadrature {
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

/** The Gauss rule of `tridiagonal`, or of its leading `steps` rows: eigenvalues and squares of the first components. */
export function gaussRule({ alpha, beta }: Tridiagonal, steps = alpha.length): Quadrature {
  const m = Math.min(steps, alpha.length)
  const { values, vectors } = tridiagonalEigen(alpha.subarray(0, m), beta.subarray(0, m - 1), {
    vectors: 'first',
  })
  return { nodes: values, weights: Float64Array.from(vectors, ([first]) => first! ** 2) }
}

/** Lanczos processes from random sign vectors, of which number i is the same whatever the other options. */
export function lanczosProbes(
  operator: LinearOperator,
  options: QuadratureOptions,
  plan: ProbePlan,
  where: string,
) {
  const n = requireSquare(operator, where)
  const { seed = 0, basisDtype = 'float64', signal, checkpoint, onStep, onCheckpoint } = options
  const steps = Math.min(options.steps ?? 80, n)
  requireCount(steps, 'steps', where)
  const run = { method: 'Lanczos quadrature', rows: n, seed, steps, basisDtype }
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, signal, checkpoint?.products)
  const random = new Random(seed).split('quadrature')
  const finished = [...(checkpoint?.finished ?? [])]
  let running = (checkpoint?.running ?? []).map(snapshot)
  // An invariant subspace ends a probe early: the quadrature is then exact for its start vector.
  const unfinished = () => running.filter((state) => state.alpha.length < steps && canExtend(state))
  return {
    steps,
    products,
    finished: finished as readonly Tridiagonal[],
    get done() {
      return finished.length
    },
    /** Runs `count` further probes together, or those that were running when the checkpoint was taken. */
    async take(count: number) {
      if (running.length === 0)
        running = Array.from({ length: count }, (_, i) =>
          startLanczos(random.split(finished.length + i).rademacher(n), operator, basisDtype),
        )
      for (let active = unfinished(); active.length > 0; active = unfinished()) {
        await extendTogether(products, active)
        const taken = running.reduce((sum, { alpha }) => sum + alpha.length, 0)
        const progress: Progress = { done: finished.length * steps + taken, total: plan.most * steps }
        onStep?.(progress)
        onCheckpoint?.({
          run,
          products: products.count,
          finished: [...finished],
          running: running.map(snapshot),
        })
      }
      finished.push(...running.map(tridiagonalOf))
      running = []
    },
  }
}

function tridiagonalOf({ alpha, beta }: LanczosState): Tridiagonal {
  return { alpha: Float64Array.from(alpha), beta: Float64Array.from(beta.slice(0, alpha.length - 1)) }
}
