import {
  batchHessianSharpness,
  hessianNoise,
  type LearningRateLaw,
  losses,
  lossHessian,
  measureLearningRateLaw,
  type Problem,
  shuffled,
} from 'evolute/curvature'
import { compileJs } from 'evolute/engines/js'
import { Random, topEigenpairs } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad } from 'evolute/transforms'
import { adam } from './adam.js'
import { digitData } from './digitData.js'
import { batchOf, type Digits, initialWeights, network, pixels, type Weights } from './digitNetwork.js'
import { trainDigits } from './digitTraining.js'
import type { Context, Paper } from './paper.js'
import { exponent } from './powerLaw.js'
import { largestStableRate } from './stableRate.js'

const sizes = [pixels, 16, 10]
const batches = [1, 4, 16, 64, 256]

const problemAt = (weights: Weights, { images, labels }: Digits): Problem => ({
  parameters: weights,
  apply: (w: Weights, x: Tensor) => network(w, x, np.tanh),
  loss: losses['cross-entropy']!,
  inputs: images,
  targets: labels,
})

/** The mean over some batches of the largest eigenvalue of their Hessians. */
async function batchSharpnesses(problem: Problem, batch: number, signal: AbortSignal): Promise<number> {
  const hessian = await lossHessian(shuffled(problem, 1), { batch, signal })
  const count = Math.min(8, Math.floor(hessian.samples / batch))
  let mean = 0
  for (let b = 0; b < count; b++) {
    const own = { ...hessian, apply: (v: Tensor) => hessian.applyBatch(b, v) }
    const { eigenvalues } = await topEigenpairs(own, {
      count: 1,
      findRepeated: false,
      tolerance: 1e-3,
      signal,
    })
    mean += eigenvalues[0]!.value / count
  }
  await hessian.dispose()
  return mean
}

type Update = (gradient: Weights, rate: number) => void

function sgd(weights: Weights): Update {
  return (gradient, rate) => {
    weights.forEach(({ data }, i) => {
      const g = gradient[i]!.data
      for (let j = 0; j < data.length; j++) data[j]! -= rate * g[j]!
    })
  }
}

/** Training on digits, from given weights on. */
function trainer(data: Digits) {
  const mean = (weights: Weights, { images, labels }: Digits) =>
    np.crossEntropy(network(weights, images, np.tanh), labels)
  const [value, gradient] = [compileJs(mean), compileJs(grad(mean))]
  const copy = (weights: Weights) => weights.map((w) => new Tensor(Float32Array.from(w.data), w.shape))
  const loss = (weights: Weights) => value(weights, data).item()
  const advance = (
    weights: Weights,
    update: Update,
    steps: number,
    rate: number,
    batch: number,
    random: Random,
  ) => {
    for (let step = 0; step < steps; step++) update(gradient(weights, batchOf(data, random, batch)), rate)
  }
  return { copy, loss, advance }
}

type Trainer = ReturnType<typeof trainer>

/** For each batch size the largest rate with which training from `start` does not end above the loss `limit`. */
async function stableRates(
  { copy, loss, advance }: Trainer,
  start: Weights,
  optimizer: (weights: Weights) => Update,
  guesses: readonly number[],
  limit: number,
  { onStep, full }: Context,
): Promise<number[]> {
  const seeds = full ? 9 : 3
  const ends = (rate: number, batch: number) =>
    Array.from({ length: seeds }, (_, seed) => {
      const weights = copy(start)
      advance(weights, optimizer(weights), 50, rate, batch, new Random(`C2/${seed}`))
      return loss(weights)
    })
  const rates: number[] = []
  for (const [i, guess] of guesses.entries())
    rates.push(
      await largestStableRate(guess, async (rate) => {
        await onStep(0.3 + (0.4 * i) / guesses.length, `learning rates for batches of ${batches[i]}`)
        return ends(rate, batches[i]!).filter((end) => end <= limit).length > seeds / 2
      }),
    )
  return rates
}

/** Losses after training from scratch: with rates that the law gives on the way, and with fixed ones. */
async function learnOnTheFly({ loss, advance }: Trainer, data: Digits, { onStep, signal }: Context) {
  const [batch, rounds, steps] = [64, 5, 80]
  const begin = () => initialWeights(new Random('C2/fly'), sizes)
  const weights = begin()
  const random = new Random('C2/fly/batches')
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    await onStep(0.8 + (0.1 * round) / rounds, 'rates on the fly')
    const law = await measureLearningRateLaw(problemAt(weights, data), { batches: [batch], signal })
    rates.push(law.points[0]!.learningRate.estimate)
    advance(weights, sgd(weights), steps, rates.at(-1)!, batch, random)
  }
  const fixed: number[] = []
  for (const rate of [0.01, 0.03, 0.1, 0.3, 1, 3]) {
    await onStep(0.9, 'fixed rates')
    const own = begin()
    advance(own, sgd(own), rounds * steps, rate, batch, new Random('C2/fly/batches'))
    fixed.push(loss(own))
  }
  return { rates, learned: loss(weights), fixed }
}

const ratios = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value / b[i]!)
const furthest = (values: readonly number[]) =>
  values.reduce((worst, value) => (Math.abs(Math.log(value)) > Math.abs(Math.log(worst)) ? value : worst), 1)

export const paper: Paper = {
  id: 'C2',
  title:
    'Learning rates as a function of batch size: a random matrix theory approach to neural network training',
  authors: 'Granziol, Zohren, Roberts',
  year: 2022,
  source: 'arXiv 2006.09092',
  claim:
    'The Hessian of a batch has larger extreme eigenvalues than that of all data, by an amount that random matrix theory ' +
    'gives; so the largest learning rate of stochastic gradient descent grows linearly with the batch, up to a plateau, and ' +
    'that of adaptive methods with its square root.',
  async run(context) {
    const { onStep, signal, log, full } = context
    const data = digitData(full ? 4096 : 1024, 1)
    const weights = await trainDigits(data.train, {
      sizes,
      steps: 500,
      seed: 'C2',
      activation: np.tanh,
      onStep: (fraction) => onStep(0.1 * fraction, 'training'),
    })
    const problem = problemAt(weights, data.train)
    const law: LearningRateLaw = await measureLearningRateLaw(problem, { batches, signal })
    const spread = await lossHessian(shuffled(problem), { batch: 16, signal })
    const everywhere = await hessianNoise(spread, { signal })
    await spread.dispose()
    const measured: number[] = []
    for (const [i, batch] of batches.entries()) {
      await onStep(0.1 + (0.2 * i) / batches.length, `Hessians of batches of ${batch}`)
      measured.push(await batchSharpnesses(problem, batch, signal))
    }
    const predicted = law.points.map(({ sharpness }) => sharpness.estimate)
    const isotropic = batches.map(
      (batch) => batchHessianSharpness({ ...law, noise: everywhere }, batch).estimate,
    )
    const learn = trainer(data.train)
    const guessing = Math.log(10)
    const byLaw = law.points.map(({ learningRate }) => learningRate.estimate)
    const rates = await stableRates(learn, weights, sgd, byLaw, guessing, context)
    const roots = batches.map((batch) => 0.04 * Math.sqrt(batch))
    const adaptive = await stableRates(learn, weights, adam, roots, guessing, context)
    const begun = learn.loss(weights)
    const strict = await stableRates(learn, weights, sgd, byLaw.slice(0, 3), begun, context)
    const strictAdaptive = await stableRates(learn, weights, adam, roots.slice(0, 3), begun, context)
    const fly = await learnOnTheFly(learn, data.train, context)
    batches.forEach((batch, i) => {
      log(
        `batches of ${batch}: sharpness ${measured[i]!.toFixed(2)}, law ${predicted[i]!.toFixed(2)}; ` +
          `largest rate ${rates[i]!.toPrecision(3)}, law ${byLaw[i]!.toPrecision(3)}; Adam ${adaptive[i]!.toPrecision(3)}`,
      )
    })
    log(`rates on the fly: ${fly.rates.map((rate) => rate.toPrecision(3)).join(', ')}`)
    const above = batches.map((_, i) => i).filter((i) => batches[i]! >= 4)
    const lawError = furthest(above.map((i) => measured[i]! / predicted[i]!))
    const isotropicError = furthest(above.map((i) => measured[i]! / isotropic[i]!))
    const small = exponent(batches.slice(0, 2), rates.slice(0, 2))
    const large = exponent(batches.slice(-2), rates.slice(-2))
    const ofAdam = exponent(batches, adaptive)
    const factors = ratios(rates, byLaw)
    const best = Math.min(...fly.fixed)
    const holds =
      Math.abs(Math.log(lawError)) < Math.log(1.5) &&
      measured.every((value, i) => i === 0 || value < measured[i - 1]!) &&
      small > 0.75 &&
      large < 0.3 &&
      ofAdam > 0.35 &&
      ofAdam < 0.75 &&
      fly.learned < 2 * best
    return {
      figures: [
        {
          name: 'sharpness of a batch over the law, batches of 4 and more',
          paper: null,
          measured: lawError,
          note: `the worst of ${above.length}; noise measured along the top eigenvector, ${data.name}, ${law.samples} samples`,
        },
        {
          name: 'the same with the noise of random directions',
          paper: null,
          measured: isotropicError,
          note: `the paper’s matrix has equal noise everywhere; here it is ${(law.noise.estimate / everywhere.estimate).toFixed(0)} times stronger along the top eigenvector`,
        },
        {
          name: 'growth of the largest rate of SGD with small batches, exponent',
          paper: 1,
          measured: small,
          note: 'from 1 to 4 samples; the largest rate whose training, 50 steps, does not end worse than guessing',
        },
        { name: 'the same with large batches', paper: null, measured: large, note: 'from 64 to 256 samples' },
        {
          name: 'growth of the largest rate of Adam, exponent',
          paper: 0.5,
          measured: ofAdam,
          note: 'from 1 to 256 samples',
        },
        {
          name: 'exponents if no loss above that of the start is allowed: SGD',
          paper: null,
          measured: exponent(batches.slice(0, 3), strict),
          note: 'from 1 to 16 samples; a stricter rule, which noise can break before anything diverges',
        },
        {
          name: 'and Adam',
          paper: null,
          measured: exponent(batches.slice(0, 3), strictAdaptive),
        },
        {
          name: 'largest rate of SGD over that of the law, least',
          paper: null,
          measured: Math.min(...factors),
          note: 'the law is that of one point; training may move on to flatter ones before it diverges',
        },
        { name: 'the same, greatest', paper: null, measured: Math.max(...factors) },
        {
          name: 'loss with rates of the law, set on the fly',
          paper: null,
          measured: fly.learned,
          note: `400 steps from scratch, measured 5 times; the best of 6 fixed rates ends at ${best.toFixed(3)}, the worst at ${Math.max(...fly.fixed).toFixed(3)}`,
        },
      ],
      holds,
      verdict: holds
        ? 'batch Hessians follow the law once the noise is measured along the outlier’s own direction, rates of SGD grow about linearly and then level off, and those of Adam grow about with the root, if stable means not to end worse than guessing; under a stricter rule both grow faster. The law’s rates have that shape and are too careful by a factor that hardly depends on the batch. The paper’s VGG and ImageNet networks are beyond two processor cores.'
        : 'batch Hessians or largest learning rates do not follow the law.',
    }
  },
}
