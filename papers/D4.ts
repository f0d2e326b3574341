import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { differentialOperator, jetExpansion, laplacian } from 'evolute/transforms'
import { type Context, type Figure, type Paper, timeInTurns } from './paper.js'
import { byNesting, byTaylorMode } from './stde/laplacians.js'
import { initialLayers, network } from './stde/network.js'
import { ballProblem, type Problem } from './stde/problem.js'
import { published, publishedDimensions, publishedRates } from './stde/published.js'
import { ballPoints } from './stde/sampling.js'
import { firstStep } from './stde/step.js'
import { type Trained, train } from './stde/training.js'

const samples = 16

function problemOf(dimension: number): Problem {
  const c = Float32Array.from(new Random(`D4/${dimension}`).normals(dimension - 1))
  return ballProblem('Allen-Cahn', 'two-body', new Tensor(c, [dimension - 1]))
}

/** Relative difference of the exact Laplacian and the mean, over all axes, of its estimates from one. */
function biasOf(): number {
  const d = 10
  const layers = initialLayers(new Random('D4/bias'), [d, 16, 16, 1])
  const x = ballPoints(new Random('D4/points'), 1, d)
  const exact = laplacian((x: Tensor) => network(layers, x))(np.take(x, 0, { axis: 0 })).item()
  const each = Array.from({ length: d }, (_, i) =>
    byTaylorMode(layers, x, np.array(Int32Array.of(i))).laplacian.item(),
  )
  return Math.abs(each.reduce((sum, value) => sum + value, 0) / d / exact - 1)
}

/** The mean estimate of the biharmonic of |x|^4 in d dimensions over its value 8 d (d + 2). */
function biharmonicScale(d: number): number {
  const orders = Array.from({ length: d * d }, (_, k) => {
    const both = new Array<number>(d).fill(0)
    both[Math.floor(k / d)]! += 2
    both[k % d]! += 2
    return { coefficient: 1, orders: both }
  })
  const f = (x: Tensor) => np.square(np.dot(x, x))
  const L = differentialOperator(f, orders, { estimator: 'dense', samples: 40_000 })
  return L(new Float64Array(d).fill(0.3), L.sample(new Random('D4/biharmonic'))).item() / (8 * d * (d + 2))
}

/** The time of a step by another way over that by STDE, as the paper reports it. */
function publishedRatio(way: keyof typeof publishedRates, dimension: number): number | null {
  const rate = publishedRates[way][publishedDimensions.indexOf(dimension)]
  const own = published('Allen-Cahn', 'two-body', samples, dimension).rate
  return rate && own ? own / rate : null
}

interface Size {
  readonly dimension: number
  readonly steps: number
}

async function trainAll(sizes: readonly Size[], { signal, onStep }: Context): Promise<Trained[]> {
  const results: Trained[] = []
  for (const [i, { dimension, steps }] of sizes.entries())
    results.push(
      await train(problemOf(dimension), byTaylorMode, {
        samples,
        steps,
        seed: 0,
        testPoints: 2000,
        signal,
        async onStep(step) {
          if (step % 25 === 0)
            await onStep((0.8 * (i + step / steps)) / sizes.length, `d = ${dimension}, step ${step}`)
        },
      }),
    )
  return results
}

/** Times and memory of a step by the other ways over those of STDE. */
async function ratios(dimension: number, each: () => Promise<void>) {
  const problem = problemOf(dimension)
  const sampled = firstStep(problem, byTaylorMode, samples)
  const nested = firstStep(problem, byNesting, samples)
  const exact = firstStep(problem, byTaylorMode, dimension)
  const seconds = await timeInTurns({ sampled: sampled.run, nested: nested.run, exact: exact.run }, 3, each)
  return {
    nested: seconds.nested / seconds.sampled,
    exact: seconds.exact / seconds.sampled,
    memory: exact.peakBytes / sampled.peakBytes,
  }
}

/** An error is in the paper's range when it is at most this many times the published one. */
const range = 3

function verdictOf({ near, faster, unbiased }: Record<'near' | 'faster' | 'unbiased', boolean>) {
  if (!unbiased) return 'the estimates are biased.'
  if (!near)
    return `an error is more than ${range} times the published one, or not below half that of one number.`
  if (!faster) return 'sampled steps are not faster than others by a factor that grows with the dimension.'
  return (
    `errors are at most ${range} times the published ones, and a sampled step is faster than nested and exact ` +
    'differentiation by a factor that grows with the dimension; 100,000 dimensions and more are left to a GPU (bench/STDE.md).'
  )
}

export const paper: Paper = {
  id: 'D4',
  title:
    'Stochastic Taylor derivative estimator: efficient amortization for arbitrary differential operators',
  authors: 'Shi, Hu, Lin, Kawaguchi',
  year: 2024,
  source: 'arXiv 2412.00088',
  claim:
    'Random jets estimate any differential operator without bias at a cost that does not grow with the dimension, so that ' +
    'networks solve differential equations in thousands of dimensions, faster than by nested or exact differentiation.',
  async run(context) {
    const { full, onStep } = context
    const sizes: Size[] = full
      ? [100, 1000, 10_000].map((dimension) => ({ dimension, steps: 10_000 }))
      : [
          { dimension: 100, steps: 2000 },
          { dimension: 1000, steps: 10_000 },
        ]
    const bias = biasOf()
    const biharmonic = biharmonicScale(3)
    const mixed = jetExpansion(
      [null, null, [1, 0, 0], [0, 1, 0], null, null, [0, 0, 1], ...Array(6).fill(null)],
      13,
    )
    const trained = await trainAll(sizes, context)
    const [small, large] = [100, 1000]
    const [before, after] = [
      await ratios(small, () => onStep(0.8, `times at d = ${small}`)),
      await ratios(large, () => onStep(0.9, `times at d = ${large}`)),
    ]
    const theirs = sizes.map(
      ({ dimension }) => published('Allen-Cahn', 'two-body', samples, dimension).error!,
    )
    const near = trained.every(
      ({ error, constantError }, i) => error <= range * theirs[i]! && error < constantError / 2,
    )
    const faster =
      before.nested > 1 && before.exact > 1 && after.exact > 2 * before.exact && after.nested > before.nested
    const unbiased = bias < 1e-5 && Math.abs(biharmonic - 1) < 0.05
    const timed = (way: 'nested' | 'exact', name: keyof typeof publishedRates): Figure[] =>
      [[small, before] as const, [large, after] as const].map(([d, ratio]) => ({
        name: `time of ${way === 'nested' ? 'forward over backward' : 'the forward Laplacian'} over that of STDE, d = ${d}`,
        paper: publishedRatio(name, d),
        measured: ratio[way],
      }))
    return {
      figures: [
        ...trained.flatMap(({ error, constantError }, i): Figure[] => [
          {
            name: `relative error, two-body Allen-Cahn, d = ${sizes[i]!.dimension}`,
            paper: theirs[i]!,
            measured: error,
            note: `${sizes[i]!.steps} steps, |J| = ${samples}`,
          },
          {
            name: 'of the best multiple of 1 - |x|^2',
            paper: null,
            measured: constantError,
            note: 'what a network reaches that has learnt one number',
          },
        ]),
        ...timed('nested', 'forward over backward'),
        ...timed('exact', 'forward Laplacian'),
        {
          name: `memory of the forward Laplacian over that of STDE, d = ${large}, forecast`,
          paper: 913 / 481,
          measured: after.memory,
          note: 'the paper: of all that the GPU held',
        },
        {
          name: 'bias of the sampled Laplacian',
          paper: 0,
          measured: bias,
          note: 'relative, float32',
        },
        {
          name: 'estimated biharmonic over its value',
          paper: 1,
          measured: biharmonic,
          note: 'its prefactor is 1/(3 N); the d/(3 N) of equation 88 would give 3',
        },
        {
          name: 'derivatives in the 13th of the jet v3 = x, v4 = y, v7 = t',
          paper: 1,
          measured: mixed.length,
          note: 'u_xxxy and u_xxt; the planner subtracts or rejects what the recipe leaves in',
        },
      ],
      holds: near && faster && unbiased,
      verdict: verdictOf({ near, faster, unbiased }),
    }
  },
}
