import { Tensor } from '../tensor/tensor.js'
import { canExtend, extendLanczos, type LanczosState, startLanczos } from './lanczos.js'
import { type LinearOperator, requireSquare } from './operator.js'
import { countProducts, type Products, type Progress, requireCount, requirePositive } from './products.js'
import { Random } from './random.js'
import { tridiagonalEigen } from './tridiagonal.js'
import { axpy, norm, randomDirection, type Vector } from './vector.js'

/** Which eigenvalues are wanted: the largest, the smallest (most negative), or those largest in magnitude. */
export type Which = 'largest' | 'smallest' | 'magnitude'

export interface TopEigenpairsOptions {
  /** How many eigenpairs. */
  readonly count: number
  /** Default 'largest'. */
  readonly which?: Which
  /** Wanted residual |A v - lambda v| relative to the largest |lambda| found. Default 1e-6. */
  readonly tolerance?: number
  /** Steps of one Lanczos process, and so vectors in memory (see `lanczosBytes`). Default max(100, 10 count), at most n. */
  readonly maxSteps?: number
  readonly seed?: number
  /**
   * Search once more, in the complement of what was found, for copies of repeated eigenvalues, which one Lanczos
   * process does not see. Default true; costs some further products.
   */
  readonly findRepeated?: boolean
  /** Vectors per product where several are known at once. Default 1. */
  readonly block?: number
  readonly basisDtype?: 'float64' | 'float32'
  readonly signal?: AbortSignal
  readonly onStep?: (progress: EigenpairsProgress) => void
}

/** `done` of at most `total` steps of the present search; a further search for repeated eigenvalues counts from 1 again. */
export interface EigenpairsProgress extends Progress {
  /** The wanted eigenvalues as far as they are known, best first. */
  readonly eigenvalues: readonly number[]
  /** The largest of their estimated residuals. */
  readonly residual: number
}

export interface TopEigenpairs {
  /** In descending order; `residual` is |A v - lambda v|, computed with a product of its own. */
  readonly eigenvalues: readonly { readonly value: number; readonly residual: number }[]
  /** Unit eigenvectors, float64 [count, n], in the order of `eigenvalues`. */
  readonly eigenvectors: Tensor
  /** Lanczos steps of all searches. */
  readonly steps: number
  readonly products: number
  /** Whether every residual meets the tolerance (within a factor of 10, for rounding). */
  readonly converged: boolean
  readonly reason: 'converged' | 'step limit' | 'repeated eigenvalues not excluded' | 'inaccurate products'
  /** `reason` as a sentence. */
  readonly message: string
}

interface Pair {
  readonly value: number
  readonly vector: Float64Array
}

/**
 * Extreme eigenpairs of a symmetric operator by Lanczos with full reorthogonalisation, until the estimated residual
 * |beta_m y_m| of each wanted Ritz pair is at most `tolerance` times the largest |lambda|. Not converging is a
 * result that says so.
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

  const products = countProducts(operator, where, options.signal)
  const random = new Random(seed).split('eigenpairs')
  const found: Pair[] = []
  const best = () => [...found].sort((a, b) => rank(b.value) - rank(a.value)).slice(0, count)
  const scaleOf = (ritz: Ritz[]) => Math.max(...[...ritz, ...found].map(({ value }) => Math.abs(value)))
  let steps = 0
  let largest = 0

  /** Lanczos on the complement of `found` until `enough`; adds the best `wanted` Ritz pairs that `keep` keeps. */
  const search = async (
    wanted: number,
    enough: (ritz: Ritz[], m: number, slack: number) => boolean,
    keep: (pair: Ritz, slack: number) => boolean,
  ): Promise<{ complete: boolean; added: number }> => {
    const locked = found.map(({ vector }) => vector)
    const state = startLanczos(randomDirection(n, locked, random), operator, options.basisDtype)
    for (;;) {
      await extendLanczos(products, state, { locked, random })
      steps++
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
      return { complete, added: kept.length }
    }
  }

  const first = await search(
    count,
    () => false,
    () => true,
  )
  let repeatedExcluded = true
  while (first.complete && findRepeated && found.length < n) {
    const least = rank(best()[count - 1]!.value)
    const beats = (pair: Ritz, slack: number) => rank(pair.value) > least + slack
    const { complete, added } = await search(
      1,
      (ritz, m, slack) => rank(ritz[0]!.value) + missed(ritz, m, n) <= least + slack,
      beats,
    )
    repeatedExcluded = complete
    if (added === 0) break
  }

  const pairs = best().sort((a, b) => b.value - a.value)
  const residuals = await trueResiduals(products, pairs, block)
  const accurate = residuals.every((residual) => residual <= 10 * tolerance * largest)
  const reason = !first.complete
    ? 'step limit'
    : !accurate
      ? 'inaccurate products'
      : repeatedExcluded
        ? 'converged'
        : 'repeated eigenvalues not excluded'
  const eigenvectors = new Float64Array(count * n)
  pairs.forEach(({ vector }, i) => {
    eigenvectors.set(vector, i * n)
  })
  return {
    eigenvalues: pairs.map(({ value }, i) => ({ value, residual: residuals[i]! })),
    eigenvectors: new Tensor(eigenvectors, [count, n]),
    steps,
    products: products.count,
    converged: first.complete && accurate,
    reason,
    message: messages[reason](maxSteps, tolerance),
  }
}

const ranks: Record<Which, (value: number) => number> = {
  largest: (value) => value,
  smallest: (value) => -value,
  magnitude: Math.abs,
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
