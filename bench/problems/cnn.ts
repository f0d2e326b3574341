import { Random } from 'evolute/linalg'
import { add, conv, matmul, maxPool, relu, reshape } from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { classNumbers, initialize, normal, type Problem } from './problem.js'

const random = new Random('bench/cnn')

/** Two convolutions with relu and pooling, and a dense layer: 28 -> 26 -> 13 -> 11 -> 5. */
export const cnn: Problem = {
  name: 'cnn',
  title: 'convolutional network on 28x28, batch 64',
  weights: initialize(
    random,
    { k0: [8, 1, 3, 3], b0: [8], k1: [16, 8, 3, 3], b1: [16], w: [400, 10], b: [10] },
    ([first, ...rest]) => (rest.length === 1 ? first! : rest.reduce((a, b) => a * b)),
  ),
  inputs: normal(random, [64, 1, 28, 28], 1),
  labels: classNumbers(random, [64], 10),
  model: ({ k0, b0, k1, b1, w, b }, x) => {
    const layer = (x: Tensor, kernel: Tensor, bias: Tensor) =>
      maxPool(relu(add(conv(x, kernel), reshape(bias, [-1, 1, 1]))), 2)
    const features = layer(layer(x, k0!, b0!), k1!, b1!)
    return add(matmul(reshape(features, [64, 400]), w!), b!)
  },
}
