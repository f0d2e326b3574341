import { countProducts } from '../../linalg/products.js'
import { Random } from '../../linalg/random.js'
import { type Checkpoint, requireSameRun } from '../../linalg/resume.js'
import { type Estimate, meanAndError, planProbes, takeProbes } from '../../linalg/stochastic/estimator.js'
import type { SampledOptions } from '../../linalg/stochastic/sampling.js'
import { axpy, dot } from '../../linalg/vector.js'
import type { SymmetricCurvature } from '../operators/index.js'

/** Eigenpairs that are known: unit vectors, one after another, and their values. */
export interface KnownPairs {
  readonly values: readonly number[]
  readonly vectors: Float64Array
}

export interface BlockTracesCheckpoint extends Checkpoint {
  /** [probes, blocks]. */
  readonly samples: Float64Array
}

export interface BlockTracesOptions extends Omit<SampledOptions, 'onStep' | 'checkpoint' | 'onCheckpoint'> {
  readonly known: KnownPairs
  readonly checkpoint?: BlockTracesCheckpoint | undefined
  readonly onCheckpoint?: ((checkpoint: BlockTracesCheckpoint) => void) | undefined
  readonly onStep?: (progress: { readonly done: number; readonly total: number }) => void
}

export interface BlockTraces extends Estimate {
  /** The traces of the diagonal blocks of the parameter tensors, in their order. */
  readonly blocks: readonly Estimate[]
  readonly probes: number
  readonly products: number
  readonly converged: boolean
}

/**
 * The trace of a curvature matrix A and of the diagonal block of each parameter tensor, from the same products: tr A_B =
 * E[sum_{i in B} z_i (A z)_i] over random sign vectors z (Hutchinson 1990). Known eigenpairs serve as control variates:
 * with K = sum_k lambda_k v_k v_k^T, whose traces are known, only A - K is sampled. That leaves the estimate unbiased, whatever
 * the pairs' accuracy, and removes the large eigenvalues from its variance, as the sketch of Hutch++ does.
 */
export async function blockTraces(
  operator: SymmetricCurvature,
  options: BlockTracesOptions,
): Promise<BlockTraces> {
  const where = 'blockTraces'
  const { seed = 0, signal, checkpoint, onStep, onCheckpoint } = options
  const { rows: n, blocks } = operator
  const plan = planProbes(options, where)
  const run = { method: where, rows: n, seed, known: options.known.values.length }
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, signal, checkpoint?.products)
  const random = new Random(seed).split(where)
  const rest = withoutPairs(options.known, n)
  const samples = [...(checkpoint?.samples ?? [])]
  const column = (b: number) => samples.filter((_, i) => i % blocks.length === b)
  const totals = () =>
    Array.from({ length: samples.length / blocks.length }, (_, i) =>
      samples.slice(i * blocks.length, (i + 1) * blocks.length).reduce((sum, x) => sum + x, 0),
    )
  const sampler = {
    get done() {
      return samples.length / blocks.length
    },
    async take(count: number) {
      const from = samples.length / blocks.length
      const vectors = Array.from({ length: count }, (_, i) => random.split(from + i).rademacher(n))
      const images = await products.apply(vectors)
      vectors.forEach((z, i) => {
        const terms = rest(z, images.subarray(i * n, (i + 1) * n))
        samples.push(...blocks.map(({ offset, size }) => sumOf(terms, offset, size)))
      })
      onCheckpoint?.({ run, products: products.count, samples: Float64Array.from(samples) })
    },
    estimate: () => meanAndError(totals()),
  }
  const converged = await takeProbes(plan, sampler, onStep)
  return {
    ...meanAndError(totals()),
    blocks: blocks.map((_, b) => meanAndError(column(b))),
    probes: sampler.done,
    products: products.count,
    converged,
  }
}

/** The terms z_i ((A - K) z)_i + K_ii, of which a block's sum has its trace as mean. */
function withoutPairs({ values, vectors }: KnownPairs, n: number) {
  const rows = values.map((_, k) => vectors.subarray(k * n, (k + 1) * n))
  const diagonal = new Float64Array(n)
  rows.forEach((v, k) => {
    for (let i = 0; i < n; i++) diagonal[i] = diagonal[i]! + values[k]! * v[i]! ** 2
  })
  return (z: Float64Array, image: Float64Array): Float64Array => {
    const left = image.slice()
    rows.forEach((v, k) => {
      axpy(-values[k]! * dot(v, z), v, left)
    })
    return left.map((x, i) => z[i]! * x + diagonal[i]!)
  }
}

function sumOf(x: Float64Array, offset: number, size: number): number {
  let sum = 0
  for (let i = offset; i < offset + size; i++) sum += x[i]!
  return sum
}
