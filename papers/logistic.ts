import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'

/** Logistic regression on random samples whose features have sizes from 0.1 to 10, and a point far from its minimum. */
export function badlyScaledLogistic(random: Random, samples: number, features: number) {
  const sizes = Array.from({ length: features }, (_, j) => 10 ** ((2 * j) / (features - 1) - 1))
  const noise = random.normals(samples * features)
  const x = new Tensor(
    noise.map((v, at) => v * sizes[at % features]!),
    [samples, features],
  )
  const labels = Float64Array.from({ length: samples }, () => (random.uniform() < 0.5 ? -1 : 1))
  const y = new Tensor(labels)
  const signed = np.multiply(np.reshape(y, [samples, 1]), x)
  const margins = (w: Tensor) => np.matmul(signed, w)
  const ridge = 1e-3
  const loss = (w: Tensor) =>
    np.add(np.mean(np.softplus(np.negative(margins(w)))), np.multiply(ridge / 2, np.sum(np.square(w))))
  /** The mean of g_i g_i^T over the samples' gradients, and the ridge. */
  const empiricalFisher = (w: Tensor) => {
    const slopes = np.multiply(np.reshape(np.sigmoid(np.negative(margins(w))), [samples, 1]), signed)
    const outer = np.divide(np.matmul(np.transpose(slopes), slopes), samples)
    return np.add(outer, np.multiply(ridge, np.eye(features)))
  }
  return { loss, empiricalFisher, start: new Float64Array(features).fill(3) }
}
