import {
  ekfac,
  kfac,
  type LayerCurvature,
  lossFisher,
  lossGaussNewton,
  lossHessian,
  lossPass,
  type Problem,
} from 'evolute/curvature'
import { type LinearOperator, Random } from 'evolute/linalg'
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
  published: {
    Hessian: '4.94, 2.78',
    'Gauss-Newton': '2.70, 2.17',
    'empirical Fisher': '2.70',
    'Monte-Carlo Fisher': '2.72',
    'K-FAC': '0.14',
    'K-FAC factors': '2.7',
  },
})

const gpt = (): Network => ({
  problem: nanoGpt(1, 64),
  batch: 1,
  large: true,
  published: {
    Hessian: '4.53, 2.90',
    'Gauss-Newton': '3.13, 2.12',
    'empirical Fisher': '3.16',
    'Monte-Carlo Fisher': '3.24',
    'K-FAC': '0.17',
    'K-FAC factors': '1.6',
  },
})

/**
 * Whether a parameter counts for K-FAC: those of matrix products and convolutions, as in curvlinops' benchmark, which leaves
 * out normalisations, embeddings and GPT-2's read-out.
 */
const isOfLayer = (name: string) => /\b(kernel|weight|bias)$/.test(name)

/** The operators in question, each made when it is asked for. */
function operatorsOf({ problem, batch, large }: Network) {
  const options = { precision: 'float32', batch, memoryBytes: 16e9, ...(large && { block: 1 }) } as const
  const monteCarlo = { ...options, kind: 'monte-carlo' } as const
  const ofLayers = { ...monteCarlo, parameters: isOfLayer }
  return {
    pass: () => lossPass(problem, options),
    products: {
      Hessian: () => lossHessian(problem, options),
      'Gauss-Newton': () => lossGaussNewton(problem, options),
      'empirical Fisher': () => lossFisher(problem, { ...options, kind: 'empirical' }),
      'Monte-Carlo Fisher': () => lossFisher(problem, monteCarlo),
      'K-FAC': () => kfac(problem, ofLayers),
      ...(large ? {} : { 'EK-FAC': () => ekfac(problem, ofLayers) }),
    } as Record<string, () => Promise<LinearOperator & { dispose?(): Promise<void> }>>,
  }
}

const vectors = (k: number, n: number) => new Tensor(Float32Array.from(new Random(k).normals(k * n)), [k, n])

const row = ({ published }: Network, name: string, time: number, inGradients: string) =>
  `| ${name} | ${(1000 * time).toPrecision(3)} | ${inGradients} | ${published[name] ?? ''} |`

function ratioRow(network: Network, name: string, timing: Timing, gradient: Timing): string {
  const { median, least, most } = ratio(timing, gradient)
  return row(network, name, timing.median, `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`)
}

/** The cost of each product in gradients, and of what comes before it. */
async function productRows(network: Network, rounds: number): Promise<string[]> {
  const { pass: makePass, products } = operatorsOf(network)
  const pass = await makePass()
  const n = pass.problem.theta.size
  const [v, block] = [vectors(1, n), vectors(8, n)]
  const contenders: Record<string, Contender> = { gradient: timed(() => pass.run(pass.problem.theta)) }
  const made = await Promise.all(
    Object.entries(products).map(async ([name, make]) => [name, await make()] as const),
  )
  for (const [name, operator] of made) contenders[name] = timed(() => operator.apply(v))
  for (const [name, operator] of made.slice(0, 2))
    contenders[`${name}, one of 8 vectors at once`] = each(
      8,
      timed(() => operator.apply(block)),
    )
  const timings = await race(contenders, { rounds, seconds: 0.3 })
  const gradient = timings.gradient!
  const rows = Object.entries(timings).map(([name, timing]) => ratioRow(network, name, timing, gradient))
  const { factors } = (await products['K-FAC']!()) as LayerCurvature
  const before = {
    'K-FAC factors': products['K-FAC']!,
    'eigendecompositions of the factors': () => {
      for (const { inputs, outputs } of factors)
        for (const factor of [inputs, outputs]) np.eigh(np.astype(factor, 'float64'))
    },
    'EK-FAC factors, eigendecompositions and correction': products['EK-FAC']!,
  }
  for (const [name, compute] of Object.entries(before)) {
    const time = median([await seconds(compute), await seconds(compute), await seconds(compute)])
    rows.push(row(network, name, time, (time / gradient.median).toFixed(1)))
  }
  await pass.dispose()
  for (const [, operator] of made) await operator.dispose?.()
  return rows
}

/** The same for a network whose products take seconds and whose operators do not fit into memory together. */
async function largeRows(network: Network): Promise<string[]> {
  const { pass: makePass, products } = operatorsOf(network)
  const pass = await makePass()
  const gradient = timed(() => pass.run(pass.problem.theta))
  const rows: string[] = []
  for (const [name, make] of Object.entries(products)) {
    let operator!: Awaited<ReturnType<typeof make>>
    const time = await seconds(async () => {
      operator = await make()
    })
    const v = vectors(1, operator.columns)
    const timings = await raceOnce({ gradient, product: timed(() => operator.apply(v)) })
    if (rows.length === 0) rows.push(ratioRow(network, 'gradient', timings.gradient!, timings.gradient!))
    rows.push(ratioRow(network, name, timings.product!, timings.gradient!))
    if (name === 'K-FAC')
      rows.push(row(network, 'K-FAC factors', time, (time / timings.gradient!.median).toFixed(1)))
    await operator.dispose?.()
  }
  await pass.dispose()
  return rows
}

export const networkRows = {
  mlp: (rounds: number) => productRows(mlp(), rounds),
  resNet18: () => largeRows(resNet18()),
  resNet50: () => largeRows(resNet50()),
  gpt: () => largeRows(gpt()),
}

/** Three rounds of one run each, in turns, after one to warm up. */
async function raceOnce<K extends string>(
  contenders: Readonly<Record<K, Contender>>,
): Promise<Record<K, Timing>> {
  const names = Object.keys(contenders) as K[]
  const times = new Map<K, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < 4; round++)
    for (const name of names) {
      const [time] = (await contenders[name](1)) as [number]
      if (round > 0) times.get(name)!.push(time)
    }
  const timings = names.map((name): [K, Timing] => {
    const rounds = times.get(name)!
    return [name, { median: median(rounds), rounds }]
  })
  return Object.fromEntries(timings) as Record<K, Timing>
}

/** A computation of several parts, timed for one of them. */
const each =
  (parts: number, contender: Contender): Contender =>
  async (repeats) =>
    (await contender(repeats)).map((time) => time / parts)
