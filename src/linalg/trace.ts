import { type LinearOperator, requireSquare } from './operator.js'
import { countProducts, type Progress, requireCount } from './products.js'
import { Random } from './random.js'
import { dot } from './vector.js'

export interface HutchinsonOptions {
  /** Random probes, at least 2, each one product. Default 100. */
  readonly probes?: number
  readonly seed?: number
  /** Probes per call of the operator. Default 1. */
  readonly block?: number
  readonly signal?: AbortSignal
  readonly onStep?: (
    progress: Progress & { readonly estimate: number; readonly standardError: number },
  ) => void
}

export interface TraceEstimate {
  readonly estimate: number
  /** The standard error of `estimate`: the samples' standard deviation / sqrt(probes). */
  readonly standardError: number
  /** z^T A z of each probe. */
  readonly samples: Float64Array
  readonly products: number
}

/**
 * tr A = E[z^T A z], the mean over `probes` random sign vectors z (Hutchinson 1990). All probes are always used:
 * stopping when the running mean settles would bias the estimate and its error.
 *
 * Probe i is the same whatever `block` and however many others there are.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function hutchinsonTrace(
  operator: LinearOperator,
  options: HutchinsonOptions = {},
): Promise<TraceEstimate> {
  const where = 'hutchinsonTrace'
  const n = requireSquare(operator, where)
  const { probes = 100, seed = 0, block = 1, signal, onStep } = options
  requireCount(probes, 'probes', where, 2)
  requireCount(block, 'block', where)
  const products = countProducts(operator, where, signal)
  const random = new Random(seed).split('trace')
  const samples = new Float64Array(probes)
  for (let done = 0; done < probes; ) {
    const k = Math.min(block, probes - done)
    const vectors = Array.from({ length: k }, (_, i) => random.split(done + i).rademacher(n))
    const images = await products.apply(vectors)
    vectors.forEach((z, i) => {
      samples[done + i] = dot(z, images.subarray(i * n, (i + 1) * n))
    })
    done += k
    onStep?.({ done, total: probes, ...meanAndError(samples.subarray(0, done)) })
  }
  return { ...meanAndError(samples), samples, products: products.count }
}

/** The mean of independent `samples` and its standard error (NaN for one sample). */
export function meanAndError(samples: ArrayLike<number>): { estimate: number; standardError: number } {
  const count = samples.length
  let sum = 0
  for (let i = 0; i < count; i++) sum += samples[i]!
  const estimate = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (samples[i]! - estimate) ** 2
  return { estimate, standardError: Math.sqrt(squares / (count - 1) / count) }
}
