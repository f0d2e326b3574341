import { add } from '../../../ops/arithmetic.js'
import { reshape } from '../../../ops/broadcast.js'
import { convolution, convolutionImage } from '../../../ops/convolution.js'
import { pad, slice } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import type { Attributes } from '../attributes.js'
import { expectRank, type Operations, operation } from '../operation.js'
import { placeWindow } from './window.js'

/** One number for each channel, [C], shaped to go with values [N, C, ...spatial]. */
export function perChannel(b: Value, x: Value): Value {
  if (b.size !== x.shape[1])
    throw new Error(`${showType(b)} has not one number for each channel of ${showType(x)}`)
  return reshape(b, [b.size, ...x.shape.slice(2).map(() => 1)])
}

function checkKernel(x: Value, w: Value, attributes: Attributes): void {
  expectRank('input X', x, 3)
  if (w.shape.length !== x.shape.length)
    throw new Error(`the kernel ${showType(w)} and the input ${showType(x)} differ in rank`)
  const stated = attributes.ints('kernel_shape', w.shape.slice(2))
  if (stated.join() !== w.shape.slice(2).join())
    throw new Error(`kernel_shape is [${stated}], but the kernel is ${showType(w)}`)
}

const conv = operation<[Value, Value, Value?]>(2, 3, ([x, w, b], attributes, context) => {
  checkKernel(x, w, attributes)
  const groups = attributes.int('group', 1)
  const {
    window: _,
    stated: __,
    ...place
  } = placeWindow(x.shape.slice(2), w.shape.slice(2), attributes, context)
  if (groups < 1 || (w.shape[0] as number) % groups !== 0)
    throw new Error(`${groups} groups do not divide the ${w.shape[0]} kernels`)
  const result = convolution(x, w, { ...place, groups })
  return b ? add(result, perChannel(b, result)) : result
})

/**
 * The transpose of a convolution from [N, C, ...] to the input's shape: kernels [C, M/groups, ...] as there.
 * Output padding makes the result longer at its end, negative padding would cut it and is not supported.
 */
const convTranspose = operation<[Value, Value, Value?]>(2, 3, ([x, w, b], attributes, context) => {
  checkKernel(x, w, attributes)
  const [spatial, window] = [x.shape.slice(2), w.shape.slice(2)]
  const groups = attributes.int('group', 1)
  const ones = window.map(() => 1)
  const strides = attributes.ints('strides', ones)
  const dilation = attributes.ints('dilations', ones)
  const extra = attributes.ints(
    'output_padding',
    ones.map(() => 0),
  )
  const pads = attributes.ints('pads', [...ones, ...ones].fill(0))
  const mode = attributes.string('auto_pad', 'NOTSET')
  const same = mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
  const full = spatial.map(
    (n, axis) =>
      (n - 1) * (strides[axis] as number) + ((window[axis] as number) - 1) * (dilation[axis] as number) + 1,
  )
  const asked = attributes.has('output_shape')
    ? attributes.ints('output_shape').slice(-window.length)
    : same
      ? spatial.map((n, axis) => n * (strides[axis] as number))
      : undefined
  const cut = full.map((n, axis): [number, number] => {
    if (!asked)
      return mode === 'VALID' ? [0, 0] : [pads[axis] as number, pads[axis + window.length] as number]
    const total = n + (extra[axis] as number) - (asked[axis] as number)
    const less = Math.floor(total / 2)
    return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
  })
  const size = full.map(
    (n, axis) =>
      n + (extra[axis] as number) - (cut[axis] as [number, number])[0] - (cut[axis] as [number, number])[1],
  )
  context.reserve([x.shape[0] as number, (w.shape[1] as number) * groups, ...full])
  const whole = convolutionImage(x, w, {
    groups,
    strides,
    dilation,
    padding: ones.map(() => [0, 0] as const),
    spatial: full,
    window,
  })
  const result = crop(
    whole,
    cut.map((c) => c[0]),
    size,
  )
  return b ? add(result, perChannel(b, result)) : result
})

/** The box of `size` from `start` of the spatial axes, with zeros where it lies outside. */
function crop(x: Value, start: readonly number[], size: readonly number[]): Value {
  const spatial = x.shape.slice(2)
  const low = start.map((s) => Math.max(0, -s))
  const high = start.map((s, axis) => Math.max(0, s + (size[axis] as number) - (spatial[axis] as number)))
  const padded = pad(x, [0, 0, ...low], [0, 0, ...high])
  const from = start.map((s) => Math.max(0, s))
  const to = from.map((s, axis) => s + (size[axis] as number))
  return slice(padded, [0, 0, ...from], [...x.shape.slice(0, 2), ...to])
}

export const convolutionOperations: Operations = {
  Conv: conv,
  ConvTranspose: convTranspose,
}
