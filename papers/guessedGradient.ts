import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, jvp, vjp } from 'evolute/transforms'
import { type Digits, network, type Weights } from './digitNetwork.js'

/** A direction along which the loss of the whole network is differentiated, forwards, to learn a hidden layer. */
export interface Guess {
  readonly name: string
  /** A direction of the layer's weights, or one of each example's activities. */
  readonly space: 'weights' | 'activities'
  /** Normal numbers, or the gradient of the loss of a classifier that sees this layer alone. */
  readonly from: 'noise' | 'local loss'
  /** The rate at which 600 steps give the best test accuracy, of four or more tried. */
  readonly rate: number
}

export const guesses: readonly Guess[] = [
  { name: 'isotropic in weights', space: 'weights', from: 'noise', rate: 0.012 },
  { name: 'isotropic in activities', space: 'activities', from: 'noise', rate: 0.1 },
  { name: 'local loss in weights', space: 'weights', from: 'local loss', rate: 0.5 },
  { name: 'local loss in activities', space: 'activities', from: 'local loss', rate: 0.5 },
]

/** A network and, for each hidden layer, a linear classifier [weight, bias] on its activities. */
export interface Net {
  readonly weights: Weights
  readonly heads: readonly Weights[]
}

/** Minus the logarithm of the probability of its label, for each example. */
const losses = (logits: Tensor, labels: Tensor) =>
  np.negative(
    np.squeeze(np.takeAlongAxis(np.logSoftmax(logits), np.expandDims(labels, -1), -1), { axis: -1 }),
  )

/** The layer's share of the weights and what comes before and after it. */
function layerAt({ weights }: Net, layer: number, { images, labels }: Digits) {
  const x = layer === 0 ? images : np.relu(network(weights.slice(0, 2 * layer), images, np.relu))
  const after = weights.slice(2 * layer + 2)
  return {
    own: weights.slice(2 * layer, 2 * layer + 2),
    activities: (own: Weights) => np.relu(network(own, x, np.relu)),
    globalLosses: (y: Tensor) => losses(network(after, y, np.relu), labels),
  }
}

/** (g . v) v / |v|^2, the part of a gradient along a guess, or (g . v) v for noise, which is unbiased. */
const alongGuess = (slope: Tensor, v: Tensor, { from }: Guess, size: Tensor) =>
  np.multiply(v, from === 'noise' ? slope : np.divide(slope, np.maximum(size, 1e-30)))

const squares = (x: Tensor) => np.sum(np.square(x))

/** The estimated gradient of the mean loss in the weights of a hidden layer. */
export function estimate(net: Net, layer: number, guess: Guess, noise: Weights, batch: Digits): Weights {
  const { own, activities, globalLosses } = layerAt(net, layer, batch)
  const localLosses = (y: Tensor) => losses(network(net.heads[layer]!, y, np.relu), batch.labels)
  if (guess.space === 'weights') {
    const v =
      guess.from === 'noise' ? noise : grad((own: Weights) => np.mean(localLosses(activities(own))))(own)
    const slope = jvp((own: Weights) => np.mean(globalLosses(activities(own))), [own], [v])[1]
    const size = v.map(squares).reduce((sum, part) => np.add(sum, part))
    return v.map((part) => alongGuess(slope, part, guess, size))
  }
  const [y, pull] = vjp(activities, own)
  const v = guess.from === 'noise' ? noise[0]! : grad((y: Tensor) => np.sum(localLosses(y)))(y)
  const slopes = np.expandDims(jvp(globalLosses, [y], [v])[1], -1)
  const size = np.sum(np.square(v), { axis: -1, keepdims: true })
  return pull(np.divide(alongGuess(slopes, v, guess, size), y.shape[0]!))[0]
}

/** The gradients of each head's own loss, which does not reach into the network. */
export function headGradients(net: Net, batch: Digits): Weights[] {
  return net.heads.map((head, layer) => {
    const { own, activities } = layerAt(net, layer, batch)
    const y = activities(own)
    return grad((head: Weights) => np.mean(losses(network(head, y, np.relu), batch.labels)))(head)
  })
}

/** Noise for each hidden layer, in its weights or in its activities on `size` examples. */
export function drawNoise(random: Random, { weights }: Net, { space }: Guess, size: number): Weights[] {
  const normals = (shape: readonly number[]) =>
    new Tensor(Float32Array.from(random.normals(shape.reduce((a, b) => a * b))), shape)
  return Array.from({ length: weights.length / 2 - 1 }, (_, layer) => {
    const [w, b] = weights.slice(2 * layer, 2 * layer + 2) as [Tensor, Tensor]
    return space === 'weights' ? [normals(w.shape), normals(b.shape)] : [normals([size, b.size])]
  })
}
