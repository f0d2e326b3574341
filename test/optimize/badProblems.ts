import type { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/index.js'

/** A residual and its start, drawn. */
export interface BadProblem {
  readonly residual: (b: Tensor) => Tensor
  readonly start: Float64Array
}

const at = (b: Tensor, i: number) => np.take(b, i)
const grid = (n: number, step: number) => Float64Array.from({ length: n }, (_, i) => i * step)
const decay = (rate: Tensor, t: Float64Array) => np.exp(np.negative(np.multiply(rate, t)))

/** Problems that are hard on a solver, by what makes them so. */
export const badProblems: Readonly<Record<string, (random: Random) => BadProblem>> = {
  'noise and outliers'(random) {
    const t = grid(30, 0.1)
    const errors = random.normals(30)
    const y = t.map((x, i) => 3 * Math.exp(-x) + 0.5 + (i % 7 === 0 ? 5 : 0.05) * errors[i]!)
    return {
      start: Float64Array.of(1, 0.3, 0),
      residual: (b) => np.subtract(np.add(np.multiply(at(b, 0), decay(at(b, 1), t)), at(b, 2)), y),
    }
  },
  'nearly equal decays'(random) {
    const t = grid(25, 1 / 8)
    const errors = random.normals(25)
    const y = t.map((x, i) => 2 * Math.exp(-x) + Math.exp(-1.05 * x) + 1e-3 * errors[i]!)
    return {
      start: Float64Array.of(1, 0.5, 1, 2),
      residual: (b) =>
        np.subtract(
          np.add(np.multiply(at(b, 0), decay(at(b, 1), t)), np.multiply(at(b, 2), decay(at(b, 3), t))),
          y,
        ),
    }
  },
  'nearly dependent columns'(random) {
    const [rows, n] = [12, 5]
    const a = random.normals(rows * n)
    for (let i = 0; i < rows; i++) a[i * n + 4] = a[i * n]! + 1e-9 * a[i * n + 4]!
    const [matrix, y] = [np.reshape(a, [rows, n]), random.normals(rows)]
    return {
      start: Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5),
      residual: (b) => np.subtract(np.matmul(matrix, np.add(b, np.multiply(0.1, np.square(b)))), y),
    }
  },
  'a sum and a product that alone matter'(random) {
    const y = random.normals(8)
    return {
      start: Float64Array.of(1, 1, 1, 1),
      residual(b) {
        const [sum, product] = [np.add(at(b, 0), at(b, 1)), np.multiply(at(b, 2), at(b, 3))]
        const all = [np.multiply(sum, [1, 2, 3, 4]), np.multiply(product, [1, -1, 2, 0.5])]
        return np.subtract(np.concatenate(all), y)
      },
    }
  },
  'a curved valley'(random) {
    return {
      start: random.normals(6),
      residual: (b) =>
        np.concatenate([
          np.multiply(10, np.subtract(np.slice(b, [1, 6]), np.square(np.slice(b, [0, 5])))),
          np.subtract(1, b),
        ]),
    }
  },
}
