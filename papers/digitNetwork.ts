import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { renderDigits, side } from '../src/cli/demo/digits.js'

/** Weights and biases of a fully connected network, layer after layer. */
export type Weights = readonly Tensor[]

export const pixels = side * side

/** float32 normals of deviation sqrt(2 / fan in), zero biases. */
export function initialWeights(random: Random, sizes: readonly number[]): Weights {
  return sizes.slice(1).flatMap((m, i) => {
    const n = sizes[i]!
    const w = Float32Array.from(random.normals(n * m), (x) => x * Math.sqrt(2 / n))
    return [new Tensor(w, [n, m]), new Tensor(new Float32Array(m))]
  })
}

/** The logits of a batch [B, inputs]. */
export function network(weights: Weights, x: Tensor, activation: (x: Tensor) => Tensor): Tensor {
  let y = x
  for (let i = 0; i < weights.length; i += 2) {
    y = np.add(np.matmul(y, weights[i]!), weights[i + 1]!)
    if (i + 2 < weights.length) y = activation(y)
  }
  return y
}

export interface Digits {
  readonly images: Tensor
  readonly labels: Tensor
}

/** Rendered digits to train on and others to test on. */
export function digits(train: number, test: number): { train: Digits; test: Digits } {
  return { train: renderDigits(train, 1), test: renderDigits(test, 2) }
}

/** `size` random examples. */
export function batchOf({ images, labels }: Digits, random: Random, size: number): Digits {
  const n = labels.size
  const width = images.shape[1]!
  const chosen = Array.from({ length: size }, () => Math.floor(random.uniform() * n))
  const data = new Float32Array(size * width)
  chosen.forEach((at, i) => {
    data.set(images.data.subarray(at * width, (at + 1) * width), i * width)
  })
  return {
    images: new Tensor(data, [size, width]),
    labels: new Tensor(Int32Array.from(chosen, (at) => labels.data[at]!)),
  }
}

/** The share of images whose largest logit is that of their label. */
export function accuracy(logits: Tensor, labels: Tensor): number {
  const classes = logits.shape[1]!
  let right = 0
  for (let i = 0; i < labels.size; i++) {
    const row = logits.data.subarray(i * classes, (i + 1) * classes)
    if (row.indexOf(Math.max(...row)) === labels.data[i]) right++
  }
  return right / labels.size
}
