import { losses, type Problem } from '../../src/curvature/index.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

/** A network small enough for everything about it to be computed by hand-written loops in float64. */
export const sizes = { inputs: 6, hidden: 7, classes: 4, samples: 90 }

export type TinyNetwork = { w1: Tensor; b1: Tensor; w2: Tensor; b2: Tensor }

export function tinyProblem(seed: number) {
  const random = new Random(seed)
  const { inputs, hidden, classes, samples } = sizes
  const draw = (n: number, scale: number) => Float64Array.from(random.normals(n), (x) => scale * x)
  const parameters: TinyNetwork = {
    w1: new Tensor(draw(inputs * hidden, 0.7), [inputs, hidden]),
    b1: new Tensor(draw(hidden, 0.3)),
    w2: new Tensor(draw(hidden * classes, 0.9), [hidden, classes]),
    b2: new Tensor(draw(classes, 0.3)),
  }
  const x = new Tensor(draw(samples * inputs, 1), [samples, inputs])
  const y = new Tensor(Int32Array.from({ length: samples }, () => Math.floor(random.uniform() * classes)))
  const problem: Problem = {
    parameters,
    apply: tinyLogits,
    loss: losses['cross-entropy']!,
    inputs: x,
    targets: y,
  }
  return { parameters, x, y, problem }
}

export function tinyLogits({ w1, b1, w2, b2 }: TinyNetwork, x: Tensor): Tensor {
  return np.add(np.matmul(np.tanh(np.add(np.matmul(x, w1), b1)), w2), b2)
}

/** The gradient of the mean cross-entropy by hand-written backpropagation, parameters in the order w1, b1, w2, b2. */
export function handGradient(
  theta: Float64Array,
  x: Tensor,
  y: Tensor,
): { loss: number; gradient: Float64Array; right: number } {
  const { inputs, hidden, classes } = sizes
  const samples = x.shape[0]!
  const at = {
    w1: 0,
    b1: inputs * hidden,
    w2: inputs * hidden + hidden,
    b2: inputs * hidden + hidden + hidden * classes,
  }
  const gradient = new Float64Array(theta.length)
  let loss = 0
  let right = 0
  for (let n = 0; n < samples; n++) {
    const h = new Float64Array(hidden)
    for (let j = 0; j < hidden; j++) {
      let sum = theta[at.b1 + j]!
      for (let i = 0; i < inputs; i++) sum += x.data[n * inputs + i]! * theta[at.w1 + i * hidden + j]!
      h[j] = Math.tanh(sum)
    }
    const z = new Float64Array(classes)
    for (let c = 0; c < classes; c++) {
      z[c] = theta[at.b2 + c]!
      for (let j = 0; j < hidden; j++) z[c]! += h[j]! * theta[at.w2 + j * classes + c]!
    }
    const top = Math.max(...z)
    const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0)
    const label = y.data[n]!
    loss += (Math.log(total) + top - z[label]!) / samples
    if (z.indexOf(top) === label) right++
    const dh = new Float64Array(hidden)
    for (let c = 0; c < classes; c++) {
      const d = (Math.exp(z[c]! - top) / total - (c === label ? 1 : 0)) / samples
      gradient[at.b2 + c]! += d
      for (let j = 0; j < hidden; j++) {
        gradient[at.w2 + j * classes + c]! += d * h[j]!
        dh[j]! += d * theta[at.w2 + j * classes + c]!
      }
    }
    for (let j = 0; j < hidden; j++) {
      const d = dh[j]! * (1 - h[j]! ** 2)
      gradient[at.b1 + j]! += d
      for (let i = 0; i < inputs; i++) gradient[at.w1 + i * hidden + j]! += d * x.data[n * inputs + i]!
    }
  }
  return { loss, gradient, right }
}

/** The dense Hessian by fourth-order central differences of the hand-written gradient. */
export function handHessian(theta: Float64Array, x: Tensor, y: Tensor): number[][] {
  const step = 1e-3
  return Array.from(theta, (_, i) => {
    const shifted = (by: number) => {
      const moved = theta.slice()
      moved[i]! += by
      return handGradient(moved, x, y).gradient
    }
    const [a, b, c, d] = [shifted(-2 * step), shifted(-step), shifted(step), shifted(2 * step)] as const
    return Array.from(theta, (_, j) => (a[j]! - 8 * b[j]! + 8 * c[j]! - d[j]!) / (12 * step))
  })
}

/** The logits by hand-written loops, sample after sample. */
export function handLogits(theta: Float64Array, x: Tensor): Float64Array {
  const { inputs, hidden, classes } = sizes
  const [b1, w2] = [inputs * hidden, inputs * hidden + hidden]
  const b2 = w2 + hidden * classes
  const samples = x.shape[0]!
  const logits = new Float64Array(samples * classes)
  for (let n = 0; n < samples; n++)
    for (let j = 0; j < hidden; j++) {
      let sum = theta[b1 + j]!
      for (let i = 0; i < inputs; i++) sum += x.data[n * inputs + i]! * theta[i * hidden + j]!
      for (let c = 0; c < classes; c++)
        logits[n * classes + c]! += Math.tanh(sum) * theta[w2 + j * classes + c]! + theta[b2 + c]! / hidden
    }
  return logits
}

/** The Jacobian of {@link handLogits} in the parameters, rows [sample, class], by fourth-order central differences. */
export function handJacobian(theta: Float64Array, x: Tensor): number[][] {
  const step = 1e-3
  const columns = Array.from(theta, (_, i) => {
    const shifted = (by: number) => {
      const moved = theta.slice()
      moved[i]! += by
      return handLogits(moved, x)
    }
    const [a, b, c, d] = [shifted(-2 * step), shifted(-step), shifted(step), shifted(2 * step)] as const
    return Array.from(a, (_, j) => (a[j]! - 8 * b[j]! + 8 * c[j]! - d[j]!) / (12 * step))
  })
  return columns[0]!.map((_, row) => columns.map((column) => column[row]!))
}
