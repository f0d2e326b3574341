import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { squaredNorm } from './problem.js'

/** Weights [inputs, outputs] and bias [outputs] of each layer. */
export type Layers = readonly { readonly weights: Tensor; readonly bias: Tensor }[]

/** Uniform within 1 / sqrt(inputs) for weights and 1 / sqrt(outputs) for biases, float32. */
export function initialLayers(random: Random, sizes: readonly number[]): Layers {
  const uniform = (shape: number[], bound: number) => {
    const data = new Float32Array(shape.reduce((n, m) => n * m, 1))
    for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1)
    return new Tensor(data, shape)
  }
  return sizes.slice(1).map((outputs, i) => ({
    weights: uniform([sizes[i]!, outputs], 1 / Math.sqrt(sizes[i]!)),
    bias: uniform([outputs], 1 / Math.sqrt(outputs)),
  }))
}

/** What the layers after the first make of its sums [..., width]. */
function fromSums(layers: Layers, sums: Tensor): Tensor {
  const last = layers
    .slice(1)
    .reduce((z, { weights, bias }) => np.add(np.matmul(np.tanh(z), weights), bias), sums)
  return np.squeeze(last, { axis: -1 })
}

function firstSums([first]: Layers, x: Tensor): Tensor {
  const { weights, bias } = first!
  return np.add(np.matmul(x, weights), bias)
}

/** u(x) = (1 - |x|^2) MLP(x), tanh between its layers, for points [..., d]: zero on the unit sphere. */
export function network(layers: Layers, x: Tensor): Tensor {
  return np.multiply(np.subtract(1, squaredNorm(x)), fromSums(layers, firstSums(layers, x)))
}

/**
 * u at x + sum_j t_j e_{axes[j]} for all points x [n, d], as a function of t: what varies with t of the first layer are
 * its rows `axes` alone, so that derivatives in t cost the same in any dimension.
 */
export function networkOnPlane(layers: Layers, x: Tensor, axes: Tensor): (t: Tensor) => Tensor {
  const sums = firstSums(layers, x)
  const rows = np.take(layers[0]!.weights, axes, { axis: 0 })
  const room = np.subtract(1, squaredNorm(x))
  const picked = np.take(x, axes, { axis: 1 })
  return (t) =>
    np.multiply(
      np.subtract(room, np.add(np.matmul(picked, np.multiply(2, t)), np.dot(t, t))),
      fromSums(layers, np.add(sums, np.matmul(t, rows))),
    )
}
