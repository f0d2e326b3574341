import {
  ekfac,
  kfac,
  lossFisher,
  lossGaussNewton,
  lossHessian,
  lossPass,
  type Problem,
} from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { type Contender, median, race, ratio, type Timing, timed } from '../measure.js'
import { nanoGpt } from './gpt.js'
import { mnistMlp } from './networks.js'
import { cifarResNet18, imageNetResNet50 } from './resnet.js'
import { seconds } from './timing.js'

/** A network of curvlinops' committed benchmark, and what that reports for it on an RTX A6000: eager, compiled. */
interface Network {
  readonly problem: Problem
  readonly batch: number
  readonly published: Readonly<Record<string, string>>
  /** Whether a product takes seconds: it is then timed once in each of three rounds, and no factor is decomposed. */
  readonly large: boolean
  /** Whether K-FAC is left out: its factors would not fit into memory. */
  readonly withoutLayers?: boolean
}

const mlp = (): Network => ({
  problem: mnistMlp(),
  batch: 512,
  large: false,
  published: {
    Hessian: '5.34, 1.06',
    'Gauss-Newton': '4.09, 0.86',
    'empirical Fisher': '4.41, 1.02',
    'Monte-Carlo Fisher': '5.73, 2.15',
    'K-FAC': '1.07',
    'EK-FAC': '1.98',
    'K-FAC factors': '2.2',
    'eigendecompositions of the factors': '36.9',
    'EK-FAC factors, eigendecompositions and correction': '41.4',
  },
})

const resNet18 = (): Network => ({
  problem: cifarResNet18(16),
  batch: 16,
  large: true,
  published: {
    Hessian: '7.87, 2.25',
    'Gauss-Newton': '2.55, 1.59',
    'empirical Fisher': '2.60, 1.68',
    'Monte-Carlo Fisher': '2.84, 2.08',
    'K-FAC': '0.59',
    'K-FAC factors': '5.8',
  },
})

const resNet50 = (): Network => ({
  problem: imageNetResNet50(1),
  batch: 1,
  large: true,
  withoutLayers: true,
  published: {
    Hessian: '4.94, 2.78',
    'Gauss-Newton': '2.70, 2.17',
    'empirical Fisher': '2.70',
    'Monte-Carlo Fisher': '2.72',
  },
})

const gpt = (): Network => ({
  problem: nanoGpt(1, 64),
  batch: 1,
  large: true,
  withoutLayers: true,
  published: {
    Hessian: '4.53, 2.90',
    'Gauss-Newton': '3.13, 2.12',
    'empirical Fisher': '3.16',
    'Monte-Carlo Fisher': '3.24',
  },
})

/** The cost of each product in gradients, and of what comes before it. */
async function productRows(network: Network, rounds: number): Promise<string[]> {
  const { problem, batch, published, large, withoutLayers } = network
  const options = { precision: 'float32', batch, memoryBytes: 16e9, ...(large && { block: 1 }) } as const
  const monteCarlo = { ...options, kind: 'monte-carlo' } as const
  const row = (name: string, time: number, inGradients: string) =>
    `| ${name} | ${(1000 * time).toPrecision(3)} | ${inGradients} | ${published[name] ?? ''} |`
  const pass = await lossPass(problem, options)
  const layers = withoutLayers ? undefined : await kfac(problem, monteCarlo)
  const operators = {
    Hessian: await lossHessian(problem, options),
    'Gauss-Newton': await lossGaussNewton(problem, options),
    'empirical Fisher': await lossFisher(problem, { ...options, kind: 'empirical' }),
    'Monte-Carlo Fisher': await lossFisher(problem, monteCarlo),
    ...(layers && { 'K-FAC': layers }),
    ...(large ? {} : { 'EK-FAC': await ekfac(problem, monteCarlo) }),
  }
  const n = pass.problem.theta.size
  const vectors = (k: number) => new Tensor(Float32Array.from(new Random(k).normals(k * n)), [k, n])
  const [v, block] = [vectors(1), large ? undefined : vectors(8)]
  const contenders: Record<string, Contender> = {
    gradient: timed(() => pass.run(pass.problem.theta)),
    ...Object.fromEntries(
      Object.entries(operators).map(([name, operator]) => [name, timed(() => operator.apply(v))]),
    ),
  }
  if (block)
    for (const name of ['Hessian', 'Gauss-Newton'] as const)
      contenders[`${name}, one of 8 vectors at once`] = each(
        8,
        timed(() => operators[name].apply(block)),
      )
  const timings = large ? await raceOnce(contenders) : await race(contenders, { rounds, seconds: 0.3 })
  const gradient = timings.gradient!
  const rows = Object.entries(timings).map(([name, timing]) => {
    const { median, least, most } = ratio(timing, gradient)
    return row(name, timing.median, `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`)
  })
  const before: Record<string, () => unknown> = {}
  if (layers) before['K-FAC factors'] = () => kfac(problem, monteCarlo)
  if (layers && !large) {
    before['eigendecompositions of the factors'] = () => {
      for (const { inputs, outputs } of layers.factors)
        for (const factor of [inputs, outputs]) np.eigh(np.astype(factor, 'float64'))
    }
    before['EK-FAC factors, eigendecompositions and correction'] = () => ekfac(problem, monteCarlo)
  }
  for (const [name, compute] of Object.entries(before)) {
    const times = [await seconds(compute), await seconds(compute), await seconds(compute)]
    rows.push(row(name, median(times), (median(times) / gradient.median).toFixed(1)))
  }
  for (const { dispose } of [pass, operators.Hessian, operators['Gauss-Newton']]) await dispose()
  return rows
}

export const mlpRows = (rounds: number) => productRows(mlp(), rounds)

export const largeRows = {
  resnet18: () => productRows(resNet18(), 3),
  resnet50: () => productRows(resNet50(), 3),
  gpt: () => productRows(gpt(), 3),
}

/** Three rounds of one run each, in turns, after one to warm up. */
async function raceOnce(contenders: Readonly<Record<string, Contender>>): Promise<Record<string, Timing>> {
  const times: Record<string, number[]> = {}
  for (let round = 0; round < 4; round++)
    for (const [name, contender] of Object.entries(contenders)) {
      const [time] = (await contender(1)) as [number]
      if (round > 0) times[name] = [...(times[name] ?? []), time]
    }
  return Object.fromEntries(
    Object.entries(times).map(([name, rounds]) => [name, { median: median(rounds), rounds }]),
  )
}

/** A computation of several parts, timed for one of them. */
const each =
  (parts: number, contender: Contender): Contender =>
  async (repeats) =>
    (await contender(repeats)).map((time) => time / parts)
