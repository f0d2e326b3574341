import { compile } from 'evolute/engines'
import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { forwardGradient, grad, jvp, valueAndGrad } from 'evolute/transforms'
import {
  accuracy,
  batchOf,
  type Digits,
  digits,
  initialWeights,
  network,
  pixels,
  type Weights,
} from './digitNetwork.js'
import { type Context, type Paper, timeInTurns } from './paper.js'

const loss = (weights: Weights, { images, labels }: Digits) =>
  np.crossEntropy(network(weights, images, np.relu), labels)

const directionLike = (random: Random, weights: Weights): Weights =>
  weights.map((w) => new Tensor(Float32Array.from(random.normals(w.size)), w.shape))

/** w + scale v, in place: weights of a run belong to it alone. */
function move(weights: Weights, scale: number, direction: Weights): void {
  weights.forEach((w, i) => {
    const v = direction[i]!.data
    for (let j = 0; j < w.data.length; j++) w.data[j]! += scale * v[j]!
  })
}

/** Bias in standard errors, the largest of all coordinates, and the mean squared error over its theory (n + 1) |g|^2. */
function moments(samples: number): { bias: number; spread: number } {
  const f = (x: Tensor) => np.sum(np.multiply(np.exp(np.sin(x)), np.roll(x, 1)))
  const x = new Tensor(Float64Array.from({ length: 8 }, (_, i) => 0.3 * i - 1))
  const g = Float64Array.from(grad(f)(x).data)
  const estimate = forwardGradient(f, { seed: 'D5' })
  const [sums, squares] = [new Float64Array(8), new Float64Array(8)]
  let error = 0
  for (let k = 0; k < samples; k++)
    estimate(x).data.forEach((value, i) => {
      sums[i]! += value
      squares[i]! += value * value
      error += (value - g[i]!) ** 2 / samples
    })
  const bias = sums.map((sum, i) => {
    const mean = sum / samples
    return Math.abs(mean - g[i]!) / Math.sqrt((squares[i]! / samples - mean * mean) / samples)
  })
  return { bias: Math.max(...bias), spread: error / (9 * g.reduce((sum, value) => sum + value * value, 0)) }
}

/** Test accuracy after gradient descent with estimates by forward mode, or with gradients by reverse mode. */
async function train(
  how: 'forward' | 'reverse',
  steps: number,
  rate: number,
  onStep: (share: number) => Promise<void>,
) {
  const random = new Random('D5')
  const data = digits(2000, 500)
  const weights = initialWeights(random, [pixels, 32, 10])
  const slope = compileJs(
    (w: Weights, v: Weights, batch: Digits) => jvp((w: Weights) => loss(w, batch), [w], [v])[1],
  )
  const gradient = compileJs(grad(loss))
  const start = performance.now()
  for (let step = 0; step < steps; step++) {
    if (step % 50 === 0) await onStep(step / steps)
    const batch = batchOf(data.train, random, 64)
    const decayed = -rate * (1 - step / steps)
    if (how === 'forward') {
      const direction = directionLike(random, weights)
      move(weights, decayed * (slope(weights, direction, batch) as Tensor).item(), direction)
    } else move(weights, decayed, gradient(weights, batch) as Weights)
  }
  const seconds = (performance.now() - start) / 1000
  return { seconds, accuracy: accuracy(network(weights, data.test.images, np.relu), data.test.labels) }
}

/** Times of one pass by forward and by reverse mode over that of the loss. */
async function runtimes({ full, onStep }: Context): Promise<{ forward: number; reverse: number }> {
  const random = new Random('D5/time')
  const width = full ? 1024 : 256
  const weights = initialWeights(random, [784, width, width, 10])
  const batch: Digits = {
    images: new Tensor(Float32Array.from(random.normals(64 * 784)), [64, 784]),
    labels: new Tensor(Int32Array.from({ length: 64 }, (_, i) => i % 10)),
  }
  const direction = directionLike(random, weights)
  const plain = await compile(loss)
  const forward = await compile((w: Weights, v: Weights, batch: Digits) =>
    jvp((w: Weights) => loss(w, batch), [w], [v]),
  )
  const reverse = await compile(valueAndGrad(loss))
  const rounds = 40
  const seconds = await timeInTurns(
    {
      plain: () => plain(weights, batch),
      forward: () => forward(weights, direction, batch),
      reverse: () => reverse(weights, batch),
    },
    rounds,
    (round) => onStep(0.1 * (round / rounds), 'time of one pass'),
  )
  return { forward: seconds.forward / seconds.plain, reverse: seconds.reverse / seconds.plain }
}

export const paper: Paper = {
  id: 'D5',
  title: 'Gradients without backpropagation',
  authors: 'Baydin, Pearlmutter, Syme, Wood, Torr',
  year: 2022,
  source: 'arXiv 2202.08587',
  claim:
    'A directional derivative by forward mode times its random direction is an unbiased estimate of the gradient, in one ' +
    'forward run that takes less time than backpropagation; networks learn by it.',
  async run(context) {
    const times = await runtimes(context)
    const samples = 4000
    await context.onStep(0.1, 'bias')
    const { bias, spread } = moments(samples)
    // Noise of the estimate, not curvature, limits the rate: smaller steps get further, later.
    const [steps, rate] = context.full ? [60_000, 1e-3] : [16_000, 2e-3]
    const byForward = await train('forward', steps, rate, (share) =>
      context.onStep(0.15 + 0.75 * share, 'training by forward mode'),
    )
    const few = 400
    const byReverse = await train('reverse', few, 0.2, (share) =>
      context.onStep(0.9 + 0.1 * share, 'training by reverse mode'),
    )
    const holds =
      bias < 4.5 && Math.abs(spread - 1) < 0.2 && times.forward < times.reverse && byForward.accuracy > 0.4
    return {
      figures: [
        {
          name: 'bias, in standard errors, worst of 8 coordinates',
          paper: 0,
          measured: bias,
          note: `${samples} estimates`,
        },
        { name: 'squared error over its theory (n + 1) |g|^2', paper: 1, measured: spread },
        {
          name: 'time of forward mode over that of the loss',
          paper: 2.46,
          measured: times.forward,
          note: `784-${context.full ? 1024 : 256}-${context.full ? 1024 : 256}-10 ReLU network, batch 64; without drawing the direction`,
        },
        { name: 'time of reverse mode over that of the loss', paper: 4.17, measured: times.reverse },
        {
          name: 'accuracy by forward gradients',
          paper: null,
          measured: byForward.accuracy,
          note: `${steps} steps, ${byForward.seconds.toFixed(1)} s, on generated digits, 6634 parameters; guessing: 0.1`,
        },
        {
          name: 'accuracy by backpropagation',
          paper: null,
          measured: byReverse.accuracy,
          note: `${few} steps, ${byReverse.seconds.toFixed(1)} s`,
        },
      ],
      holds,
      verdict: holds
        ? `the estimate is unbiased with the expected variance, cheaper than reverse mode, and trains a network (the bound here: four times guessing); not reached: training in less time than backpropagation, which is at ${byReverse.accuracy.toFixed(2)} after ${few} steps, since with n parameters the squared error is n + 1 times the squared gradient.`
        : 'the estimate is biased, dearer than reverse mode, or does not train.',
    }
  },
}
