import { tridiagonalEigen } from '../../dense/tridiagonalEigen.js'
import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts, requireCount, requirePositive } from '../products.js'
import { Random } from '../random.js'
import { type Checkpoint, requireSameRun } from '../resume.js'
import type { EstimatorOptions } from '../stochastic/estimator.js'
import { axpy, randomDirection, type Vector } from '../vector.js'
import {
  type EigenpairsProgress,
  eigenpairsRecord,
  type Pair,
  ranks,
  type TopEigenpairs,
  type Which,
} from './eigenpairs.js'
import { canExtend, extendLanczos, type LanczosState, snapshot, startLanczos } from './lanczos.js'

/** Found pairs and the Lanczos process that runs. `tolerance` and `maxSteps` may be others in a continued run. */
export interface EigenpairsCheckpoint extends Checkpoint {
  readonly steps: number
  /** Searches that have ended: the first one, and those for repeated eigenvalues. */
  readonly searches: number
  readonly found: readonly Pair[]
  readonly running: LanczosState
}

export interface TopEigenpairsOptions extends EstimatorOptions<EigenpairsCheckpoint, EigenpairsProgress> {
  /** How many eigenpairs. */
  readonly count: number
  /** Default 'largest'. */
  readonly which?: Which
  /** Wanted residual |A v - lambda v| relative to the largest |lambda| found. Default 1e-6. */
  readonly tolerance?: number
  /** Steps of one Lanczos process, and so vectors in memory (see `lanczosBytes`). Default max(100, 10 count), at most n. */
  readonly maxSteps?: number
  /**
   * Search once more, in the complement of what was found, for copies of repeated eigenvalues, which one Lanczos
   * process does not see. Default true; costs some further products.
   */
  readonly findRepeated?: boolean
  /** Vectors per product where several are known at once. Default 1. */
  readonly block?: number
  readonly basisDtype?: 'float64' | 'float32'
}

/**
 * Extreme eigenpairs of a symmetric operator by Lanczos with full reorthogonalisation, until the estimated residual
 * |beta_m y_m| of each wanted Ritz pair is at most `tolerance` times the largest |lambda|. Not converging is a
 * result that says so; its last checkpoint can be continued with a larger `maxSteps`.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function topEigenpairs(
  operator: LinearOperator,
  options: TopEigenpairsOptions,
): Promise<TopEigenpairs> {
  const where = 'topEigenpairs'
  const n = requireSquare(operator, where)
  const { count, which = 'largest', tolerance = 1e-6, seed = 0, findRepeated = true, block = 1 } = options
  requireCount(count, 'count', where, 1, n)
  requirePositive(tolerance, 'tolerance', where)
  requireCount(block, 'block', where)
  const maxSteps = Math.min(n, options.maxSteps ?? Math.max(100, 10 * count))
  requireCount(maxSteps, 'maxSteps', where, count)
  const rank = ranks[which]
  if (!rank) throw new Error(`${where}: which is ${which}, expected 'largest', 'smallest' or 'magnitude'`)

  const { basisDtype = 'float64', checkpoint, onCheckpoint } = options
  const run = runOf(n, options)
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, options.signal, checkpoint?.products)
  const random = new Random(seed).split('eigenpairs')
  const found: Pair[] = [...(checkpoint?.found ?? [])]
  const best = () => [...found].sort((a, b) => rank(b.value) - rank(a.value)).slice(0, count)
  const scaleOf = (ritz: Ritz[]) => Math.max(...[...ritz, ...found].map(({ value }) => Math.abs(value)))
  let steps = checkpoint?.steps ?? 0
  let searches = checkpoint?.searches ?? 0
  let resumed = checkpoint && snapshot(checkpoint.running)
  let largest = 0

  /** Lanczos on the complement of `found` until `enough`; adds the best `wanted` Ritz pairs that `keep` keeps. */
  const search = async (
    wanted: number,
    enough: (ritz: Ritz[], m: number, slack: number) => boolean,
    keep: (pair: Ritz, slack: number) => boolean,
  ): Promise<{ complete: boolean; added: number }> => {
    const locked = found.map(({ vector }) => vector)
    const stream = random.split(searches)
    const state = resumed ?? startLanczos(randomDirection(n, locked, stream), operator, basisDtype)
    const step = async () => {
      await extendLanczos(products, state, { locked, random: stream })
      steps++
      const progress = { products: products.count, steps, searches }
      onCheckpoint?.({ run, ...progress, found: [...found], running: snapshot(state) })
    }
    if (!resumed) await step()
    resumed = undefined
    for (; ; await step()) {
      const m = state.alpha.length
      const ritz = ritzPairs(state).sort((a, b) => rank(b.value) - rank(a.value))
      largest = scaleOf(ritz)
      const slack = tolerance * largest
      const top = ritz.slice(0, wanted)
      const residual = Math.max(...top.map((pair) => pair.residual))
      options.onStep?.({
        done: m,
        total: maxSteps,
        eigenvalues: found.length > 0 ? best().map(({ value }) => value) : top.map(({ value }) => value),
        residual,
      })
      const settled = m >= wanted && residual <= slack
      const complete = settled || !canExtend(state) || enough(ritz, m, slack)
      if (!complete && m < maxSteps) continue
      const kept = complete || found.length === 0 ? top.filter((pair) => keep(pair, slack)) : []
      found.push(...ritzVectors(state, kept))
      searches++
      return { complete, added: kept.length }
    }
  }

  const never = () => false
  const always = () => true
  const complete = searches > 0 || (await search(count, never, always)).complete
  let repeatedExcluded = true
  while (complete && findRepeated && found.length < n) {
    const least = rank(best()[count - 1]!.value)
    const beats = (pair: Ritz, slack: number) => rank(pair.value) > least + slack
    const excluded = (ritz: Ritz[], m: number, slack: number) =>
      rank(ritz[0]!.value) + missed(ritz, m, n) <= least + slack
    const further = await search(1, excluded, beats)
    repeatedExcluded = further.complete
    if (further.added === 0) break
  }

  return eigenpairsRecord(products, best(), block, {
    steps,
    maxSteps,
    tolerance,
    largest,
    complete,
    repeatedExcluded,
  })
}

function runOf(rows: number, options: TopEigenpairsOptions) {
  const { seed = 0, count, which = 'largest', basisDtype = 'float64' } = options
  return { method: 'topEigenpairs', rows, seed, count, which, basisDtype }
}

/**
 * A checkpoint from which {@link topEigenpairs} with these options goes on with a Lanczos process that was begun for
 * another purpose, such as a probe of the spectral density: its steps are not taken again.
 */
export function eigenpairsFrom(running: LanczosState, options: TopEigenpairsOptions): EigenpairsCheckpoint {
  const run = runOf(running.basis[0]!.length, options)
  return { run, products: 0, steps: running.alpha.length, searches: 0, found: [], running: snapshot(running) }
}

/** An eigenvalue of T, the estimated residual of its pair, and its column in T's eigenvectors. */
interface Ritz {
  readonly value: number
  readonly residual: number
  readonly index: number
}

function ritzPairs({ alpha, beta }: LanczosState): Ritz[] {
  const m = alpha.length
  const { values, vectors } = tridiagonalEigen(alpha, beta.slice(0, m - 1), { vectors: 'last' })
  return Array.from(values, (value, index) => ({
    value,
    residual: Math.abs(beta[m - 1]! * vectors[index]![0]!),
    index,
  }))
}

function ritzVectors({ alpha, beta, basis }: LanczosState, pairs: readonly Ritz[]): Pair[] {
  if (pairs.length === 0) return []
  const { vectors } = tridiagonalEigen(alpha, beta.slice(0, alpha.length - 1), { vectors: 'all' })
  return pairs.map(({ value, index }) => {
    const vector = new Float64Array(basis[0]!.length)
    vectors[index]!.forEach((weight, i) => {
      axpy(weight, basis[i] as Vector, vector)
    })
    return { value, vector }
  })
}

/**
 * How far beyond the extreme Ritz values after `m` steps from a random start an eigenvalue may lie, except with
 * probability 1e-3: with R the spectrum's width, P(error > eps R) <= 1.648 sqrt(n) exp(-sqrt(eps) (2m - 1))
 * (Kuczynski and Wozniakowski 1992), and R is at most the Ritz values' width / (1 - 2 eps).
 */
function missed(ritz: readonly Ritz[], m: number, n: number): number {
  const eps = (Math.log((1.648 * Math.sqrt(n)) / 1e-3) / (2 * m - 1)) ** 2
  if (eps >= 0.5) return Infinity
  const values = ritz.map(({ value }) => value)
  return (eps * (Math.max(...values) - Math.min(...values))) / (1 - 2 * eps)
}
