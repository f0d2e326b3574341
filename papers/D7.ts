import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { fewBitActivation, jvp, optimalLevels, trace, valueAndGrad } from 'evolute/transforms'
import { linearizeAt } from '../src/transforms/linearize.js'
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
import type { Paper } from './paper.js'

type Activation = (x: Tensor) => Tensor
const gelu: Activation = (x) => np.gelu(x)
const slope = (x: Float64Array) => jvp(gelu, [new Tensor(x)], [np.ones(x.length)])[1].data

/** Bytes that an activation keeps for the backward pass, for each element. */
function keptBytes(activation: Activation): number {
  const x = new Tensor(Float32Array.from(new Random('D7').normals(3000)))
  const { residuals } = linearizeAt(trace(activation, x).program, [x], [true])
  const arrays = new Set(residuals.map((value) => (value as Tensor).data).filter((data) => data.length > 16))
  return [...arrays].reduce((sum, data) => sum + data.byteLength, 0) / x.size
}

/** The mean squared error of pieces of equal width between -3 and 3, each at its best level. */
function equalPieces(count: number): number {
  const n = 60_000
  const x = Float64Array.from({ length: n }, (_, i) => -6 + (12 * (i + 0.5)) / n)
  const s = slope(x)
  const piece = Array.from(x, (x) => Math.max(0, Math.min(count - 1, Math.floor(((x + 3) / 6) * count))))
  const weight = Array.from(x, (x) => Math.exp((-x * x) / 2))
  const [sums, means] = [new Float64Array(count), new Float64Array(count)]
  piece.forEach((k, i) => {
    sums[k]! += weight[i]!
    means[k]! += weight[i]! * s[i]!
  })
  let error = 0
  piece.forEach((k, i) => {
    error += weight[i]! * (s[i]! - means[k]! / sums[k]!) ** 2
  })
  return error / weight.reduce((sum, w) => sum + w, 0)
}

interface Trained {
  readonly loss: number
  readonly accuracy: number
}

async function train(
  activation: Activation,
  steps: number,
  onStep: (share: number) => Promise<void>,
): Promise<Trained> {
  const random = new Random('D7/training')
  const data = digits(2000, 1000)
  const weights = initialWeights(random, [pixels, 64, 64, 10])
  const run = compileJs(
    valueAndGrad((w: Weights, batch: Digits) =>
      np.crossEntropy(network(w, batch.images, activation), batch.labels),
    ),
  )
  let average = 0
  for (let step = 0; step < steps; step++) {
    if (step % 20 === 0) await onStep(step / steps)
    const [loss, gradient] = run(weights, batchOf(data.train, random, 64)) as [Tensor, Weights]
    const rate = 0.2 * (1 - step / steps)
    weights.forEach((w, i) => {
      for (let j = 0; j < w.size; j++) w.data[j]! -= rate * gradient[i]!.data[j]!
    })
    average += (loss.item() - average) * 0.02
  }
  return { loss: average, accuracy: accuracy(network(weights, data.test.images, gelu), data.test.labels) }
}

export const paper: Paper = {
  id: 'D7',
  title: 'Few-bit backward: quantized gradients of activation functions for memory footprint reduction',
  authors: 'Novikov, Bershatsky, Gusak, Shonenkov, Dimitrov, Oseledets',
  year: 2022,
  source: 'arXiv 2202.00441',
  claim:
    'The backward pass of an activation needs only a few bits of each element: with the optimal piecewise constant ' +
    'derivative, found by dynamic programming, memory falls and training converges as before.',
  async run({ onStep, full }) {
    const bits = [1, 2, 3, 4]
    await onStep(0, 'optimal levels')
    const errors = bits.map((b) => optimalLevels(slope, 2 ** b).error)
    const equal = equalPieces(8)
    const whole = keptBytes(gelu)
    const few = bits.map((b) => keptBytes(fewBitActivation(gelu, { bits: b })))
    const steps = full ? 3000 : 600
    const exact = await train(gelu, steps, (share) => onStep(0.1 + 0.3 * share, 'training, exact'))
    const three = await train(fewBitActivation(gelu, { bits: 3 }), steps, (share) =>
      onStep(0.4 + 0.3 * share, 'training, 3 bits'),
    )
    const one = await train(fewBitActivation(gelu, { bits: 1 }), steps, (share) =>
      onStep(0.7 + 0.3 * share, 'training, 1 bit'),
    )
    const holds =
      errors.every((error, i) => i === 0 || error < errors[i - 1]!) &&
      errors[2]! < equal &&
      few[2]! < 1 &&
      Math.abs(three.accuracy - exact.accuracy) < 0.02
    return {
      figures: [
        ...bits.map((b, i) => ({
          name: `squared error of the derivative of GELU, ${b} bit${b > 1 ? 's' : ''}`,
          paper: null,
          measured: errors[i]!,
          note: 'mean over normal inputs',
        })),
        { name: 'the same for 8 pieces of equal width', paper: null, measured: equal },
        {
          name: 'bytes kept for each element, exact',
          paper: null,
          measured: whole,
          note: 'float32; keeping the input alone would be 4',
        },
        {
          name: 'bytes kept for each element, 3 bits',
          paper: null,
          measured: few[2]!,
          note: '10 elements to an int32',
        },
        {
          name: 'accuracy, exact',
          paper: null,
          measured: exact.accuracy,
          note: `${steps} steps on generated digits, loss ${exact.loss.toFixed(4)}`,
        },
        {
          name: 'accuracy, 3 bits',
          paper: 'the same',
          measured: three.accuracy,
          note: `loss ${three.loss.toFixed(4)}`,
        },
        { name: 'accuracy, 1 bit', paper: null, measured: one.accuracy, note: `loss ${one.loss.toFixed(4)}` },
      ],
      holds,
      verdict: holds
        ? 'three bits train as well as the exact derivative at a fraction of the memory of the activation; the language models of the paper are beyond two processor cores, so its memory savings of whole models are not compared.'
        : 'three bits train worse, or keep too much.',
    }
  },
}
