import { type Box, insideBox } from '../../box.js'
import { descentSolver } from '../../descentSolver.js'
import { runSolver } from '../../solver.js'
import { type Method, type MethodName, methodNamed } from '../dense/methods.js'
import type { LeastSquaresResult } from '../leastSquares.js'
import { leastSquaresObjective, type Treatment } from '../objective.js'
import type { Residuals } from '../residuals/residuals.js'
import { studentQuantile } from './student.js'
import { type UncertaintyOptions, uncertainty } from './uncertainty.js'

export interface ProfileOptions extends UncertaintyOptions {
  readonly signal?: AbortSignal
}

/** A prepared problem as its profiles need it. */
export interface ProfileProblem {
  readonly residuals: Residuals
  readonly treatment: Treatment
  readonly method: MethodName | Method | undefined
  readonly box: Box & { readonly bounded: boolean }
}

/** Doublings of the linear interval after which an end is taken to be infinite. */
const mostDoublings = 12
/** The part of the linear interval to which ends are found, and how many trials that may take. */
const precision = 1e-8
const mostTrials = 60

/**
 * For each parameter the interval of values at which the sum of squares, minimised over all others, is at most t^2 s^2
 * above its minimum (Bates and Watts 1988, section 6.1): exact where the model is linear, and right in shape where it is
 * not. An end is infinite, or the bound, where that is never reached.
 */
export async function profileIntervals(
  problem: ProfileProblem,
  result: LeastSquaresResult<unknown>,
  { signal, ...options }: ProfileOptions = {},
): Promise<[lower: number, upper: number][]> {
  const { standardErrors, degreesOfFreedom, residualStandardDeviation, level } = uncertainty(result, options)
  const t = studentQuantile(level, options.absolute ? Infinity : degreesOfFreedom)
  const s = options.absolute ? 1 : residualStandardDeviation
  const intervals: [number, number][] = []
  for (let j = 0; j < result.values.length; j++) {
    const width = t * standardErrors[j]!
    if (!Number.isFinite(width)) {
      intervals.push([-Infinity, Infinity])
      continue
    }
    const end = async (side: -1 | 1) => {
      const limit = side < 0 ? problem.box.lower[j]! : problem.box.upper[j]!
      const distance = profileAlong(problem, result, j, side, signal)
      const excess = async (d: number) => (await distance(d)) / s - t
      const room = Math.abs(limit - result.values[j]!)
      return result.values[j]! + side * (await firstCrossing(excess, width, t, room))
    }
    intervals.push([await end(-1), await end(1)])
  }
  return intervals
}

/** The root of twice the rise of the minimum when parameter j is held d away: nearly linear in d. */
function profileAlong(
  { residuals, treatment, method, box }: ProfileProblem,
  { values, value }: LeastSquaresResult<unknown>,
  j: number,
  side: -1 | 1,
  signal: AbortSignal | undefined,
): (d: number) => Promise<number> {
  const others = (x: Float64Array) => x.filter((_, i) => i !== j)
  const rest = { lower: others(box.lower), upper: others(box.upper), bounded: box.bounded }
  let near: Float64Array = others(values)
  return async (d) => {
    const held = values[j]! + side * d
    const objective = leastSquaresObjective(withHeld(residuals, j, held), treatment)
    if (near.length === 0) return Math.sqrt(Math.max(0, 2 * ((await objective.value(near)) - value)))
    const { descent, search } = methodNamed(method, rest)
    const solver = descentSolver(objective, descent, search, insideBox(near, rest))
    const { state } = await runSolver(solver, { ...(signal && { signal }) })
    near = state.point
    return Math.sqrt(Math.max(0, 2 * (state.value - value)))
  }
}

/** Residuals as a function of the other parameters. */
function withHeld(residuals: Residuals, j: number, held: number): Residuals {
  const whole = (x: Float64Array) => Float64Array.from([...x.subarray(0, j), held, ...x.subarray(j)])
  return {
    ...residuals,
    residual: (x) => residuals.residual(whole(x)),
    async linearize(x) {
      const { residual, columns } = await residuals.linearize(whole(x))
      const m = residuals.rows
      const rest = new Float64Array(columns.length - m)
      rest.set(columns.subarray(0, j * m))
      rest.set(columns.subarray((j + 1) * m), j * m)
      return { residual, columns: rest }
    },
  }
}

/** Where a function that is -t at 0 becomes 0, by the Illinois method from a guess on; at most `room` away. */
async function firstCrossing(
  f: (d: number) => Promise<number>,
  guess: number,
  t: number,
  room: number,
): Promise<number> {
  let [low, atLow, high] = [0, -t, Math.min(guess, room)]
  let atHigh = await f(high)
  for (let doublings = 0; atHigh < 0; doublings++) {
    if (high === room) return room
    if (doublings === mostDoublings) return Infinity
    ;[low, atLow, high] = [high, atHigh, Math.min(2 * high, room)]
    atHigh = await f(high)
  }
  for (let trial = 0; high - low > precision * guess && trial < mostTrials; trial++) {
    const middle = (low * atHigh - high * atLow) / (atHigh - atLow)
    const value = await f(middle)
    if (Math.abs(value) <= precision * t) return middle
    if (value < 0) [low, atLow, atHigh] = [middle, value, atHigh / 2]
    else [high, atHigh, atLow] = [middle, value, atLow / 2]
  }
  return (low + high) / 2
}
