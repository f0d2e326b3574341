import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import type { Tensor } from '../../../src/tensor/index.js'

/** The largest difference of two elements. */
export const distance = (x: Float64Array, y: Float64Array) =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i]!)))

/** n noisy exponentials of a slowly varying parameter, and a penalty on its differences: 2 n - 1 residuals. */
export function chain(n: number, seed: number, outliers = 0) {
  const random = new Random(seed)
  const noise = random.normals(n)
  const data = noise.map(
    (e, i) => Math.exp(Math.sin(i / 7)) + 0.1 * e + (i % 10 === 3 && i < 10 * outliers ? 20 : 0),
  )
  const residual = (x: Tensor) =>
    np.concatenate([
      np.subtract(np.exp(x), data),
      np.multiply(2, np.subtract(np.slice(x, [1, n]), np.slice(x, [0, n - 1]))),
    ])
  return { residual, start: new Float64Array(n) }
}

/** Broyden's banded functions of five neighbours, with targets of their own so that no residual vanishes. */
export function banded(n: number, seed: number) {
  const random = new Random(seed)
  const [targets, weights] = [random.normals(2 * n), random.normals(n)]
  const residual = (x: Tensor) => {
    const around = np.pad(x, 2)
    const near = [0, 1, 3, 4].map((k) => np.slice(around, [k, k + n]))
    const coupled = near.reduce((sum, y) => np.add(sum, np.multiply(y, np.add(1, np.multiply(0.3, y)))))
    const own = np.multiply(x, np.add(3, np.multiply(x, x)))
    return np.subtract(np.concatenate([np.subtract(own, coupled), np.multiply(weights, np.sin(x))]), targets)
  }
  return { residual, start: new Float64Array(n).fill(0.1) }
}
