import { learningRateLaw } from 'evolute/curvature'
import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, jacobian } from 'evolute/transforms'
import type { Context, Paper } from './paper.js'
import { type Features, largestRate, randomFeatures, sharpestDirection, trace } from './secondMoments.js'

const [samples, inputs, hidden] = [20, 5, 20]
const parameters = hidden * (inputs + 2)

/** A tanh network of one hidden layer that can fit all its samples: 140 weights for 20 random values. */
function regression(random: Random) {
  const x = new Tensor(random.normals(samples * inputs), [samples, inputs])
  const y = new Tensor(random.normals(samples))
  const network = (w: Tensor, x: Tensor) => {
    const [first, bias, second] = np.split(w, [hidden * inputs, hidden * (inputs + 1)])
    const units = np.tanh(np.add(np.matmul(x, np.reshape(first!, [inputs, hidden])), bias!))
    return np.matmul(units, second!)
  }
  const loss = (w: Tensor, x: Tensor, y: Tensor) =>
    np.multiply(0.5, np.mean(np.square(np.subtract(network(w, x), y))))
  const [value, slope] = [compileJs(loss), compileJs(grad(loss))]
  const features = compileJs(jacobian((w: Tensor) => network(w, x)))
  const each = Array.from({ length: samples }, (_, i) => [
    new Tensor(x.data.slice(i * inputs, (i + 1) * inputs), [1, inputs]),
    new Tensor(y.data.slice(i, i + 1)),
  ]) as [Tensor, Tensor][]
  return {
    loss: (w: Float64Array) => value(new Tensor(w), x, y).item(),
    /** w moved in place, against the gradient of all samples or of one. */
    descend(w: Float64Array, rate: number, sample?: number) {
      const [some, targets] = sample === undefined ? [x, y] : each[sample]!
      const { data } = slope(new Tensor(w), some, targets)
      for (let i = 0; i < w.length; i++) w[i]! -= rate * data[i]!
    },
    /** Trace and largest eigenvalue of the Hessian where all samples are fitted: those of J J^T / n. */
    curvature(w: Float64Array) {
      const j = features(new Tensor(w)) as Tensor
      const eigenvalues = np.eigvalsh(np.divide(np.matmul(j, np.transpose(j)), samples)).data as Float64Array
      return { trace: eigenvalues.reduce((a, b) => a + b), sharpness: eigenvalues.at(-1)! }
    },
  }
}

type Regression = ReturnType<typeof regression>

/** Small steps along the whole gradient until all is fitted: a minimum that nothing has chosen for being flat. */
async function interpolate(
  problem: Regression,
  random: Random,
  onStep: () => Promise<void>,
): Promise<Float64Array> {
  const deviation = (i: number) => (i < hidden * inputs ? 0.6 : i < hidden * (inputs + 1) ? 0.3 : 1.5)
  const w = Float64Array.from({ length: parameters }, (_, i) => deviation(i) * random.normal())
  while (problem.loss(w) > 1e-10) {
    await onStep()
    const rate = 0.5 / problem.curvature(w).sharpness
    for (let i = 0; i < 500; i++) problem.descend(w, rate)
  }
  return w
}

/** Trace and sharpness, over 2 / eta, where descent from a point beside the minimum ends. */
interface End {
  readonly trace: number
  readonly sharpness: number
  readonly loss: number
}

interface Run {
  /** tr(H) of the minimum over 2 / eta. */
  readonly start: number
  readonly stochastic: End
  readonly whole: End
}

async function leave(problem: Regression, random: Random, context: Context): Promise<Run[]> {
  const steps = context.full ? 200_000 : 40_000
  const minimum = await interpolate(problem, random, () => context.onStep(0.3, 'fit'))
  const { trace } = problem.curvature(minimum)
  const beside = minimum.map((x) => x + 1e-3 * random.normal())
  const starts = [0.3, 0.7, 1.5, 3, 5]
  const runs: Run[] = []
  for (const [i, start] of starts.entries()) {
    const rate = (2 * start) / trace
    const run = async (count: number, sample: () => number | undefined): Promise<End> => {
      const w = beside.slice()
      for (let step = 0; step < count; step++) {
        if (step % 1000 === 0) await context.onStep(0.4 + (0.6 * i) / starts.length, 'descent')
        problem.descend(w, rate, sample())
      }
      const end = problem.curvature(w)
      return { trace: (end.trace * rate) / 2, sharpness: (end.sharpness * rate) / 2, loss: problem.loss(w) }
    }
    runs.push({
      start,
      stochastic: await run(steps, () => Math.floor(random.uniform() * samples)),
      whole: await run(steps / 4, () => undefined),
    })
  }
  return runs
}

/** The learning rate of the library's law for rows of length 1, over the exact one. */
function lawRatio(features: Features, batch: number): number {
  const { sharpness, noise } = sharpestDirection(features)
  const exactly = (estimate: number) => ({ estimate, standardError: 0 })
  const law = learningRateLaw(
    { sharpness: exactly(sharpness), noise: exactly(noise), samples: 1e12 },
    { batches: [batch] },
  )
  return law.points[0]!.learningRate.estimate / largestRate(features, batch)
}

export const paper: Paper = {
  id: 'C3',
  title: 'The implicit regularization of dynamical stability in stochastic gradient descent',
  authors: 'Wu, Su',
  year: 2023,
  source: 'arXiv 2305.17490',
  claim:
    'At a minimum that fits all data and at which stochastic gradient descent can stay, the trace of the Hessian is at most ' +
    '2 / eta; gradient descent limits only the largest eigenvalue, and so stays at far sharper minima.',
  async run(context) {
    const random = new Random('C3')
    await context.onStep(0, 'exact thresholds')
    const unit = randomFeatures(random, 40, 8, true)
    const exact = (largestRate(unit, 1) * trace(unit)) / 2
    await context.onStep(0.1, 'exact thresholds')
    const normal = randomFeatures(random, 40, 8, false)
    const uneven = (largestRate(normal, 1) * trace(normal)) / 2
    await context.onStep(0.2, 'exact thresholds')
    const law = [1, 4].map((batch) => lawRatio(unit, batch))
    const runs = await leave(regression(random), random, context)
    for (const { start, stochastic, whole } of runs)
      context.log(
        `tr(H) eta / 2 = ${start} at the minimum; stochastic: ${stochastic.trace.toFixed(3)}, loss ${stochastic.loss.toExponential(0)}; ` +
          `whole gradient: ${whole.trace.toFixed(3)}, sharpness eta / 2 = ${whole.sharpness.toFixed(3)}, loss ${whole.loss.toExponential(0)}`,
      )
    const unstable = runs.filter(({ start }) => start > 1)
    const most = (of: readonly Run[], value: (run: Run) => number) => Math.max(...of.map(value))
    const [flattest] = runs as [Run, ...Run[]]
    const moved = Math.abs(flattest.stochastic.trace / flattest.start - 1)
    const traceAfter = most(unstable, ({ stochastic }) => stochastic.trace)
    const traceWhole = Math.min(...unstable.map(({ whole }) => whole.trace))
    const sharpWhole = most(unstable, ({ whole }) => whole.sharpness)
    const loss = most(runs, ({ stochastic, whole }) => Math.max(stochastic.loss, whole.loss))
    const holds =
      Math.abs(exact - 1) < 1e-6 &&
      uneven < 1 &&
      moved < 0.02 &&
      traceAfter < 1 &&
      traceWhole > 1 &&
      sharpWhole < 1 &&
      loss < 1e-10
    return {
      figures: [
        {
          name: 'tr(H) eta / 2 where second moments begin to grow, samples of equal length',
          paper: '<= 1',
          measured: exact,
          note: 'one sample a step; the bound is met exactly',
        },
        {
          name: 'the same, normal samples',
          paper: '<= 1',
          measured: uneven,
        },
        {
          name: 'learning rate of the law over the exact one, 1 sample a step',
          paper: null,
          measured: law[0]!,
          note: 'learningRateLaw with the exact sharpness and noise',
        },
        { name: 'the same, 4 samples', paper: null, measured: law[1]! },
        {
          name: 'tr(H) eta / 2 after stochastic descent, from 1.5, 3 and 5',
          paper: '<= 1',
          measured: traceAfter,
          note: `the largest; ${parameters} weights, ${samples} samples, all fitted in the end (loss below ${loss.toExponential(0)})`,
        },
        {
          name: 'the same, by the whole gradient',
          paper: null,
          measured: traceWhole,
          note: `the smallest; its largest eigenvalue, over 2 / eta, is up to ${sharpWhole.toFixed(2)}`,
        },
        {
          name: 'change of tr(H) from 0.3, relative',
          paper: null,
          measured: moved,
          note: 'the bound is necessary, not sufficient: nearer to it stochastic descent may leave, too',
        },
      ],
      holds,
      verdict: holds
        ? 'stochastic descent left every minimum whose trace was above 2 / eta for one below, and stayed at the flattest; the whole gradient stayed while the largest eigenvalue was below 2 / eta. For samples of equal length the bound is the exact threshold.'
        : 'a minimum with a larger trace was kept, or the flattest one left.',
    }
  },
}
