import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import type { EquationProblem } from './hockSchittkowski.js'

/** Logistic regression on random samples, the weights on a sphere and in a random subspace. */
export function constrainedLogistic(random: Random, samples: number, features: number): EquationProblem {
  const x = new Tensor(random.normals(samples * features), [samples, features])
  const labels = Float64Array.from({ length: samples }, () => (random.uniform() < 0.5 ? -1 : 1))
  const signed = np.multiply(np.reshape(new Tensor(labels), [samples, 1]), x)
  const matrix = new Tensor(random.normals(2 * features), [2, features])
  return {
    name: 'logistic regression',
    start: Array.from({ length: features }, () => 1 / Math.sqrt(features)),
    least: Number.NaN,
    value: (w) => np.mean(np.softplus(np.negative(np.matmul(signed, w)))),
    equations: (w) =>
      np.concatenate([np.matmul(matrix, w), np.reshape(np.subtract(np.sum(np.square(w)), 1), [1])]),
  }
}

/**
 * Optimal control of -y'' + y^3 = u on (0, 1), y = 0 at the ends: |y - wanted|^2 / 2 + price |u|^2 / 2, by differences at
 * `points` inner points. The parameters are y, then u h^2.
 */
export function ellipticControl(points: number, price = 4e-4): EquationProblem {
  const h = 1 / (points + 1)
  const wanted = new Tensor(Float64Array.from({ length: points }, (_, i) => Math.sin(Math.PI * (i + 1) * h)))
  const halves = (z: Tensor) =>
    [np.slice(z, [0, points]), np.slice(z, [points, 2 * points])] as [Tensor, Tensor]
  const end = new Tensor(new Float64Array(1))
  return {
    name: 'elliptic control',
    start: Array.from({ length: 2 * points }, () => 0),
    least: Number.NaN,
    value(z) {
      const [y, u] = halves(z)
      const miss = np.sum(np.square(np.subtract(y, wanted)))
      const cost = np.multiply(price / h ** 4, np.sum(np.square(u)))
      return np.multiply(0.5, np.add(miss, cost))
    },
    equations(z) {
      const [y, u] = halves(z)
      const left = np.concatenate([end, np.slice(y, [0, points - 1])])
      const right = np.concatenate([np.slice(y, [1, points]), end])
      const bend = np.subtract(np.multiply(2, y), np.add(left, right))
      return np.subtract(np.add(bend, np.multiply(h * h, np.power(y, 3))), u)
    },
  }
}
