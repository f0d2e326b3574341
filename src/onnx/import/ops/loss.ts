import { cast, div, mul, neg, select } from '../../../ops/arithmetic.js'
import { reduceSum, reshape } from '../../../ops/broadcast.js'
import { and, equal, not } from '../../../ops/compare.js'
import { dot } from '../../../ops/dot.js'
import { showType, type Value } from '../../../program/value.js'
import { range } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { expectRank, type Operations, operation } from '../operation.js'
import { logSoftmax, mean } from './reduce.js'

/**
 * The negative log-likelihood of int labels [N, ...] under log probabilities [N, C, ...]: the elements of the label's
 * class, weighted by class, without those of `ignore_index`; summed, or averaged by weight.
 */
function negativeLogLikelihood(
  x: Value,
  target: Value,
  weight: Value | undefined,
  attributes: Attributes,
): Value {
  expectRank('the input', x, 2)
  const [n, c, ...rest] = x.shape as [number, number, ...number[]]
  if (target.shape.join() !== [n, ...rest].join())
    throw new Error(`labels are ${showType(target)}, expected shape [${[n, ...rest]}] beside ${showType(x)}`)
  const classes = new Tensor(Int32Array.from(range(c)), [1, c, ...rest.map(() => 1)])
  const labelled = equal(reshape(cast(target, 'int32'), [n, 1, ...rest]), classes)
  const hit = attributes.has('ignore_index')
    ? and(labelled, not(equal(classes, fullTensor([], attributes.int('ignore_index'), 'int32'))))
    : labelled
  const chosen = neg(reduceSum(select(hit, x, 0), [1]))
  const hits = cast(hit, x.dtype)
  const weights = weight
    ? dot(hits, weight, [[1], [0]])
    : attributes.has('ignore_index')
      ? reduceSum(hits, [1])
      : undefined
  const losses = weight ? mul(chosen, weights as Value) : chosen
  const reduction = attributes.string('reduction', 'mean')
  const axes = range(losses.shape.length)
  if (reduction === 'none') return losses
  if (reduction === 'sum') return reduceSum(losses, axes)
  return weights ? div(reduceSum(losses, axes), reduceSum(weights, axes)) : mean(losses, axes)
}

export const lossOperations: Operations = {
  NegativeLogLikelihoodLoss: operation<[Value, Value, Value?]>(2, 3, ([x, target, weight], attributes) =>
    negativeLogLikelihood(x, target, weight, attributes),
  ),
  SoftmaxCrossEntropyLoss: operation<[Value, Value, Value?]>(
    2,
    3,
    ([x, target, weight], attributes, context) => {
      const logs = logSoftmax(x, 1)
      const loss = negativeLogLikelihood(logs, target, weight, attributes)
      return context.wants(1) ? [loss, logs] : loss
    },
  ),
}
