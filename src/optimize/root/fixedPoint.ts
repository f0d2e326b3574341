import type { CompileOptions } from '../../engines/index.js'
import { axpy, norm } from '../../linalg/vector.js'
import { optimize } from '../../ops/optimize.js'
import { Tensor } from '../../tensor/tensor.js'
import { type Like, ravel, type Tensored, trace } from '../../transforms/index.js'
import type { Arguments, TensorFunction } from '../../transforms/stage.js'
import { factor, solveFactored } from '../leastSquares/dense/qr.js'
import { prepare } from '../leastSquares/residuals/residuals.js'
import { type ParameterOptions, parameters } from '../parameters.js'
import { type Reason, reasons } from '../reason.js'
import {
  type Awaitable,
  checkState,
  type HistoryRow,
  type IterationState,
  type RunOptions,
  runSolver,
  type Solver,
} from '../solver.js'

export interface AndersonOptions {
  /** How many earlier points are mixed in; 0 iterates x = g(x) plainly. Default 5. */
  readonly memory?: number
  /** The part of g(x) - x that is gone. Default 1; halved whenever the iteration runs away. */
  readonly mixing?: number
  /** Ends where |g(x) - x| is this part of |x|, or of what it was at the start. Default 1e-10. */
  readonly tolerance?: number
}

/** The points of the present window, oldest first, each with g(x) - x; `value` is the length of the latter at the best. */
export interface AndersonState extends IterationState {
  readonly points: readonly Float64Array[]
  readonly gaps: readonly Float64Array[]
  readonly mixing: number
  readonly accepted: boolean
  /** |g(x) - x| at the start. */
  readonly first: number
}

export interface FixedPointOptions
  extends AndersonOptions,
    Pick<ParameterOptions, 'fixed' | 'shared'>,
    Omit<CompileOptions, 'signal'>,
    RunOptions<AndersonState> {
  /** The state of an earlier result, or one given to `onStep`, to continue from with the same digits. */
  readonly state?: AndersonState
}

export interface FixedPointResult<P> {
  readonly point: P
  readonly names: readonly string[]
  readonly values: Float64Array
  /** |g(x) - x| at the point. */
  readonly gap: number
  readonly converged: boolean
  readonly reason: Reason
  readonly message: string
  /** How often g was called. */
  readonly evaluations: number
  readonly iterations: number
  readonly history: readonly HistoryRow[]
  readonly state: AndersonState
}

/**
 * A point with x = g(x), by Anderson's acceleration (Anderson 1965; Walker and Ni 2011). `g` is a function of tensors that
 * returns a tree like its argument. That it does not converge is a result.
 *
 * @throws on bad input, and when g is not finite at the start; the signal's reason when aborted.
 */
export async function fixedPoint<A extends Arguments>(
  g: (...args: A) => unknown,
  start: Like<A[0]>,
  options: FixedPointOptions = {},
): Promise<FixedPointResult<Tensored<A[0]>>> {
  type P = Tensored<A[0]>
  const given = parameters<P>(start as Like<P>, options)
  const flat = (x: Tensor) => ravel((g as TensorFunction<unknown>)(given.tree(x)) as Tensor)[0]
  const { program } = trace(flat, new Tensor(given.start))
  if (program.outputs[0]!.shape[0] !== given.start.length)
    throw new Error(
      `g: returns ${program.outputs[0]!.shape[0]} numbers for ${given.start.length}, expected as many as it is given; fixed and shared ones count for g, too`,
    )
  checkState(options.state, given.start.length)
  const executable = await prepare(optimize(program), options)
  let evaluations = 0
  const solver = anderson(
    async (x) => {
      evaluations++
      return (await executable.run([new Tensor(x)]))[0]!.data as Float64Array
    },
    given.start,
    options,
  )
  try {
    const { state, history } = await runSolver(solver, options, options.state)
    const reason = state.reason!
    return {
      point: given.tree(new Tensor(state.point)),
      names: given.names,
      values: state.point,
      gap: state.value,
      converged: reasons[reason].converged,
      reason,
      message: reasons[reason].sentence,
      evaluations,
      iterations: state.iteration,
      history,
      state,
    }
  } finally {
    await executable.dispose()
  }
}

/** A gap this many times the best begins the window anew, at the best point. */
const runaway = 10

/** The iteration: x + mixing gap, less what a combination of the window's differences takes off the gap. */
export function anderson(
  g: (x: Float64Array) => Awaitable<Float64Array>,
  start: Float64Array,
  { memory = 5, mixing = 1, tolerance = 1e-10 }: AndersonOptions = {},
): Solver<AndersonState> {
  if (!(mixing > 0 && mixing <= 1)) throw new Error(`mixing: got ${mixing}, expected above 0 and at most 1`)
  if (!(Number.isInteger(memory) && memory >= 0)) throw new Error(`memory: got ${memory}, expected 0 or more`)
  const most = Math.min(memory, start.length)
  const gapAt = async (x: Float64Array) => (await g(x)).map((y, i) => y - x[i]!)
  return {
    async init() {
      const gap = await gapAt(start)
      const value = norm(gap)
      if (!gap.every(Number.isFinite))
        throw new Error('start: g is not finite there, expected finite numbers')
      return {
        iteration: 0,
        point: start,
        value,
        points: [start],
        gaps: [gap],
        mixing,
        accepted: true,
        first: value,
      }
    },
    async step(state) {
      const point = nextPoint(state)
      const gap = await gapAt(point)
      const value = norm(gap)
      const iteration = state.iteration + 1
      if (!(value <= runaway * state.value)) {
        const best = state.points.indexOf(state.point)
        const window = { points: [state.point], gaps: [state.gaps[best]!] }
        return { ...state, ...window, iteration, mixing: state.mixing / 2, accepted: false }
      }
      const points = [...state.points, point]
      const gaps = [...state.gaps, gap]
      const better = value <= state.value
      const kept = windowOf(points, better ? point : state.point, most + 1)
      return {
        ...state,
        ...(better && { point, value }),
        iteration,
        points: kept.map((i) => points[i]!),
        gaps: kept.map((i) => gaps[i]!),
        accepted: better,
      }
    },
    terminate({ reason, value, point, first }) {
      return reason ?? (value <= tolerance * Math.max(norm(point), first) ? 'solved' : undefined)
    },
    record: ({ iteration, value, mixing, accepted }) => ({
      iteration,
      value,
      size: mixing,
      accepted,
      decrement: value,
      optimality: value,
    }),
  }
}

/** The newest `most` places, and that of the best point if it is older. */
function windowOf(points: readonly Float64Array[], best: Float64Array, most: number): number[] {
  const newest = [...points.keys()].slice(-most)
  const at = points.indexOf(best)
  return newest.includes(at) ? newest : [at, ...newest]
}

function nextPoint({ points, gaps, mixing }: AndersonState): Float64Array {
  const newest = points.length - 1
  const [x, gap] = [points[newest]!, gaps[newest]!]
  const next = x.slice()
  axpy(mixing, gap, next)
  const [rows, columns] = [x.length, Math.min(newest, x.length)]
  if (columns === 0) return next
  const olds = Array.from({ length: columns }, (_, k) => newest - columns + k)
  const differences = new Float64Array(rows * columns)
  olds.forEach((old, k) => {
    differences.set(
      gap.map((y, i) => y - gaps[old]![i]!),
      k * rows,
    )
  })
  const parts = solveFactored(factor(differences, gap.slice(), columns))
  olds.forEach((old, k) => {
    for (let i = 0; i < rows; i++)
      next[i] = next[i]! - parts[k]! * (x[i]! - points[old]![i]! + mixing * (gap[i]! - gaps[old]![i]!))
  })
  return next
}
