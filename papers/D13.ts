import { Random } from 'evolute/linalg'
import { Tensor } from 'evolute/tensor'
import { nearestNeighbourGradient } from 'evolute/transforms'
import type { Paper } from './paper.js'

/** A regression function on the cube [-1, 1]^d that depends on the first two coordinates, and its gradient. */
const regression = (x: ArrayLike<number>) => Math.sin(2 * x[0]!) + x[1]! ** 2
const slope = (x: ArrayLike<number>) => [2 * Math.cos(2 * x[0]!), 2 * x[1]!]

interface Sample {
  readonly points: Tensor
  readonly values: Tensor
}

function draw(random: Random, n: number, d: number, noise: number): Sample {
  const points = new Tensor(
    Float64Array.from({ length: n * d }, () => 2 * random.uniform() - 1),
    [n, d],
  )
  const values = Float64Array.from(
    { length: n },
    (_, i) => regression(points.data.subarray(i * d)) + noise * random.normal(),
  )
  return { points, values: new Tensor(values) }
}

/** Points at which estimates are compared, away from the edge of the cube. */
const inside = (random: Random, d: number) =>
  Float64Array.from({ length: d }, () => 1.4 * random.uniform() - 0.7)

/** The root of the mean squared error of the gradient, with as many neighbours as balance bias and noise. */
function errorOf(random: Random, n: number, d: number, noise: number, tests: number): number {
  const neighbours = Math.max(2 * d + 2, Math.round(2 * n ** (4 / (d + 4))))
  const sample = draw(random, n, d, noise)
  const estimate = nearestNeighbourGradient(sample.points, sample.values, { neighbours })
  let sum = 0
  for (let i = 0; i < tests; i++) {
    const x = inside(random, d)
    const found = Float64Array.from(estimate(new Tensor(x)).data)
    const truth = slope(x)
    sum += found.reduce((total, value, j) => total + (value - (truth[j] ?? 0)) ** 2, 0)
  }
  return Math.sqrt(sum / tests)
}

/** The share of the mean squared slopes that lies in the two coordinates that matter, of d. */
function relevance(random: Random, n: number, d: number, noise: number, tests: number): number {
  const sample = draw(random, n, d, noise)
  const estimate = nearestNeighbourGradient(sample.points, sample.values, { neighbours: Math.min(n, 12 * d) })
  const squares = new Float64Array(d)
  for (let i = 0; i < tests; i++)
    estimate(new Tensor(inside(random, d))).data.forEach((value, j) => {
      squares[j]! += value * value
    })
  const least = Math.min(squares[0]!, squares[1]!)
  return least / Math.max(...squares.subarray(2))
}

export const paper: Paper = {
  id: 'D13',
  title: 'Nearest neighbour based estimates of gradients: sharp nonasymptotic bounds and applications',
  authors: 'Ausset, Clémençon, Portier',
  year: 2020,
  source: 'arXiv 2006.15043',
  claim:
    'The gradient of a regression function is estimated from samples alone by linear fits to nearest neighbours, ' +
    'with errors that fall with the sample size, well enough to choose variables and to descend.',
  async run({ onStep, full, log }) {
    const random = new Random('D13')
    const [d, noise, tests] = [2, 0.1, 100]
    const sizes = full ? [500, 2000, 8000, 32000] : [250, 1000, 4000, 16000]
    const errors: number[] = []
    for (const [i, n] of sizes.entries()) {
      await onStep(i / (sizes.length + 2), `${n} samples`)
      errors.push(errorOf(random, n, d, noise, tests))
      log(`${n} samples: error of the gradient ${errors.at(-1)!.toFixed(3)}`)
    }
    const rate = -Math.log(errors.at(-1)! / errors[0]!) / Math.log(sizes.at(-1)! / sizes[0]!)
    await onStep(sizes.length / (sizes.length + 2), 'choice of variables')
    const margin = relevance(random, 4000, 8, noise, 60)
    await onStep((sizes.length + 1) / (sizes.length + 2), 'descent')
    const sample = draw(random, 4000, d, noise)
    const estimate = nearestNeighbourGradient(sample.points, sample.values, { neighbours: 60 })
    let x = Float64Array.of(0.3, 0.7)
    for (let step = 0; step < 60; step++) {
      const g = estimate(new Tensor(x)).data
      x = x.map((value, j) => Math.max(-1, Math.min(1, value - 0.1 * g[j]!)))
    }
    // The least value on the cube is at x = (-pi/4, 0).
    const gap = regression(x) + 1
    const holds =
      rate >= 1 / (d + 4) &&
      errors.every((error, i) => i === 0 || error < errors[i - 1]!) &&
      margin > 3 &&
      gap < noise
    return {
      figures: [
        {
          name: `error of the gradient from ${sizes.at(-1)} samples`,
          paper: null,
          measured: errors.at(-1)!,
          note: 'root of the mean square; the gradient has size 2, the noise is 0.1',
        },
        {
          name: 'rate: error ~ n^-rate',
          paper: null,
          measured: rate,
          note: `${sizes[0]} to ${sizes.at(-1)} samples, d = ${d}; theory of local linear fits: at least 1/(d + 4) = 0.167`,
        },
        {
          name: 'least slope that matters over greatest that does not',
          paper: null,
          measured: margin,
          note: 'squared; 2 of 8 variables matter',
        },
        {
          name: 'descent on samples: value above the least',
          paper: null,
          measured: gap,
          note: `60 steps on 4000 samples with noise ${noise}, from ${(regression([0.3, 0.7]) + 1).toFixed(2)}`,
        },
      ],
      holds,
      verdict: holds
        ? 'errors fall at least at the expected rate, the variables that matter stand out, and descent on samples reaches the minimum; fits are by least squares, where the paper adds an l1 penalty for high dimensions.'
        : 'errors fall too slowly, or an application fails.',
    }
  },
}
