import { symmetricEigen } from '../../dense/symmetricEigen.js'
import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts, requireCount, requirePositive } from '../products.js'
import { Random } from '../random.js'
import { type Checkpoint, requireSameRun } from '../resume.js'
import type { EstimatorOptions } from '../stochastic/estimator.js'
import { axpy, divide, dot, norm, orthogonalize, randomDirection } from '../vector.js'
import {
  type EigenpairsProgress,
  eigenpairsRecord,
  ranks,
  type TopEigenpairs,
  type Which,
} from './eigenpairs.js'

/** Orthonormal vectors and their images. */
interface Block {
  readonly vectors: readonly Float64Array[]
  readonly images: readonly Float64Array[]
}

export interface LobpcgCheckpoint extends Checkpoint {
  readonly steps: number
  /** Ritz vectors, best first, with their values. */
  readonly ritz: Block
  readonly values: readonly number[]
  /** The directions in which the active Ritz vectors moved last. */
  readonly moves: Block
  readonly largest: number
}

export interface LobpcgOptions extends EstimatorOptions<LobpcgCheckpoint, EigenpairsProgress> {
  /** How many eigenpairs. */
  readonly count: number
  /** Default 'largest'. */
  readonly which?: Exclude<Which, 'magnitude'>
  /**
   * A symmetric positive definite operator close to the inverse of +-(A - lambda I) for the wanted lambda, which the
   * residuals are multiplied by.
   */
  readonly preconditioner?: LinearOperator
  /** Vectors that are iterated on, at least `count`: the gap to the first one beyond sets the speed. Default count + 2. */
  readonly block?: number
  /** Wanted residual |A v - lambda v| relative to the largest |lambda| found. Default 1e-6. */
  readonly tolerance?: number
  /** Default 500. */
  readonly maxSteps?: number
}

/**
 * Extreme eigenpairs of a symmetric operator by LOBPCG (Knyazev 2001): each step takes the best Ritz vectors X of the
 * space spanned by X, the (preconditioned) residuals, and the last moves of X. The images of a block are one call of
 * the operator, memory is six blocks, and copies of an eigenvalue are found up to the block's size.
 *
 * All three parts are kept orthonormal, the moves by their coefficients, so that the small eigenproblem is a standard
 * one and never ill-conditioned (Hetmaniuk and Lehoucq 2006; Duersch, Shao, Yang, Gu 2018); directions that lie in the
 * others' span are left out. Converged vectors stay in X but are no longer worked on (soft locking). Not converging is
 * a result that says so.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function lobpcg(operator: LinearOperator, options: LobpcgOptions): Promise<TopEigenpairs> {
  const where = 'lobpcg'
  const n = requireSquare(operator, where)
  const { count, which = 'largest', preconditioner, tolerance = 1e-6, maxSteps = 500, seed = 0 } = options
  requireCount(count, 'count', where, 1, n)
  const size = options.block ?? Math.min(n, count + 2)
  requireCount(size, 'block', where, count, n)
  requirePositive(tolerance, 'tolerance', where)
  requireCount(maxSteps, 'maxSteps', where)
  if (which !== 'largest' && which !== 'smallest')
    throw new Error(`${where}: which is ${which}, expected 'largest' or 'smallest'`)
  if (preconditioner && (preconditioner.rows !== n || preconditioner.columns !== n))
    throw new Error(
      `${where}: preconditioner is ${preconditioner.rows} by ${preconditioner.columns}, expected ${n} by ${n}`,
    )
  const { signal, checkpoint, onStep, onCheckpoint } = options
  const run = { method: where, rows: n, seed, count, which, block: size }
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, signal, checkpoint?.products)
  const corrections = preconditioner && countProducts(preconditioner, `${where}: preconditioner`, signal)
  const imagesOf = async (vectors: readonly Float64Array[]): Promise<Block> => ({
    vectors,
    images: rowsOf(await products.apply(vectors), n),
  })
  const start = async () => rayleighRitz(await imagesOf(randomBasis(n, size, seed)), size, [], ranks[which])

  let { ritz, values, moves, largest } = checkpoint ?? { ...(await start()), largest: 0 }
  let steps = checkpoint?.steps ?? 0
  let complete = false
  for (;;) {
    largest = Math.max(largest, ...values.map(Math.abs))
    const residuals = ritz.vectors.map((x, i) => residualOf(x, ritz.images[i]!, values[i]!))
    const lengths = residuals.map(norm)
    const residual = Math.max(...lengths.slice(0, count))
    onStep?.({ done: steps, total: maxSteps, eigenvalues: values.slice(0, count), residual })
    complete = residual <= tolerance * largest
    if (complete || steps >= maxSteps) break

    const active = [...lengths.keys()].filter((i) => lengths[i]! > tolerance * largest)
    const wanted = active.map((i) => residuals[i]!)
    const directions = corrections ? rowsOf(await corrections.apply(wanted), n) : wanted
    const known = straightened(joined(ritz, moves))
    const fresh = orthonormalized(directions, known.vectors)
    // Where nothing is left the space is exhausted, and what remains of the residuals is rounding.
    complete = fresh.length === 0
    if (complete) break
    const space = joined(known, await imagesOf(fresh))
    ;({ ritz, values, moves } = rayleighRitz(space, size, active, ranks[which]))
    steps++
    onCheckpoint?.({ run, products: products.count, steps, ritz, values, moves, largest })
  }
  const pairs = values.slice(0, count).map((value, i) => ({ value, vector: ritz.vectors[i]! }))
  const ending = { steps, maxSteps, tolerance, largest, complete, repeatedExcluded: true }
  return eigenpairsRecord(products, pairs, count, ending)
}

/**
 * The best `size` Ritz pairs of an orthonormal `space` whose first `size` vectors were the Ritz vectors before, and an
 * orthonormal basis, also orthogonal to them, of how those of `active` moved.
 */
function rayleighRitz(
  space: Block,
  size: number,
  active: readonly number[],
  rank: (value: number) => number,
): { ritz: Block; values: number[]; moves: Block } {
  const { vectors, images } = space
  const k = vectors.length
  const compressed = new Float64Array(k * k)
  for (let a = 0; a < k; a++)
    for (let b = 0; b <= a; b++)
      compressed[a * k + b] = (dot(vectors[a]!, images[b]!) + dot(vectors[b]!, images[a]!)) / 2
  const eigen = symmetricEigen(compressed, k)
  const best = [...eigen.values.keys()]
    .sort((i, j) => rank(eigen.values[j]!) - rank(eigen.values[i]!))
    .slice(0, size)
  const coefficients = best.map((i) => eigen.vectors.subarray(i * k, (i + 1) * k))
  const moved = active.map((i) => coefficients[i]!.map((x, a) => (a < size ? 0 : x)))
  return {
    ritz: combined(space, coefficients),
    values: best.map((i) => eigen.values[i]!),
    moves: combined(space, orthonormalized(moved, coefficients)),
  }
}

/** What `vectors` add to the span of the orthonormal `basis`, orthonormal; nothing for those almost within it. */
function orthonormalized(vectors: readonly Float64Array[], basis: readonly Float64Array[]): Float64Array[] {
  const added: Float64Array[] = []
  for (const vector of vectors) {
    const x = vector.slice()
    const before = norm(x)
    const spanned = [...basis, ...added]
    if (spanned.length >= x.length || !(orthogonalize(x, spanned) > 1e-10 * before)) continue
    divide(x, norm(x))
    divide(x, orthogonalize(x, spanned))
    added.push(x)
  }
  return added
}

/** An almost orthonormal block made orthonormal again, which the rounding of many steps would slowly undo. */
function straightened({ vectors, images }: Block): Block {
  const straight = { vectors: [] as Float64Array[], images: [] as Float64Array[] }
  vectors.forEach((vector, i) => {
    const x = vector.slice()
    const image = images[i]!.slice()
    straight.vectors.forEach((earlier, j) => {
      const along = dot(earlier, x)
      axpy(-along, earlier, x)
      axpy(-along, straight.images[j]!, image)
    })
    const length = norm(x)
    divide(x, length)
    divide(image, length)
    straight.vectors.push(x)
    straight.images.push(image)
  })
  return straight
}

function randomBasis(n: number, size: number, seed: number): Float64Array[] {
  const random = new Random(seed).split('lobpcg')
  const basis: Float64Array[] = []
  for (let i = 0; i < size; i++) basis.push(randomDirection(n, basis, random))
  return basis
}

function residualOf(vector: Float64Array, image: Float64Array, value: number): Float64Array {
  const residual = image.slice()
  axpy(-value, vector, residual)
  return residual
}

function joined(...blocks: readonly Block[]): Block {
  return {
    vectors: blocks.flatMap(({ vectors }) => vectors),
    images: blocks.flatMap(({ images }) => images),
  }
}

/** The combinations of a block's vectors with each row of coefficients, and of its images. */
function combined({ vectors, images }: Block, rows: readonly Float64Array[]): Block {
  const n = vectors[0]!.length
  const combine = (parts: readonly Float64Array[], row: Float64Array) => {
    const sum = new Float64Array(n)
    parts.forEach((part, a) => {
      axpy(row[a]!, part, sum)
    })
    return sum
  }
  return {
    vectors: rows.map((row) => combine(vectors, row)),
    images: rows.map((row) => combine(images, row)),
  }
}

function rowsOf(block: Float64Array, n: number): Float64Array[] {
  return Array.from({ length: block.length / n }, (_, i) => block.slice(i * n, (i + 1) * n))
}
