import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, hessian } from 'evolute/transforms'
import type { Paper } from './paper.js'

type Loss = (x: Tensor) => Tensor

/** x - step(k) times what automatic differentiation calls the gradient, `steps` times; calls `visit` with each point. */
function descend(
  loss: Loss,
  start: Float64Array,
  step: (k: number) => number,
  steps: number,
  visit: (x: Float64Array, k: number) => void,
): Float64Array {
  const gradient = compileJs(grad(loss))
  const x = start.slice()
  for (let k = 0; k < steps; k++) {
    visit(x, k)
    const g = gradient(new Tensor(x.slice(), [x.length])).data
    for (let i = 0; i < x.length; i++) x[i] = x[i]! - step(k) * g[i]!
  }
  visit(x, steps)
  return x
}

/** Rows a_i and values b_i = a_i^T truth + noise, of which the last tenth are far off. */
function regression(random: Random, rows: number, truth: Float64Array) {
  const columns = truth.length
  const a = random.normals(rows * columns)
  const noise = random.normals(rows)
  const b = noise.map((e, i) => {
    const exact = truth.reduce((sum, t, j) => sum + t * a[i * columns + j]!, 0)
    return exact + (i < 0.9 * rows ? 0.1 : 3) * e
  })
  const residual = (x: Tensor) =>
    np.subtract(np.matmul(new Tensor(a, [rows, columns]), x), new Tensor(b, [rows]))
  return { a, b, rows, columns, residual }
}

type Regression = ReturnType<typeof regression>

const logCosh = (r: Tensor) => np.log(np.cosh(r))

/** The least of mean loss values, by steps that end small. */
function lowest(loss: Loss, start: Float64Array): number {
  const value = compileJs(loss)
  let least = Number.POSITIVE_INFINITY
  descend(
    loss,
    start,
    (k) => 0.5 / (1 + k / 20),
    40_000,
    (x) => {
      least = Math.min(least, value(new Tensor(x.slice(), [x.length])).item())
    },
  )
  return least
}

/** How far above its least the loss still is, at the best of the last hundred points. */
function gapAfter(loss: Loss, start: Float64Array, least: number, step: number, steps: number): number {
  const value = compileJs(loss)
  let best = Number.POSITIVE_INFINITY
  descend(
    loss,
    start,
    () => step,
    steps,
    (x, k) => {
      if (k > steps - 100) best = Math.min(best, value(new Tensor(x.slice(), [x.length])).item() - least)
    },
  )
  return best
}

/** The minimum of |A x - b|^2 / (2 rows) + penalty |x|_1 by soft thresholds (proximal gradient), which is exact. */
function lasso({ a, b, rows, columns }: Regression, penalty: number): Float64Array {
  const x = new Float64Array(columns)
  const step = 0.3
  for (let k = 0; k < 5000; k++) {
    const r = b.map((value, i) => x.reduce((sum, xj, j) => sum + xj * a[i * columns + j]!, -value))
    for (let j = 0; j < columns; j++) {
      const slope = r.reduce((sum, ri, i) => sum + ri * a[i * columns + j]!, 0) / rows
      const moved = x[j]! - step * slope
      x[j] = Math.sign(moved) * Math.max(0, Math.abs(moved) - step * penalty)
    }
  }
  return x
}

const absoluteSum = (x: Float64Array) => x.reduce((sum, value) => sum + Math.abs(value), 0)
const zeros = (x: Float64Array) => x.filter((value) => value === 0).length

/** Means along the last hundred points: of the Hessian's largest eigenvalue over 2 / step, and of the loss; its least. */
function sharpnessAtTheEnd(loss: Loss, start: Float64Array, step: number) {
  const curvature = compileJs((x: Tensor) => np.max(np.eigh(hessian(loss)(x) as Tensor).eigenvalues))
  const value = compileJs(loss)
  const ratios: number[] = []
  const losses: number[] = []
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  descend(
    loss,
    start,
    () => step,
    3000,
    (x, k) => {
      const point = new Tensor(x.slice(), [x.length])
      losses.push(value(point).item())
      if (k > 2900) ratios.push((curvature(point).item() * step) / 2)
    },
  )
  return {
    ratio: mean(ratios),
    mean: mean(losses.slice(-100)),
    least: Math.min(...losses),
  }
}

export const paper: Paper = {
  id: 'D16',
  title: 'GD doesn’t make the cut: three ways that non-differentiability affects neural network training',
  authors: 'Kumar',
  year: 2024,
  source: 'arXiv 2401.08426',
  claim:
    'Gradient methods on functions with kinks are not gradient descent: with a constant step they stop short of the minimum, a ' +
    'larger L1 penalty gives solutions of larger L1 norm and no zeros, and the edge of stability, sharpness at 2 / step, is found ' +
    'in convex Lipschitz functions too and says nothing of those with kinks.',
  async run({ onStep, full, log }) {
    const random = new Random('D16')
    const truth = random.normals(20).map((t, j) => (j < 5 ? 2 + t : 0))
    const data = regression(random, 200, truth)
    const start = new Float64Array(truth.length)
    const steps = full ? 40_000 : 8000

    await onStep(0, 'convergence')
    const smooth: Loss = (x) => np.mean(logCosh(data.residual(x)))
    const kinked: Loss = (x) => np.mean(np.abs(data.residual(x)))
    const gaps = [smooth, kinked].map((loss) => {
      const least = lowest(loss, start)
      return [0.1, 0.01].map((step) => gapAfter(loss, start, least, step, steps))
    }) as [[number, number], [number, number]]
    log(`above the minimum with steps 0.1 and 0.01: smooth ${gaps[0]}, with kinks ${gaps[1]}`)

    const penalties = [0.01, 0.1, 1, 10, 100]
    const step = 0.01
    const norms: { penalty: number; ours: number; exact: number; zeros: number; exactZeros: number }[] = []
    for (const [i, penalty] of penalties.entries()) {
      await onStep(0.4 + (0.4 * i) / penalties.length, 'L1 penalties')
      const loss: Loss = (x) =>
        np.add(
          np.multiply(0.5, np.mean(np.square(data.residual(x)))),
          np.multiply(penalty, np.sum(np.abs(x))),
        )
      const x = descend(
        loss,
        random.normals(truth.length),
        () => step,
        steps,
        () => {},
      )
      const exact = lasso(data, penalty)
      norms.push({
        penalty,
        ours: absoluteSum(x),
        exact: absoluteSum(exact),
        zeros: zeros(x),
        exactZeros: zeros(exact),
      })
    }
    for (const row of norms)
      log(
        `penalty ${row.penalty}: L1 norm ${row.ours.toPrecision(3)}, of the minimum ${row.exact.toPrecision(3)}`,
      )

    await onStep(0.8, 'sharpness')
    const steep = sharpnessAtTheEnd(smooth, random.normals(truth.length), 8)
    const flat = sharpnessAtTheEnd(kinked, random.normals(truth.length), 1)

    const [first, last] = [norms[0]!, norms.at(-1)!]
    const least = Math.min(...norms.map(({ ours }) => ours))
    const stopsShort = gaps[0].every((gap) => gap < 1e-6) && gaps[1].every((gap) => gap > 1e-5)
    const grows = last.ours > 2 * least && last.exact === 0 && norms.every((row) => row.zeros === 0)
    const hovers = Math.abs(steep.ratio - 1) < 0.05 && steep.mean > 1.01 * steep.least
    const saysNothing = flat.ratio === 0 && flat.mean > 1.01 * flat.least
    const holds = stopsShort && grows && hovers && saysNothing
    return {
      figures: [
        { name: 'left above the minimum, smooth loss, step 0.1', paper: 'to 0', measured: gaps[0][0] },
        { name: 'the same with kinks, step 0.1', paper: 'not to 0', measured: gaps[1][0] },
        { name: 'and step 0.01', paper: 'not to 0', measured: gaps[1][1] },
        { name: `L1 norm with penalty ${first.penalty}`, paper: null, measured: first.ours },
        { name: `with penalty ${last.penalty}`, paper: 'larger', measured: last.ours },
        { name: 'of the minimum itself', paper: 0, measured: last.exact },
        { name: 'weights that are 0 with that penalty, of 20', paper: 0, measured: last.zeros },
        { name: 'in the minimum itself', paper: null, measured: last.exactZeros },
        {
          name: 'sharpness over 2 / step at the end, smooth convex Lipschitz loss',
          paper: 1,
          measured: steep.ratio,
        },
        {
          name: 'its loss over the least met, mean of the end',
          paper: '> 1',
          measured: steep.mean / steep.least,
        },
        { name: 'sharpness over 2 / step with kinks', paper: 'not 1', measured: flat.ratio },
        { name: 'its loss over the least met', paper: '> 1', measured: flat.mean / flat.least },
      ],
      holds,
      verdict: holds
        ? `with kinks a tenth of the step leaves 1/${Math.round(gaps[1][0] / gaps[1][1])} of the distance to the minimum where a smooth loss leaves none, the largest penalty gives weights that are neither small nor 0, and descent stays up at sharpness 2 / step on a convex loss, at sharpness 0 on one with kinks.`
        : 'one of the three effects did not show.',
    }
  },
}
