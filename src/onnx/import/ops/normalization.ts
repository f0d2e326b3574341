import { add, div, mul, sub } from '../../../ops/arithmetic.js'
import { keepAxes, reduceSum, reshape } from '../../../ops/broadcast.js'
import { sqrt } from '../../../ops/smooth.js'
import { showType, type Value } from '../../../program/value.js'
import { normalizeAxis, range } from '../../../tensor/shape.js'
import { expectRank, expectWithin, type Operations, operation } from '../operation.js'
import { perChannel } from './convolution.js'
import { lpPower, lpRoot } from './pooling.js'
import { mean } from './reduce.js'

const inverseRoot = (variance: Value, epsilon: number) => div(1, sqrt(add(variance, epsilon)))

/** spatial = 0 (before opset 9) has statistics for every pixel: [C, ...spatial]. */
function spatialStatistics(v: Value, x: Value): Value {
  expectWithin('a statistic', v, x)
  return v
}

/** Mean and variance over axes that stay with length one. */
function moments(x: Value, axes: readonly number[]): { mean: Value; centred: Value; variance: Value } {
  const keep = keepAxes(x.shape, axes)
  const middle = reshape(mean(x, axes), keep)
  const centred = sub(x, middle)
  return { mean: middle, centred, variance: reshape(mean(mul(centred, centred), axes), keep) }
}

/** (x - mean) / sqrt(variance + epsilon) over axes. */
function standardize(x: Value, axes: readonly number[], epsilon: number): Value {
  const { centred, variance } = moments(x, axes)
  return mul(centred, inverseRoot(variance, epsilon))
}

/**
 * scale (x - mean) / sqrt(variance + epsilon) + bias with the stored mean and variance: the inference form, also
 * of models that were exported while training (before opset 14 their other outputs). Only with training_mode = 1
 * (opset 14) are the batch's own moments used, as that attribute asks.
 */
const batchNormalization = operation<[Value, Value, Value, Value, Value]>(
  5,
  5,
  ([x, scale, bias, runningMean, runningVariance], attributes) => {
    expectRank('input X', x, 2)
    const epsilon = attributes.float('epsilon', 1e-5)
    const along = (v: Value) => (v.shape.length > 1 ? spatialStatistics(v, x) : perChannel(v, x))
    const normalize = (middle: Value, variance: Value) => {
      const factor = mul(along(scale), inverseRoot(along(variance), epsilon))
      return add(mul(sub(x, along(middle)), factor), along(bias))
    }
    if (!attributes.flag('training_mode')) return normalize(runningMean, runningVariance)
    const axes = range(x.shape.length).filter((axis) => axis !== 1)
    const batch = moments(x, axes)
    const [middle, variance] = [batch.mean, batch.variance].map((v) => reshape(v, scale.shape)) as [
      Value,
      Value,
    ]
    const momentum = attributes.float('momentum', 0.9)
    const blend = (old: Value, now: Value) => add(mul(old, momentum), mul(now, 1 - momentum))
    return [normalize(middle, variance), blend(runningMean, middle), blend(runningVariance, variance)]
  },
)

/** The axes from `axis` on. */
const trailing = (x: Value, axis: number) =>
  range(x.shape.length).slice(normalizeAxis(axis, x.shape.length, 'attribute axis'))

export function layerNorm(
  x: Value,
  scale: Value | undefined,
  bias: Value | undefined,
  axis: number,
  epsilon: number,
) {
  if (scale) expectWithin('the scale', scale, x)
  if (bias) expectWithin('the bias', bias, x)
  const axes = trailing(x, axis)
  const { mean: middle, centred, variance } = moments(x, axes)
  const inverse = inverseRoot(variance, epsilon)
  const normal = mul(centred, inverse)
  const scaled = scale ? mul(normal, scale) : normal
  return [bias ? add(scaled, bias) : scaled, middle, inverse] as const
}

export function rmsNorm(x: Value, scale: Value | undefined, axis: number, epsilon: number): Value {
  if (scale) expectWithin('the scale', scale, x)
  const axes = trailing(x, axis)
  const square = reshape(mean(mul(x, x), axes), keepAxes(x.shape, axes))
  const normal = mul(x, inverseRoot(square, epsilon))
  return scale ? mul(normal, scale) : normal
}

const groupNormalization = operation<[Value, Value, Value]>(
  3,
  3,
  ([x, scale, bias], attributes, { opset }) => {
    expectRank('input X', x, 2)
    const groups = attributes.int('num_groups')
    const [n, c, ...spatial] = x.shape as [number, number, ...number[]]
    if (!(groups >= 1) || c % groups)
      throw new Error(`${groups} groups do not divide the ${c} channels of ${showType(x)}`)
    const grouped = reshape(x, [n, groups, c / groups, ...spatial])
    const axes = range(grouped.shape.length).slice(2)
    const normal = standardize(grouped, axes, attributes.float('epsilon', 1e-5))
    // Before opset 21 scale and bias are those of the groups.
    const perGroup = opset < 21 || scale.shape[0] !== c
    const shaped = perGroup ? normal : reshape(normal, x.shape)
    return reshape(add(mul(shaped, perChannel(scale, shaped)), perChannel(bias, shaped)), x.shape)
  },
)

export const normalizationOperations: Operations = {
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: operation<[Value, Value, Value]>(3, 3, ([x, scale, bias], attributes) => {
    expectRank('the input', x, 3)
    const axes = range(x.shape.length).slice(2)
    const normal = standardize(x, axes, attributes.float('epsilon', 1e-5))
    return add(mul(normal, perChannel(scale, x)), perChannel(bias, x))
  }),
  LayerNormalization: operation<[Value, Value, Value?]>(2, 3, ([x, scale, bias], attributes) =>
    layerNorm(x, scale, bias, attributes.int('axis', -1), attributes.float('epsilon', 1e-5)),
  ),
  LpNormalization: operation<[Value]>(1, 1, ([x], attributes) => {
    const axis = normalizeAxis(attributes.int('axis', -1), x.shape.length, 'attribute axis')
    const p = attributes.int('p', 2)
    const norm = lpRoot(reduceSum(lpPower(x, p), [axis]), p)
    return div(x, reshape(norm, keepAxes(x.shape, [axis])))
  }),
  MeanVarianceNormalization: operation<[Value]>(1, 1, ([x], attributes) => {
    const axes = attributes.ints('axes', [0, 2, 3]).map((axis) => normalizeAxis(axis, x.shape.length, 'axes'))
    const { centred, variance } = moments(x, axes)
    return div(centred, add(sqrt(variance), 1e-9))
  }),
  RMSNormalization: operation<[Value, Value]>(2, 2, ([x, scale], attributes) =>
    rmsNorm(x, scale, attributes.int('axis', -1), attributes.float('epsilon', 1e-5)),
  ),
}
