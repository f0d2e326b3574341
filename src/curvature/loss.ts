import * as np from '../numpy/index.js'
import type { Tensor } from '../tensor/tensor.js'

/** A loss of one sample, and what its targets are. */
export interface Loss {
  readonly name: string
  /** Class numbers (int32 [batch]) or values of the shape of the outputs. */
  readonly targets: 'classes' | 'values'
  /** Losses of a batch: outputs [batch, ...] and targets to [batch]. */
  readonly perSample: (outputs: Tensor, targets: Tensor) => Tensor
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

const crossEntropy: Loss = {
  name: 'cross-entropy',
  targets: 'classes',
  perSample: (logits, classes) => np.negative(pick(np.logSoftmax(logits, { axis: 1 }), classes)),
}

const negativeLogLikelihood: Loss = {
  name: 'nll',
  targets: 'classes',
  perSample: (logProbabilities, classes) => np.negative(pick(logProbabilities, classes)),
}

const probabilityCrossEntropy: Loss = {
  name: 'probability-cross-entropy',
  targets: 'classes',
  perSample: (probabilities, classes) => np.negative(np.log(pick(probabilities, classes))),
}

const meanSquaredError: Loss = {
  name: 'mse',
  targets: 'values',
  perSample: (outputs, values) =>
    np.divide(overSample(np.square(np.subtract(outputs, values))), elements(outputs)),
}

const binaryCrossEntropy: Loss = {
  name: 'binary-cross-entropy',
  targets: 'values',
  perSample: (logits, values) =>
    np.divide(overSample(np.subtract(np.softplus(logits), np.multiply(logits, values))), elements(logits)),
}

/**
 * The losses by name, each a mean over samples:
 * - `cross-entropy`: -log softmax(outputs)[class], outputs are logits [batch, classes]
 * - `nll`: -outputs[class], outputs are log-probabilities
 * - `probability-cross-entropy`: -log outputs[class], outputs are probabilities
 * - `mse`: the mean over a sample's outputs of (output - value)^2
 * - `binary-cross-entropy`: the mean over outputs of log(1 + e^output) - value * output
 */
export const losses: Readonly<Record<string, Loss>> = Object.fromEntries(
  [crossEntropy, negativeLogLikelihood, probabilityCrossEntropy, meanSquaredError, binaryCrossEntropy].map(
    (loss) => [loss.name, loss],
  ),
)

/** The loss of that name. @throws naming the known ones. */
export function lossNamed(name: string): Loss {
  const loss = losses[name]
  if (!loss || !Object.hasOwn(losses, name))
    throw new Error(`loss: got ${JSON.stringify(name)}, expected one of ${Object.keys(losses).join(', ')}`)
  return loss
}
