import { add, cast, mul, select } from '../../../ops/arithmetic.js'
import { reshape, transpose } from '../../../ops/broadcast.js'
import { equal } from '../../../ops/compare.js'
import { sliceAxis } from '../../../ops/slice.js'
import { logistic } from '../../../ops/smooth.js'
import type { Value } from '../../../program/value.js'
import { range } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import { expectRank, type Operations, operation } from '../operation.js'
import { joinHeads, splitHeads } from './attention.js'
import { perChannel } from './convolution.js'
import { gelu, geluTanh } from './elementwise.js'
import { matmul, scaled } from './matrix.js'
import { layerNorm, rmsNorm } from './normalization.js'
import { softmax } from './reduce.js'

const swapLast = (x: Value) => {
  const order = range(x.shape.length)
  return transpose(x, [...order.slice(0, -2), order.length - 1, order.length - 2])
}

/** softmax(Q K^T / sqrt(size) + mask) V with one matrix for Q, K and V; a mask [B, S] of int32 hides keys where it is 0. */
const attention = operation<[Value, Value, Value, Value?]>(3, 4, ([x, w, b, mask], attributes, context) => {
  expectRank('the input', x, 3, 3)
  const heads = attributes.int('num_heads')
  const hidden = (w.shape[1] as number) / 3
  const joint = add(matmul(x, w, context), b)
  const [q, k, v] = range(3).map((i) =>
    splitHeads(sliceAxis(joint, 2, i * hidden, (i + 1) * hidden), heads),
  ) as [Value, Value, Value]
  const scale = attributes.float('scale', 1 / Math.sqrt(hidden / heads))
  let scores = scaled(matmul(q, swapLast(k), context), scale)
  if (mask) {
    expectRank('input mask_index', mask, 2, 2)
    const [batch, keys] = mask.shape as [number, number]
    const hidden = equal(reshape(cast(mask, 'int32'), [batch, 1, 1, keys]), 0)
    scores = select(hidden, add(scores, attributes.float('mask_filter_value', -10000)), scores)
  }
  if (attributes.flag('unidirectional')) {
    const n = q.shape[2] as number
    const visible = new Tensor(
      Uint8Array.from(range(n * n), (i) => (i % n <= Math.floor(i / n) ? 1 : 0)),
      [n, n],
    )
    scores = select(visible, scores, Number.NEGATIVE_INFINITY)
  }
  return joinHeads(matmul(softmax(scores, 3), v, context))
})

/** Layer normalisation of the sum of two inputs and a bias; `simplified` leaves the mean and the shift out. */
const skipNorm = (simplified: boolean) =>
  operation<[Value, Value, Value, Value?, Value?]>(3, 5, ([x, skip, scale, ...rest], attributes, context) => {
    const [shift, bias] = simplified ? [undefined, rest[0]] : rest
    const sum = bias ? add(add(x, skip), bias) : add(x, skip)
    const epsilon = attributes.float('epsilon', 1e-12)
    const normal = simplified
      ? rmsNorm(sum, scale, -1, epsilon)
      : layerNorm(sum, scale, shift, -1, epsilon)[0]
    if (context.wants(1) || context.wants(2))
      throw new Error('the outputs mean and inv_std_var are not supported')
    return context.wants(3) ? [normal, normal, normal, sum] : normal
  })

/** Operators of ONNX Runtime's own domain, com.microsoft, that its optimiser puts in place of several standard ones. */
export const microsoftOperations: Operations = {
  Attention: attention,
  BiasGelu: operation<[Value, Value]>(2, 2, ([x, bias]) => gelu(add(x, bias))),
  FastGelu: operation<[Value, Value?]>(1, 2, ([x, bias]) => geluTanh(bias ? add(x, bias) : x)),
  FusedMatMul: operation<[Value, Value]>(2, 2, ([x, y], attributes, context) => {
    if (attributes.flag('transBatchA') || attributes.flag('transBatchB'))
      throw new Error('transBatchA and transBatchB are not supported')
    const left = attributes.flag('transA') ? swapLast(x) : x
    const right = attributes.flag('transB') ? swapLast(y) : y
    return scaled(matmul(left, right, context), attributes.float('alpha', 1))
  }),
  Gelu: operation<[Value]>(1, 1, ([x]) => gelu(x)),
  LayerNormalization: operation<[Value, Value, Value?]>(2, 3, ([x, scale, bias], attributes) =>
    layerNorm(x, scale, bias, attributes.int('axis', -1), attributes.float('epsilon', 1e-5)),
  ),
  QuickGelu: operation<[Value]>(1, 1, ([x], attributes) =>
    mul(x, logistic(mul(x, attributes.float('alpha', 1.702)))),
  ),
  SkipLayerNormalization: skipNorm(false),
  SkipSimplifiedLayerNormalization: skipNorm(true),
}

/** Operators that were retired from the standard: scale x + bias per channel. */
export const retiredOperations: Operations = {
  ImageScaler: operation<[Value]>(1, 1, ([x], attributes) => {
    const scaledImage = scaled(x, attributes.float('scale', 1))
    const bias = attributes.floats('bias', [])
    if (bias.length === 0) return scaledImage
    const values = x.dtype === 'float64' ? Float64Array.from(bias) : Float32Array.from(bias)
    return add(scaledImage, perChannel(new Tensor(values), x))
  }),
}
