/**
 * Times a decay of 3 parameters through 14 points, alone and among many, beside ml-levenberg-marquardt's where that is
 * installed, and prints them as JSON. bench/fit.ts bundles it, as users' programs are, and runs it.
 */
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { batchLeastSquares, prepareLeastSquares } from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'

export interface Timed {
  readonly name: string
  readonly microseconds: number
  readonly evaluations: string
  readonly sumOfSquares: number
}

const rounds = Number(process.argv[2])
const x = Array.from({ length: 14 }, (_, i) => i / 3)
const y = x.map((xi, i) => 3 * Math.exp(-0.8 * xi) + 1 + 0.05 * Math.sin(7 * i))
const start = { a: 1, k: 0.3, c: 0 }
const tolerances = [0, 1e-8, 1e-4]

/** Microseconds of one of `count` fits: the fastest round, since other work on the machine only ever adds to it. */
async function time(solve: () => unknown, repeats: number, count = 1): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round <= rounds; round++) {
    const from = performance.now()
    for (let i = 0; i < repeats; i++) await solve()
    if (round > 0) fastest = Math.min(fastest, (1000 * (performance.now() - from)) / repeats / count)
  }
  return fastest
}

type Decay = Record<'a' | 'k' | 'c', Tensor>

const decay = ({ a, k, c }: Decay) => np.add(np.multiply(a, np.exp(np.negative(np.multiply(k, x)))), c)

async function alone(): Promise<Timed[]> {
  const problem = await prepareLeastSquares((p: Decay) => np.subtract(decay(p), y), start)
  const timed: Timed[] = []
  for (const tolerance of tolerances) {
    const { value, evaluations } = await problem.solve({ tolerance })
    const microseconds = await time(() => problem.solve({ tolerance }), 1000)
    timed.push({
      name: `evolute, tolerance ${tolerance}`,
      microseconds,
      evaluations: `${evaluations.residual}, ${evaluations.jacobian}`,
      sumOfSquares: 2 * value,
    })
  }
  return timed
}

const fits = 10_000

/** Per fit, tracing and compiling included; the data of all but the first, which is the one above, have noise. */
async function among(): Promise<Timed[]> {
  const random = new Random('fits')
  const rows = Float64Array.from({ length: fits * y.length }, (_, i) => {
    return y[i % y.length]! + (i < y.length ? 0 : 0.05 * random.normal())
  })
  const ys = new Tensor(rows, [fits, y.length])
  const residual = (p: Decay, own: Tensor) => np.subtract(decay(p), own)
  const timed: Timed[] = []
  for (const tolerance of tolerances) {
    const solve = () => batchLeastSquares(residual, start, ys, { tolerance })
    const { value, iterations } = await solve()
    const mean = iterations.reduce((sum, steps) => sum + steps, 0) / fits
    timed.push({
      name: `evolute, each of ${fits} in one call, tolerance ${tolerance}`,
      microseconds: await time(solve, 1, fits),
      evaluations: `${(mean + 1).toFixed(1)} on average`,
      sumOfSquares: 2 * value[0]!,
    })
  }
  return timed
}

/** ml-levenberg-marquardt of version 5.1.0 or later, which takes derivatives. */
async function mlLevenbergMarquardt(): Promise<Timed[]> {
  const library = await import('ml-levenberg-marquardt').catch(() => undefined)
  if (!library) {
    console.error('ml-levenberg-marquardt is not installed: left out')
    return []
  }
  const f =
    ([a, k, c]: number[]) =>
    (at: number) =>
      a! * Math.exp(-k! * at) + c!
  const jacobianFunction =
    ([a, k]: number[]) =>
    (at: number) => {
      const e = Math.exp(-k! * at)
      return [e, -a! * at * e, 1]
    }
  const options = { initialValues: Object.values(start), jacobianFunction }
  const solve = () => library.levenbergMarquardt({ x, y }, f, options)
  const { parameterError, iterations } = solve()
  const microseconds = await time(solve, 200)
  const name = 'ml-levenberg-marquardt'
  return [{ name, microseconds, evaluations: `${iterations} steps`, sumOfSquares: parameterError }]
}

console.log(
  JSON.stringify({ x, y, timed: [await alone(), await among(), await mlLevenbergMarquardt()].flat() }),
)
