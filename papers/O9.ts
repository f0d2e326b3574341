import { Random } from 'evolute/linalg'
import { consensusBased, type MinimizeOptions, minimize } from 'evolute/optimize'
import { brent } from './brent.js'
import type { Paper } from './paper.js'

/** Each parameter's range, from 0 to 1, is to be narrowed to this. */
const accuracy = 0.01
const n = 3
const truth = [0.3712, 0.5237, 0.6149]

/** The dip of an eclipse at a phase: its depth, centre and width are the parameters, each scaled to 0 ... 1. */
function brightness(phase: number, parameters: ArrayLike<number>): number {
  const [depth, centre, width] = Array.from(parameters)
  const distance = (phase - centre!) / (0.05 + 0.3 * width!)
  return 1 - depth! * Math.exp(-0.5 * distance * distance)
}

const phases = Array.from({ length: 50 }, (_, k) => k / 49)
const data = phases.map((phase) => brightness(phase, truth))
/** The mean square of the deviations. */
const deviation = (x: ArrayLike<number>) =>
  phases.reduce((sum, phase, k) => sum + (brightness(phase, x) - data[k]!) ** 2, 0) / phases.length

/** The function, counting its calls until the first within the accuracy. */
function counted(signal: AbortSignal) {
  let [calls, needed] = [0, Infinity]
  const reached = new AbortController()
  return {
    stop: AbortSignal.any([signal, reached.signal]),
    get needed() {
      return needed
    },
    f(x: ArrayLike<number>): number {
      calls++
      if (needed === Infinity && Array.from(x).every((v, i) => Math.abs(v - truth[i]!) <= accuracy)) {
        needed = calls
        reached.abort(found)
      }
      return deviation(x)
    },
  }
}

const found = new Error('within the accuracy')
type Counted = ReturnType<typeof counted>
type Search = (problem: Counted, start: readonly number[], random: Random) => Promise<unknown>

const grid: Search = async ({ f, stop }) => {
  const points = Math.ceil(1 / (2 * accuracy))
  const at = (k: number) => (k + 0.5) / points
  for (let k = 0; k < points ** n && !stop.aborted; k++)
    f([at(k % points), at(Math.floor(k / points) % points), at(Math.floor(k / points ** 2))])
}

const monteCarlo: Search = async ({ f, stop }, _, random) => {
  for (let k = 0; k < 2e6 && !stop.aborted; k++) f([random.uniform(), random.uniform(), random.uniform()])
}

/** One parameter after another, each to its minimum by Brent's method. */
const coordinates: Search = async ({ f, stop }, start) => {
  const x = [...start]
  for (let k = 0; k < 300 && !stop.aborted; k++) {
    const i = k % n
    const along = (t: number) => f(x.map((v, j) => (j === i ? t : v)))
    x[i] = await brent(along, 0, 1, accuracy / 10)
  }
}

/** Down the gradient, by forward differences, to the minimum on the way. */
const steepest: Search = async ({ f, stop }, start) => {
  let x = [...start]
  for (let k = 0; k < 300 && !stop.aborted; k++) {
    const here = f(x)
    const slope = x.map((v, i) => (f(x.map((w, j) => (j === i ? v + 1e-6 : w))) - here) / 1e-6)
    const length = Math.hypot(...slope)
    const way = (t: number) => x.map((v, i) => Math.min(Math.max(v - (t * slope[i]!) / length, 0), 1))
    x = way(await brent((t) => f(way(t)), 0, 1, accuracy / 10))
  }
}

const ours =
  (options: MinimizeOptions): Search =>
  ({ f, stop }, start) =>
    minimize(f as never, [...start], { gradient: 'finiteDifferences', signal: stop, ...options })

const searches: Record<string, Search> = {
  grid,
  'Monte Carlo': monteCarlo,
  'one by one, Brent': coordinates,
  'steepest descent': steepest,
  'conjugate gradients': ours({ method: 'conjugateGradient' }),
  'L-BFGS-B': ours({ method: 'lbfgsb', bounds: [0, 1] }),
  'Nelder-Mead': ours({ method: 'nelderMead', bounds: [0, 1] }),
  consensus: (problem, start, random) =>
    ours({ method: consensusBased({ particles: 30, seed: `${random.uniform()}` }), bounds: [0, 1] })(
      problem,
      start,
      random,
    ),
}

export const paper: Paper = {
  id: 'O9',
  title: 'Comparative analysis of numerical methods for parameter determination',
  authors: 'Andronov, Tkachenko',
  year: 2013,
  source: 'in Częstochowski Kalendarz Astronomiczny 2014',
  claim:
    'Counted in evaluations of a slow function to a given accuracy, brute force and Monte Carlo cost most, methods that go downhill ' +
    'along lines far less.',
  async run({ full, signal, onStep, log }) {
    const runs = full ? 30 : 5
    const random = new Random('O9')
    const starts = Array.from({ length: runs }, (_, k) => {
      const draw = random.split(`start ${k}`)
      return truth.map((x) => x + 0.3 * (draw.uniform() - 0.5))
    })
    const medians: Record<string, number> = {}
    const names = Object.keys(searches)
    for (const [i, name] of names.entries()) {
      const needed: number[] = []
      for (const [k, start] of starts.entries()) {
        await onStep((i + k / runs) / names.length, name)
        const problem = counted(signal)
        await searches[name]!(problem, start, random.split(`${name} ${k}`)).catch((error: unknown) => {
          if (error !== found) throw error
        })
        needed.push(problem.needed)
      }
      medians[name] = needed.sort((a, b) => a - b)[runs >> 1]!
      log(`${name}: ${needed.join(', ')} evaluations`)
    }
    const blind = Math.min(medians.grid!, medians['Monte Carlo']!)
    const downhill = names.filter((name) => !['grid', 'Monte Carlo', 'consensus'].includes(name))
    const slowest = Math.max(...downhill.map((name) => medians[name]!))
    const holds = slowest < blind / 20
    return {
      figures: names.map((name) => ({
        name: `evaluations: ${name}`,
        paper: null,
        measured: medians[name]!,
        note:
          name === 'grid'
            ? `median of ${runs} starts until 3 parameters of an eclipse are known to 1% of their range`
            : '',
      })),
      holds,
      verdict: holds
        ? `every method that goes downhill needs at most 1/${Math.floor(blind / slowest)} of the evaluations of blind search; the light curve of AM Leo is not shipped, so a synthetic eclipse stands for it.`
        : 'some method that goes downhill needs as many evaluations as blind search, or does not get there.',
    }
  },
}
