import * as np from '../numpy/index.js'
import type { Tensor } from '../tensor/tensor.js'

/** What a random target is drawn from: standard normals, uniforms in (0, 1), or Gumbel variables. */
export type Noise = 'normal' | 'uniform' | 'gumbel'

/** A loss of one sample, what its targets are, and the law of targets whose -log density it is up to scale. */
export interface Loss {
  readonly name: string
  /** Class numbers (int32, of the shape of the outputs less their last axis) or values of the shape of the outputs. */
  readonly targets: 'classes' | 'values'
  /** Losses of a batch: outputs [batch, ...] and targets to [batch]. */
  readonly perSample: (outputs: Tensor, targets: Tensor) => Tensor
  /** F u, F the Fisher information of the outputs, for each sample. */
  readonly fisher: (outputs: Tensor, u: Tensor) => Tensor
  /** The columns r_1, ..., r_k of a root of F, [k, batch, ...]: F = sum_c r_c r_c^T for each sample. */
  readonly fisherRoot: (outputs: Tensor) => Tensor
  /** A random vector s of the shape of the outputs with E[s s^T] = F, from `noise` of that shape. */
  readonly score: (outputs: Tensor, noise: Tensor) => Tensor
  readonly noise: Noise
}

/** Sums each sample's entries: [batch, ...] to [batch]. */
function overSample(x: Tensor): Tensor {
  return np.sum(np.reshape(x, [x.shape[0]!, -1]), { axis: 1 })
}

/** The entry of each row [batch, classes] at its class. */
function pick(rows: Tensor, classes: Tensor): Tensor {
  return np.squeeze(np.takeAlongAxis(rows, np.expandDims(classes, 1), 1), { axis: 1 })
}

const elements = (x: Tensor) => x.size / x.shape[0]!

/** Unit vectors of a sample's outputs, [outputs, 1, ...outputs]. */
function units(outputs: Tensor): Tensor {
  const n = elements(outputs)
  return np.reshape(np.eye(n, { dtype: outputs.dtype }), [n, 1, ...outputs.shape.slice(1)])
}

/** The columns of diag(x) for each sample's entries: [batch, ...] to [outputs, batch, ...]. */
const diagonals = (x: Tensor) => np.multiply(units(x), x)

/** A class of each row with the probabilities softmax(logits), as rows of zeros and a one: the Gumbel-max trick. */
function randomClass(logits: Tensor, gumbel: Tensor): Tensor {
  const drawn = np.argmax(np.add(logits, gumbel), { axis: 1 })
  return np.oneHot(drawn, logits.shape[1]!, { dtype: logits.dtype })
}

const crossEntropy: Loss = {
  name: 'cross-entropy',
  targets: 'classes',
  perSample: (logits, classes) => np.negative(pick(np.logSoftmax(logits, { axis: 1 }), classes)),
  fisher(logits, u) {
    const p = np.softmax(logits, { axis: 1 })
    const pu = np.multiply(p, u)
    return np.subtract(pu, np.multiply(p, np.sum(pu, { axis: 1, keepdims: true })))
  },
  // sqrt(p_c) (e_c - p)
  fisherRoot(logits) {
    const p = np.softmax(logits, { axis: 1 })
    const root = np.expandDims(np.transpose(np.sqrt(p)), 2)
    return np.multiply(root, np.subtract(units(p), p))
  },
  noise: 'gumbel',
  score: (logits, gumbel) => np.subtract(np.softmax(logits, { axis: 1 }), randomClass(logits, gumbel)),
}

const negativeLogLikelihood: Loss = {
  name: 'nll',
  targets: 'classes',
  perSample: (logProbabilities, classes) => np.negative(pick(logProbabilities, classes)),
  fisher: (logProbabilities, u) => np.multiply(np.exp(logProbabilities), u),
  fisherRoot: (logProbabilities) => diagonals(np.exp(np.multiply(logProbabilities, 0.5))),
  noise: 'gumbel',
  score: randomClass,
}

const probabilityCrossEntropy: Loss = {
  name: 'probability-cross-entropy',
  targets: 'classes',
  perSample: (probabilities, classes) => np.negative(np.log(pick(probabilities, classes))),
  fisher: (probabilities, u) => np.divide(u, probabilities),
  fisherRoot: (probabilities) => diagonals(np.divide(1, np.sqrt(probabilities))),
  noise: 'gumbel',
  score: (probabilities, gumbel) => np.divide(randomClass(np.log(probabilities), gumbel), probabilities),
}

const meanSquaredError: Loss = {
  name: 'mse',
  targets: 'values',
  perSample: (outputs, values) =>
    np.divide(overSample(np.square(np.subtract(outputs, values))), elements(outputs)),
  fisher: (outputs, u) => np.multiply(u, 2 / elements(outputs)),
  fisherRoot: (outputs) => diagonals(np.fullLike(outputs, Math.sqrt(2 / elements(outputs)))),
  noise: 'normal',
  score: (outputs, normal) => np.multiply(normal, Math.sqrt(2 / elements(outputs))),
}

const binaryCrossEntropy: Loss = {
  name: 'binary-cross-entropy',
  targets: 'values',
  perSample: (logits, values) =>
    np.divide(overSample(np.subtract(np.softplus(logits), np.multiply(logits, values))), elements(logits)),
  fisher(logits, u) {
    const p = np.sigmoid(logits)
    return np.divide(np.multiply(np.multiply(p, np.subtract(1, p)), u), elements(logits))
  },
  fisherRoot(logits) {
    const p = np.sigmoid(logits)
    return diagonals(np.sqrt(np.divide(np.multiply(p, np.subtract(1, p)), elements(logits))))
  },
  noise: 'uniform',
  score(logits, uniform) {
    const p = np.sigmoid(logits)
    const drawn = np.where(np.less(uniform, p), np.onesLike(p), 0)
    return np.divide(np.subtract(p, drawn), Math.sqrt(elements(logits)))
  },
}

/** A loss of rows [batch, classes] for outputs [batch, ...positions, classes]: the mean over a sample's positions. */
function overPositions(loss: Loss): Loss {
  const rows = (x: Tensor) => np.reshape(x, [-1, x.shape.at(-1)!])
  const positions = (outputs: Tensor) => elements(outputs) / outputs.shape.at(-1)!
  const isRow = (outputs: Tensor) => outputs.shape.length === 2
  const like = (outputs: Tensor, x: Tensor, divisor: number) =>
    np.divide(np.reshape(x, outputs.shape), divisor)
  return {
    ...loss,
    perSample(outputs, classes) {
      if (isRow(outputs)) return loss.perSample(outputs, classes)
      const each = loss.perSample(rows(outputs), np.reshape(classes, [-1]))
      return np.mean(np.reshape(each, [outputs.shape[0]!, -1]), { axis: 1 })
    },
    fisher: (outputs, u) =>
      isRow(outputs)
        ? loss.fisher(outputs, u)
        : like(outputs, loss.fisher(rows(outputs), rows(u)), positions(outputs)),
    // Each column stands at one position and is zero at the others.
    fisherRoot(outputs) {
      if (isRow(outputs)) return loss.fisherRoot(outputs)
      const [n, t, classes] = [outputs.shape[0]!, positions(outputs), outputs.shape.at(-1)!]
      const columns = np.reshape(loss.fisherRoot(rows(outputs)), [1, -1, n, t, classes])
      const at = np.reshape(np.eye(t, { dtype: outputs.dtype }), [t, 1, 1, t, 1])
      const placed = np.divide(np.multiply(at, columns), Math.sqrt(t))
      return np.reshape(placed, [-1, ...outputs.shape])
    },
    // Scores of positions are independent and 0 in the mean, so that their products between positions are 0, too.
    score: (outputs, noise) =>
      isRow(outputs)
        ? loss.score(outputs, noise)
        : like(outputs, loss.score(rows(outputs), rows(noise)), Math.sqrt(positions(outputs))),
  }
}

/** The share of a sample's positions at which the largest output is that of its class: [batch]. */
export function shareRight(outputs: Tensor, classes: Tensor): Tensor {
  const found = np.reshape(np.argmax(outputs, { axis: outputs.shape.length - 1 }), [outputs.shape[0]!, -1])
  const right = np.equal(found, np.reshape(classes, found.shape))
  return np.mean(np.astype(right, outputs.dtype), { axis: 1 })
}

/**
 * The losses by name, each a mean over samples; those of classes also over positions where outputs have more axes between,
 * [batch, ...positions, classes], such as a language model's:
 * - `cross-entropy`: -log softmax(outputs)[class], outputs are logits [batch, classes]
 * - `nll`: -outputs[class], outputs are log-probabilities
 * - `probability-cross-entropy`: -log outputs[class], outputs are probabilities
 * - `mse`: the mean over a sample's outputs of (output - value)^2
 * - `binary-cross-entropy`: the mean over outputs of log(1 + e^output) - value * output
 */
export const losses: Readonly<Record<string, Loss>> = Object.fromEntries(
  [
    ...[crossEntropy, negativeLogLikelihood, probabilityCrossEntropy].map(overPositions),
    meanSquaredError,
    binaryCrossEntropy,
  ].map((loss) => [loss.name, loss]),
)

/** The loss of that name. @throws naming the known ones. */
export function lossNamed(name: string): Loss {
  const loss = losses[name]
  if (!loss || !Object.hasOwn(losses, name))
    throw new Error(`loss: got ${JSON.stringify(name)}, expected one of ${Object.keys(losses).join(', ')}`)
  return loss
}
