import { Random } from 'evolute/linalg'
import { add, matmul, tanh } from 'evolute/numpy'
import { classNumbers, initialize, normal, type Problem } from './problem.js'

const sizes = [784, 256, 256, 10]
const random = new Random('bench/mlp')

/** A fully connected tanh network on 784 features. */
export const mlp: Problem = {
  name: 'mlp',
  title: '784-256-256-10 tanh network, batch 128',
  weights: initialize(
    random,
    Object.fromEntries(
      sizes.slice(1).flatMap((n, i) => [
        [`w${i}`, [sizes[i]!, n]],
        [`b${i}`, [n]],
      ]),
    ),
    ([n]) => n!,
  ),
  inputs: normal(random, [128, 784], 1),
  labels: classNumbers(random, [128], 10),
  model: ({ w0, b0, w1, b1, w2, b2 }, x) => {
    const first = tanh(add(matmul(x, w0!), b0!))
    const second = tanh(add(matmul(first, w1!), b1!))
    return add(matmul(second, w2!), b2!)
  },
}
