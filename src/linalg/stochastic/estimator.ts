import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts, type Progress, requireCount, requirePositive } from '../products.js'
import { Random } from '../random.js'
import { type Checkpoint, type Resumable, requireSameRun } from '../resume.js'

/** What every long computation with an operator takes. */
export interface EstimatorOptions<State extends Checkpoint, Step = Progress> extends Resumable<State> {
  /** The same seed gives the same digits. Default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Step) => void
}

export interface Estimate {
  readonly estimate: number
  /** The standard deviation that `estimate` would have over other seeds, estimated from this one's probes. */
  readonly standardError: number
}

/**
 * How many random probes are taken: `probes`, or, with a tolerance, as many as it needs up to `maxProbes`.
 *
 * A tolerance is tested only when `probes`, twice, four times, ... as many have been taken, and on all of them
 * together. Testing after every probe would stop where the spread happens to look small, and so bias the estimate and
 * its error; few tests of not too few samples leave both as good as those of a fixed number.
 */
export interface ProbeOptions {
  /** At least 2; with a tolerance the first number tested, at least 16 (default 32). */
  readonly probes?: number
  /** Wanted standard error relative to |estimate|. */
  readonly tolerance?: number
  /** Wanted standard error itself; of two tolerances the one that is met first counts. */
  readonly absoluteTolerance?: number
  /** The most probes a tolerance may take. Default 32 times `probes`. */
  readonly maxProbes?: number
  /** Probes per call of the operator, 1 by default; changes only how fast it goes. */
  readonly block?: number
}

/** A checked {@link ProbeOptions}. */
export interface ProbePlan {
  readonly first: number
  readonly most: number
  readonly block: number
  met(estimate: Estimate): boolean
}

/** `fixed`: the default number of probes where there is no tolerance. `limit`: beyond which none helps. */
export function planProbes(options: ProbeOptions, where: string, fixed = 100, limit = Infinity): ProbePlan {
  const { tolerance, absoluteTolerance, block = 1 } = options
  if (tolerance !== undefined) requirePositive(tolerance, 'tolerance', where)
  if (absoluteTolerance !== undefined) requirePositive(absoluteTolerance, 'absoluteTolerance', where)
  const sequential = tolerance !== undefined || absoluteTolerance !== undefined
  const probes = options.probes ?? (sequential ? 32 : fixed)
  requireCount(probes, 'probes', where, sequential ? 16 : 2)
  const maxProbes = sequential ? (options.maxProbes ?? 32 * probes) : probes
  requireCount(maxProbes, 'maxProbes', where, probes)
  requireCount(block, 'block', where)
  return {
    first: Math.min(probes, limit),
    most: Math.min(maxProbes, limit),
    block,
    met: ({ estimate, standardError }) =>
      !sequential ||
      standardError <= (tolerance ?? 0) * Math.abs(estimate) ||
      standardError <= (absoluteTolerance ?? 0),
  }
}

/** What every estimator by probes begins with: its checked options, the run that a checkpoint must be of, its products. */
export function beginProbes(
  operator: LinearOperator,
  options: ProbeOptions & Pick<EstimatorOptions<Checkpoint>, 'seed' | 'signal' | 'checkpoint'>,
  where: string,
  fixed?: number,
  limit?: number,
) {
  const n = requireSquare(operator, where)
  const { seed = 0, signal, checkpoint } = options
  const plan = planProbes(options, where, fixed, limit)
  const run = { method: where, rows: n, seed }
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, signal, checkpoint?.products)
  return { n, plan, run, products, random: new Random(seed).split(where) }
}

/** An estimate that takes more and more probes. */
export interface Sampler {
  readonly done: number
  /** Takes up to `count` further probes; throws when it cannot take any. */
  take(count: number): Promise<void>
  estimate(): Estimate
}

/** Takes probes as planned; returns whether the tolerance was met (true where there is none). */
export async function takeProbes(
  plan: ProbePlan,
  sampler: Sampler,
  onStep?: (progress: Progress) => void,
): Promise<boolean> {
  for (let next = plan.first; ; next = Math.min(2 * next, plan.most)) {
    while (sampler.done < next) {
      await sampler.take(Math.min(plan.block, next - sampler.done))
      onStep?.({ done: sampler.done, total: plan.most })
    }
    // A continued run passes by what the stopped one tested without success.
    if (sampler.done > next && next < plan.most) continue
    const met = plan.met(sampler.estimate())
    if (met || next === plan.most) return met
  }
}

/** The mean of independent `samples` and its standard error; a single sample has none and is given 0. */
export function meanAndError(samples: ArrayLike<number>): Estimate {
  const count = samples.length
  let sum = 0
  for (let i = 0; i < count; i++) sum += samples[i]!
  const estimate = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (samples[i]! - estimate) ** 2
  return { estimate, standardError: count === 1 ? 0 : Math.sqrt(squares / (count - 1) / count) }
}
