import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { grad } from 'evolute/transforms'
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
import { drawNoise, estimate, type Guess, guesses, headGradients, type Net } from './guessedGradient.js'
import type { Paper } from './paper.js'

const sizes = [pixels, 64, 64, 64, 10]
const hidden = sizes.length - 2
const batchSize = 64

const start = (random: Random): Net => ({
  weights: initialWeights(random, sizes),
  heads: sizes.slice(1, -1).map((width) => initialWeights(random, [width, 10])),
})

const gradient = (net: Net, batch: Digits) =>
  grad((weights: Weights) => np.crossEntropy(network(weights, batch.images, np.relu), batch.labels))(
    net.weights,
  )

/** Estimates for the hidden layers; the last layer has its exact gradient, which needs nothing from other layers. */
function estimated(guess: Guess) {
  return compileJs((net: Net, noise: readonly Weights[], batch: Digits) => [
    ...noise.flatMap((own, layer) => estimate(net, layer, guess, own, batch)),
    ...gradient(net, batch).slice(2 * hidden),
  ])
}

const move = (weights: Weights, rate: number, direction: Weights) => {
  weights.forEach((w, i) => {
    const v = direction[i]!.data
    for (let j = 0; j < w.size; j++) w.data[j]! -= rate * v[j]!
  })
}

function cosine(a: Weights, b: Weights): number {
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach(({ data }, i) => {
    const other = b[i]!.data
    for (let j = 0; j < data.length; j++) {
      ab += data[j]! * other[j]!
      aa += data[j]! ** 2
      bb += other[j]! ** 2
    }
  })
  return ab / Math.sqrt(aa * bb)
}

interface Settings {
  readonly data: { readonly train: Digits; readonly test: Digits }
  readonly steps: number
  readonly rate: number
  readonly onStep: (share: number) => Promise<void>
}

/** Test accuracy after descent along estimates, or along the gradient when there is no guess. */
async function train(
  { data, steps, rate, onStep }: Settings,
  guess: Guess | null,
  each: (net: Net, batch: Digits) => void = () => undefined,
): Promise<number> {
  const random = new Random('D6')
  const net = start(random)
  const exact = compileJs(gradient)
  const guessed = guess && estimated(guess)
  const heads = compileJs(headGradients)
  for (let i = 0; i < steps; i++) {
    if (i % 20 === 0) await onStep(i / steps)
    const batch = batchOf(data.train, random, batchSize)
    if (i % 20 === 10) each(net, batch)
    const direction = guess
      ? guessed!(net, drawNoise(random, net, guess, batchSize), batch)
      : exact(net, batch)
    if (!guess || guess.from === 'local loss')
      heads(net, batch).forEach((own, layer) => {
        move(net.heads[layer]!, 0.1, own)
      })
    move(net.weights, rate * (1 - i / steps), direction as Weights)
  }
  return accuracy(network(net.weights, data.test.images, np.relu), data.test.labels)
}

export const paper: Paper = {
  id: 'D6',
  title: 'Can forward gradient match backpropagation?',
  authors: 'Fournier, Rivaud, Belilovsky, Eickenberg, Oyallon',
  year: 2023,
  source: 'arXiv 2306.06968',
  claim:
    'Directional derivatives along the gradients of small local losses estimate the gradient far better than along random ' +
    'directions, and networks learn better by them.',
  async run({ onStep, full }) {
    const data = digits(full ? 10_000 : 2000, 1000)
    const steps = full ? 4000 : 600
    const parts = guesses.length + 1
    const progress = (part: number, stage: string) => (share: number) => onStep((part + share) / parts, stage)

    const random = new Random('D6/cosines')
    const exact = compileJs(gradient)
    const probes = guesses.map((guess) => ({ guess, run: estimated(guess), cosines: [] as number[] }))
    const byBackpropagation = await train(
      { data, steps, rate: 0.5, onStep: progress(0, 'backpropagation') },
      null,
      (net, batch) => {
        const truth = (exact(net, batch) as Weights).slice(0, 2 * hidden)
        for (const { guess, run, cosines } of probes) {
          const found = run(net, drawNoise(random, net, guess, batchSize), batch) as Weights
          cosines.push(cosine(found.slice(0, 2 * hidden), truth))
        }
      },
    )
    const outcomes: { guess: Guess; cosine: number; accuracy: number }[] = []
    for (const [i, { guess, cosines }] of probes.entries()) {
      const settings = { data, steps, rate: guess.rate, onStep: progress(i + 1, guess.name) }
      const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length
      outcomes.push({ guess, cosine: mean, accuracy: await train(settings, guess) })
    }
    const ofKind = (from: Guess['from'], of: 'cosine' | 'accuracy') =>
      outcomes.flatMap((outcome) => (outcome.guess.from === from ? [outcome[of]] : []))
    const margin = (of: 'cosine' | 'accuracy') =>
      Math.min(...ofKind('local loss', of)) - Math.max(...ofKind('noise', of))
    const holds = margin('cosine') > 0.2 && margin('accuracy') > 0
    return {
      figures: [
        ...outcomes.map(({ guess, cosine }) => ({
          name: `cosine with the gradient, ${guess.name}`,
          paper: null,
          measured: cosine,
          note: `mean over ${probes[0]!.cosines.length} batches while the network learns by backpropagation`,
        })),
        ...outcomes.map(({ guess, accuracy }) => ({
          name: `accuracy, ${guess.name}`,
          paper: null,
          measured: accuracy,
          note: `${steps} steps at rate ${guess.rate}`,
        })),
        {
          name: 'accuracy, backpropagation',
          paper: null,
          measured: byBackpropagation,
          note: `${sizes.join('-')} network on generated digits, whose last layer always has its exact gradient`,
        },
      ],
      holds,
      verdict: holds
        ? `guesses from local losses point along the gradient where noise does not, and learn more than noise in the same space or another; backpropagation reaches ${byBackpropagation.toFixed(2)}. The residual networks of the paper are beyond two processor cores, so its accuracies are not compared.`
        : 'guesses from local losses are no better than noise.',
    }
  },
}
