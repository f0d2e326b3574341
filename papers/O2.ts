import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import {
  type DescentMethod,
  dampedNewton,
  fixedSize,
  gradientTest,
  type HistoryRow,
  type MinimizeOptions,
  minimize,
  newton,
  schedules,
} from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'
import { badlyScaledLogistic } from './logistic.js'
import type { Paper } from './paper.js'

const view = { view: 'dense' } as const
const universal = (beta: number): DescentMethod => ({
  descent: dampedNewton(view, schedules.universal(beta)),
  search: gradientTest({ by: 'slope', part: 1 / 2 }),
})
const root = (q: number, constant: number): DescentMethod => ({
  descent: dampedNewton(view, schedules.root(q), 1 / constant),
  search: fixedSize(),
})
const affineInvariant = (constant: number): DescentMethod => ({
  descent: dampedNewton(view, schedules.affineInvariant(), 1 / constant),
  search: fixedSize(),
})
const pure: DescentMethod = { descent: newton(view), search: fixedSize() }

const goal = 1e-10

/** Steps until the gradient is below 1e-10; infinite where it never is. */
function stepsTaken(history: readonly HistoryRow[]): number {
  const end = history.findIndex(({ optimality }) => optimality < goal)
  return end < 0 ? Infinity : history.slice(1, end + 1).filter(({ accepted }) => accepted).length
}

/** Nesterov's chain of |x_i - x_(i+1)|^4 / 4, hard for methods of second order, with a little ridge to be strictly convex. */
function chain(x: Tensor): Tensor {
  const n = x.shape[0]!
  const links = np.subtract(np.slice(x, [0, n - 1]), np.slice(x, [1, n]))
  const ends = np.add(np.sum(np.power(links, 4)), np.power(np.sum(np.slice(x, [n - 1, n])), 4))
  return np.add(
    np.subtract(np.divide(ends, 4), np.sum(np.slice(x, [0, 1]))),
    np.multiply(5e-10, np.sum(np.square(x))),
  )
}

export const paper: Paper = {
  id: 'O2',
  title: 'Damped Newton method with near-optimal global O(k^-3) convergence rate',
  authors: 'Hanzely, Abdukhakimov, Takáč',
  year: 2024,
  source: 'arXiv 2405.18926',
  claim:
    'Newton’s method with a simple stepsize converges globally as fast as k^-3, and with a backtracking of that stepsize as if ' +
    'the best constants of smoothness were known.',
  async run({ full, signal, onStep, log }) {
    const random = new Random('O2')
    const run = (f: (x: Tensor) => Tensor, start: ArrayLike<number>, options: MinimizeOptions) =>
      minimize(f, new Tensor(Float64Array.from(start)), { signal, tolerance: 0, maxSteps: 2000, ...options })
    const contenders: Record<string, DescentMethod> = {
      'universal, beta = 2/3': universal(2 / 3),
      'universal, beta = 1': universal(1),
      'root, q = 4, M = 100': root(4, 100),
      'root, q = 3, M = 100': root(3, 100),
      'affine-invariant, L = 1000': affineInvariant(1000),
      'affine-invariant, L = 10': affineInvariant(10),
      'pure Newton': pure,
    }
    const problems = full ? 10 : 2
    const steps = new Map<string, number[]>()
    for (let k = 0; k < problems; k++) {
      const { loss, start } = badlyScaledLogistic(random.split(k), 200, 30)
      for (const [i, [name, method]] of Object.entries(contenders).entries()) {
        await onStep((0.7 * (k + i / 7)) / problems, name)
        const { history } = await run(loss, start, { method, maxSteps: 400 })
        steps.set(name, [...(steps.get(name) ?? []), stepsTaken(history)])
      }
    }
    for (const [name, counts] of steps) log(`logistic regression, ${name}: ${counts.join(', ')} steps`)
    const most = (name: string) => Math.max(...steps.get(name)!)

    await onStep(0.7, 'Rosenbrock')
    const rosenbrock = (x: Tensor) => {
      const [a, b] = [np.slice(x, [0, 1]), np.slice(x, [1, 2])]
      const terms = [np.multiply(100, np.square(np.subtract(b, np.square(a)))), np.square(np.subtract(1, a))]
      return np.sum(np.concatenate(terms))
    }
    const valley = stepsTaken((await run(rosenbrock, [-1.2, 1], { method: universal(2 / 3) })).history)

    await onStep(0.75, 'the chain')
    const start = new Float64Array(full ? 60 : 30)
    const { value: least } = await run(chain, start, { method: 'trustRegionNewton' })
    const { history } = await run(chain, start, { method: universal(1), maxSteps: 400 })
    const gaps = history.filter(({ accepted }) => accepted).map(({ value }) => value - least)
    const scale = gaps[0]!
    const rises = gaps.filter((gap, k) => k > 0 && gap > gaps[k - 1]! + 1e-12 * scale).length

    const searched = Math.max(most('universal, beta = 2/3'), most('universal, beta = 1'))
    const holds =
      searched < 30 &&
      valley < 50 &&
      most('root, q = 4, M = 100') < 100 &&
      most('affine-invariant, L = 1000') < 200 &&
      rises === 0 &&
      gaps.at(-1)! < 1e-6 * scale
    const failures = (name: string) => steps.get(name)!.filter((n) => n === Infinity).length
    const steepest = gaps.findIndex((gap) => gap < 1e-6 * scale)
    return {
      figures: [
        {
          name: 'steps with backtracking, logistic regression',
          paper: null,
          measured: searched,
          note: `the most of ${problems} problems, beta = 2/3 and 1, to a gradient of 1e-10`,
        },
        {
          name: 'steps by the root schedule, q = 4, M = 100',
          paper: null,
          measured: most('root, q = 4, M = 100'),
          note: `q = 3: ${most('root, q = 3, M = 100')}; M is the best of 1, 100, 10000, tried on these problems`,
        },
        {
          name: 'steps by the affine-invariant one, L = 1000',
          paper: null,
          measured: most('affine-invariant, L = 1000'),
          note: 'the best of 1, 10, 100, 1000, tried on these problems; smaller ones fail',
        },
        {
          name: 'problems it fails on with L = 10',
          paper: null,
          measured: failures('affine-invariant, L = 10'),
          note: `of ${problems}: the constant is too small`,
        },
        { name: 'problems that pure Newton fails on', paper: null, measured: failures('pure Newton') },
        {
          name: 'steps on Rosenbrock’s function',
          paper: null,
          measured: valley,
          note: 'another implementation took 32; not convex',
        },
        {
          name: 'steps to 1e-6 of the start on a chain of fourth powers',
          paper: null,
          measured: steepest,
          note: `${start.length} unknowns, a hard case of the theory`,
        },
        { name: 'steps on which the value rose there', paper: 0, measured: rises },
      ],
      holds,
      verdict: holds
        ? 'with backtracking the stepsize needs no constants, and fewer steps than schedules with the best constants of several tried, where pure Newton diverges; the rate k^-3 itself is not tested here.'
        : 'some schedule takes more steps than it should, see the figures.',
    }
  },
}
