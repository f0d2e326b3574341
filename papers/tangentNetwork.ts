import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import type { Weights } from './digitNetwork.js'

/** The biases' scale. */
const beta = 0.1

/** Standard normal weights and biases, layer after layer; the scales are in {@link tangentNetwork}. */
export function normalWeights(random: Random, sizes: readonly number[]): Weights {
  return sizes
    .slice(1)
    .flatMap((m, i) => [
      new Tensor(random.normals(sizes[i]! * m), [sizes[i]!, m]),
      new Tensor(random.normals(m), [m]),
    ])
}

/**
 * The network of the tangent kernel's theory: each layer is W x / sqrt(fan in) + beta b, and hidden units are sqrt(2) relu,
 * which keeps the size of what passes through; x [B, inputs] to [B, outputs].
 */
export function tangentNetwork(weights: Weights, x: Tensor): Tensor {
  let y = x
  for (let i = 0; i < weights.length; i += 2) {
    const scale = 1 / Math.sqrt(y.shape[1]!)
    y = np.add(np.multiply(np.matmul(y, weights[i]!), scale), np.multiply(weights[i + 1]!, beta))
    if (i + 2 < weights.length) y = np.multiply(np.relu(y), Math.SQRT2)
  }
  return y
}

/**
 * The kernel that the tangent kernel of {@link tangentNetwork} with `hidden` wide layers tends to, between rows x [N, d]
 * and z [M, d] (theorem 1): Theta_1 = Sigma_1 = x.z / d + beta^2 and
 * Theta_(l+1) = Theta_l Sigma'_(l+1) + Sigma_(l+1), where for two normals of covariance Sigma_l, at an angle t,
 * Sigma_(l+1) = E[2 relu relu] + beta^2 = |u| |v| (sin t + (pi - t) cos t) / pi + beta^2 and
 * Sigma'_(l+1) = E[2 relu' relu'] = (pi - t) / pi (the arc-cosine kernels of Cho and Saul 2009).
 */
export function analyticKernel(x: Tensor, z: Tensor, hidden: number): Tensor {
  const d = x.shape[1]!
  const [n, m] = [x.shape[0]!, z.shape[0]!]
  const inner = (a: Tensor, i: number, b: Tensor, j: number) => {
    let sum = 0
    for (let k = 0; k < d; k++) sum += a.data[i * d + k]! * b.data[j * d + k]!
    return sum / d + beta ** 2
  }
  const entries = Float64Array.from({ length: n * m }, (_, at) => {
    const [i, j] = [Math.floor(at / m), at % m]
    return limit(inner(x, i, z, j), inner(x, i, x, i), inner(z, j, z, j), hidden)
  })
  return new Tensor(entries, [n, m])
}

/** One entry, from the covariance and the variances of the first layer's outputs. */
function limit(covariance: number, first: number, second: number, hidden: number): number {
  let [sigma, theta] = [covariance, covariance]
  let [u, v] = [first, second]
  for (let layer = 0; layer < hidden; layer++) {
    const size = Math.sqrt(u * v)
    const cosine = Math.max(-1, Math.min(1, sigma / size))
    const t = Math.acos(cosine)
    sigma = (size * (Math.sin(t) + (Math.PI - t) * cosine)) / Math.PI + beta ** 2
    theta = (theta * (Math.PI - t)) / Math.PI + sigma
    ;[u, v] = [u + beta ** 2, v + beta ** 2]
  }
  return theta
}

/** Points of the circle |x|^2 = 2 at `angles`, [N, 2]. */
export function circle(angles: readonly number[]): Tensor {
  const data = angles.flatMap((angle) => [Math.SQRT2 * Math.cos(angle), Math.SQRT2 * Math.sin(angle)])
  return new Tensor(Float64Array.from(data), [angles.length, 2])
}
