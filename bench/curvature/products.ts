import { ekfac, kfac, lossFisher, lossGaussNewton, lossHessian, lossPass } from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { type Contender, median, race, ratio, timed } from '../measure.js'
import { mnistMlp } from './networks.js'
import { seconds } from './timing.js'

/** What curvlinops' committed benchmark reports for this network on an RTX A6000: eager, compiled. */
const published: Readonly<Record<string, string>> = {
  Hessian: '5.34, 1.06',
  'Gauss-Newton': '4.09, 0.86',
  'empirical Fisher': '4.41, 1.02',
  'Monte-Carlo Fisher': '5.73, 2.15',
  'K-FAC': '1.07',
  'EK-FAC': '1.98',
  'K-FAC factors': '2.2',
  'eigendecompositions of the factors': '36.9',
  'EK-FAC factors, eigendecompositions and correction': '41.4',
}

/** The cost of each product in gradients, and of what comes before it. */
export async function productRows(rounds: number): Promise<string[]> {
  const problem = mnistMlp()
  const options = { precision: 'float32', batch: 512 } as const
  const pass = await lossPass(problem, options)
  const operators = {
    Hessian: await lossHessian(problem, options),
    'Gauss-Newton': await lossGaussNewton(problem, options),
    'empirical Fisher': await lossFisher(problem, { ...options, kind: 'empirical' }),
    'Monte-Carlo Fisher': await lossFisher(problem, { ...options, kind: 'monte-carlo' }),
    'K-FAC': await kfac(problem, { ...options, kind: 'monte-carlo' }),
    'EK-FAC': await ekfac(problem, { ...options, kind: 'monte-carlo' }),
  }
  const n = pass.problem.theta.size
  const v = new Tensor(Float32Array.from(new Random(0).normals(n)), [1, n])
  const block = new Tensor(Float32Array.from(new Random(1).normals(8 * n)), [8, n])
  const contenders = {
    gradient: timed(() => pass.run(pass.problem.theta)),
    ...Object.fromEntries(
      Object.entries(operators).map(([name, operator]) => [name, timed(() => operator.apply(v))]),
    ),
    'Hessian, one of 8 vectors at once': each(
      8,
      timed(() => operators.Hessian.apply(block)),
    ),
    'Gauss-Newton, one of 8 vectors at once': each(
      8,
      timed(() => operators['Gauss-Newton'].apply(block)),
    ),
  }
  const timings = await race(contenders, { rounds, seconds: 0.3 })
  const gradient = timings.gradient!
  const rows = Object.entries(timings).map(([name, timing]) => {
    const { median, least, most } = ratio(timing, gradient)
    return row(name, timing.median, `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`)
  })
  const factors = operators['K-FAC'].factors
  const before = {
    'K-FAC factors': () => kfac(problem, { ...options, kind: 'monte-carlo' }),
    'eigendecompositions of the factors': () => {
      for (const { inputs, outputs } of factors)
        for (const factor of [inputs, outputs]) np.eigh(np.astype(factor, 'float64'))
    },
    'EK-FAC factors, eigendecompositions and correction': () =>
      ekfac(problem, { ...options, kind: 'monte-carlo' }),
  }
  for (const [name, compute] of Object.entries(before)) {
    const times = [await seconds(compute), await seconds(compute), await seconds(compute)]
    rows.push(row(name, median(times), (median(times) / gradient.median).toFixed(1)))
  }
  await pass.dispose()
  return rows
}

/** A computation of several parts, timed for one of them. */
const each =
  (parts: number, contender: Contender): Contender =>
  async (repeats) =>
    (await contender(repeats)).map((time) => time / parts)

function row(name: string, time: number, inGradients: string): string {
  return `| ${name} | ${(1000 * time).toPrecision(3)} | ${inGradients} | ${published[name] ?? ''} |`
}
