import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { type PreparedMinimize, prepareMinimize } from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'

/** One training: parameters N, tokens D and the loss that it ended with. */
export interface TrainingRun {
  readonly parameters: number
  readonly tokens: number
  readonly loss: number
}

/** L(N, D) = E + A / N^alpha + B / D^beta, by a = ln A, b = ln B and e = ln E. */
export type ScalingLaw<T> = Readonly<Record<'a' | 'b' | 'e' | 'alpha' | 'beta', T>>

/** The replication's estimates and their standard errors (its table 1). */
export const replication = {
  alpha: { value: 0.3478, error: 0.02 },
  beta: { value: 0.3658, error: 0.02 },
  E: { value: 1.8172, error: 0.03 },
  A: { value: 482.01, error: 124.58 },
  B: { value: 2085.43, error: 1293.23 },
} as const

export interface TrainingRuns {
  readonly name: string
  /** Whether they are trainings rather than draws. */
  readonly real: boolean
  readonly runs: readonly TrainingRun[]
}

/** The trainings read off the first paper's figure, without the five of highest loss; else drawn from the replicated law. */
export function trainingRuns(random: Random): TrainingRuns {
  const folder = process.env.EVOLUTE_DATA
  if (!folder) return { name: 'drawn from the replicated law', real: false, runs: drawnRuns(random, 240) }
  const text = readFileSync(join(folder, 'chinchilla', 'svg_extracted_data.csv'), 'utf8')
  const [header, ...lines] = text.trim().split('\n')
  const names = header!.split(',')
  const runs = lines.map((line): TrainingRun => {
    const cells = line.split(',')
    const cell = (name: string) => Number(cells[names.indexOf(name)])
    const parameters = cell('Model Size')
    return { parameters, tokens: cell('Training FLOP') / (6 * parameters), loss: cell('loss') }
  })
  const fifth = runs.map(({ loss }) => loss).sort((x, y) => y - x)[4]!
  return {
    name: 'read off the first paper’s figure',
    real: true,
    runs: runs.filter(({ loss }) => loss < fifth),
  }
}

function drawnRuns(random: Random, count: number): TrainingRun[] {
  const { alpha, beta, E, A, B } = replication
  return Array.from({ length: count }, () => {
    const parameters = 10 ** (7.6 + 2.6 * random.uniform())
    const tokens = (10 ** (18 + 3.5 * random.uniform()) / (6 * parameters)) * (1 + 0.1 * random.normal())
    const loss = E.value + A.value / parameters ** alpha.value + B.value / tokens ** beta.value
    return { parameters, tokens, loss: loss * Math.exp(0.005 * random.normal()) }
  })
}

/** From this deviation of ln L on, deviations count by their size rather than their square. */
const delta = 1e-3

const column = (runs: readonly TrainingRun[], of: keyof TrainingRun) =>
  new Tensor(Float64Array.from(runs, (run) => Math.log(run[of])))

/** sum_i weight_i Huber(ln L_i - ln of the law), prepared to be minimised from any start. */
export function huberFit(
  runs: readonly TrainingRun[],
  start: ScalingLaw<number>,
  weights: ArrayLike<number> = new Float64Array(runs.length).fill(1),
): Promise<PreparedMinimize<ScalingLaw<Tensor>>> {
  const [logN, logD, logL] = [column(runs, 'parameters'), column(runs, 'tokens'), column(runs, 'loss')]
  const weight = new Tensor(Float64Array.from(weights))
  return prepareMinimize(({ a, b, e, alpha, beta }: ScalingLaw<Tensor>) => {
    const byModel = np.subtract(a, np.multiply(alpha, logN))
    const byData = np.subtract(b, np.multiply(beta, logD))
    const away = np.abs(np.subtract(np.logaddexp(np.logaddexp(byModel, byData), e), logL))
    const near = np.divide(np.square(away), 2)
    const far = np.multiply(delta, np.subtract(away, delta / 2))
    return np.sum(np.multiply(weight, np.where(np.lessEqual(away, delta), near, far)))
  }, start)
}

/** The first paper's 4500 starts, in the order of the parameters a, b, e, alpha, beta. */
export function startingGrid(): Float64Array[] {
  const coefficients = [0, 5, 10, 15, 20, 25]
  const exponents = [0, 0.5, 1, 1.5, 2]
  const axes = [coefficients, coefficients, [-1, -0.5, 0, 0.5, 1], exponents, exponents]
  return axes
    .reduce<number[][]>((points, axis) => points.flatMap((point) => axis.map((x) => [...point, x])), [[]])
    .map((point) => Float64Array.from(point))
}

/** How often each of `count` is drawn in `count` draws with replacement. */
export function resampled(random: Random, count: number): Float64Array {
  const times = new Float64Array(count)
  for (let k = 0; k < count; k++) {
    const drawn = Math.floor(count * random.uniform())
    times[drawn] = times[drawn]! + 1
  }
  return times
}
