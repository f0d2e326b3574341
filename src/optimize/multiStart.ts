import { Random } from '../linalg/random.js'
import type { Awaitable } from './solver.js'

/** What a solver says of the point where it ended, as results of `leastSquares` and `minimize` do. */
export interface Solved {
  readonly values: Float64Array
  readonly value: number
  readonly converged: boolean
}

/** Where a start ended: plain data. */
export interface End {
  readonly values: Float64Array
  /** Infinite where the start failed. */
  readonly value: number
  readonly converged: boolean
  /** Why it failed, where it did: the function is not finite there. */
  readonly failure?: string
}

export interface MultiStartOptions {
  /** Ends whose value is above the least by less than this part of it have reached the same minimum. Default 1e-6. */
  readonly tolerance?: number
  readonly signal?: AbortSignal | undefined
  /** Called after each start with all ends so far; what it was last given can be continued from. */
  readonly onStep?: (ends: readonly End[]) => void
  /** The ends of an earlier run of the same starts, to continue from. */
  readonly ends?: readonly End[]
}

export interface MultiStartResult<R extends Solved> {
  readonly best: R
  /** How many starts reached the value of the best. */
  readonly reached: number
  /** How many ended with `converged`, at that minimum or another. */
  readonly converged: number
  /** How many could not be started from. */
  readonly failed: number
  /** One for each start, in their order. */
  readonly ends: readonly End[]
}

/**
 * The best of the ends that `solve` comes to from each of `starts`, and how many reached it: where few do, there may be
 * better ones that none did. The starts are a grid, or points of {@link latinHypercube}.
 * @throws when there are no starts, or none can be started from; the signal's reason when aborted.
 */
export async function multiStart<R extends Solved>(
  solve: (start: Float64Array) => Awaitable<R>,
  starts: readonly Float64Array[],
  { tolerance = 1e-6, signal, onStep, ends: before = [] }: MultiStartOptions = {},
): Promise<MultiStartResult<R>> {
  if (starts.length === 0) throw new Error('starts: got none, expected at least one point')
  if (before.length > starts.length)
    throw new Error(
      `ends: got ${before.length} for ${starts.length} starts, expected those of the same starts`,
    )
  const ends = [...before]
  let best: R | undefined
  let lowest = Math.min(...ends.map(({ value }) => value))
  for (const start of starts.slice(ends.length)) {
    signal?.throwIfAborted()
    const result = await attempt(solve, start, signal)
    if (!(result instanceof Error) && result.value < lowest) {
      best = result
      lowest = result.value
    }
    ends.push(endOf(result))
    onStep?.([...ends])
  }
  const least = ends.reduce((least, end) => (end.value < least.value ? end : least))
  if (least.failure !== undefined)
    throw new Error(`starts: none of ${starts.length} can be started from; the first: ${least.failure}`)
  const within = least.value + tolerance * Math.abs(least.value)
  return {
    best: best?.value === least.value ? best : await solve(starts[ends.indexOf(least)]!),
    reached: ends.filter((end) => end.value <= within).length,
    converged: ends.filter((end) => end.converged).length,
    failed: ends.filter((end) => end.failure !== undefined).length,
    ends,
  }
}

/** A start outside the function's domain is no reason to give up the others. */
async function attempt<R>(
  solve: (start: Float64Array) => Awaitable<R>,
  start: Float64Array,
  signal: AbortSignal | undefined,
): Promise<R | Error> {
  try {
    return await solve(start)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof Error) return error
    throw error
  }
}

function endOf(result: Solved | Error): End {
  if (result instanceof Error)
    return { values: new Float64Array(0), value: Infinity, converged: false, failure: result.message }
  const { values, value, converged } = result
  return { values, value, converged }
}

/**
 * `count` points between two corners, each parameter's range cut into `count` equal parts of which each holds one point
 * (McKay, Beckman, Conover 1979). The same seed gives the same points.
 * @throws when the corners differ in length, are not finite or out of order, or the count is not a positive integer.
 */
export function latinHypercube(
  count: number,
  lower: ArrayLike<number>,
  upper: ArrayLike<number>,
  seed: number | string = 0,
): Float64Array[] {
  if (!(Number.isInteger(count) && count > 0))
    throw new Error(`count: got ${count}, expected an integer above 0`)
  if (lower.length !== upper.length)
    throw new Error(`upper: got ${upper.length} numbers, expected ${lower.length} as of lower`)
  const random = new Random(seed)
  const columns = Array.from(lower, (low, j) => {
    const high = upper[j]!
    if (!(low <= high && Number.isFinite(high - low)))
      throw new Error(
        `lower: parameter ${j} ranges from ${low} to ${high}, expected finite numbers in ascending order`,
      )
    const own = random.split(j)
    return Float64Array.from(
      own.permutation(count),
      (part) => low + ((high - low) * (part + own.uniform())) / count,
    )
  })
  return Array.from({ length: count }, (_, k) => Float64Array.from(columns, (column) => column[k]!))
}
