import { div } from '../ops/arithmetic.js'
import { convolution, convolutionImage } from '../ops/convolution.js'
import { maxPool as maxPoolOp, windowSum } from '../ops/pool.js'
import { type Window, windowPositions } from '../ops/window.js'
import { showType, type Value } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toFloat, toTensor } from './convert.js'

/** valid: none; same: as many positions as elements / stride; a number; or [before, after] for each axis. */
export type Padding = 'valid' | 'same' | number | readonly (number | readonly [number, number])[]

export interface WindowOptions {
  /** Steps of the window along each axis. Default 1 (pooling: the size of the window). */
  readonly strides?: number | readonly number[] | undefined
  readonly padding?: Padding | undefined
  /** Distance of neighbouring elements under the window. Default 1. */
  readonly dilation?: number | readonly number[] | undefined
}

export interface ConvOptions extends WindowOptions {
  /** Channels are split into so many groups that do not see each other. Default 1. */
  readonly groups?: number | undefined
}

function each(
  where: string,
  name: string,
  given: number | readonly number[],
  rank: number,
): readonly number[] {
  const list = typeof given === 'number' ? new Array<number>(rank).fill(given) : given
  if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < 1))
    throw new Error(`${where}: ${name} is [${list}], expected ${rank} whole number(s) of at least 1`)
  return list
}

function windowOf(
  where: string,
  spatial: Shape,
  size: Shape,
  options: WindowOptions,
  stride: readonly number[],
): Window {
  const rank = size.length
  if (spatial.length !== rank)
    throw new Error(
      `${where}: got ${spatial.length} spatial axes [${spatial}] and a window with ${rank} [${size}]`,
    )
  const strides = each(where, 'strides', options.strides ?? stride, rank)
  const dilation = each(where, 'dilation', options.dilation ?? 1, rank)
  const { padding = 'valid' } = options
  const pads = size.map((n, axis): readonly [number, number] => {
    if (padding === 'valid') return [0, 0]
    if (padding === 'same') {
      const [length, step] = [spatial[axis] as number, strides[axis] as number]
      const reach = (n - 1) * (dilation[axis] as number) + 1
      const total = Math.max(0, (Math.ceil(length / step) - 1) * step + reach - length)
      return [total >> 1, total - (total >> 1)]
    }
    const given = typeof padding === 'number' ? padding : padding[axis]
    return typeof given === 'number' ? [given, given] : (given as readonly [number, number])
  })
  const wrong = typeof padding === 'object' && padding.length !== rank
  if (wrong || pads.flat().some((n) => !Number.isInteger(n) || n < 0))
    throw new Error(
      `${where}: padding is ${JSON.stringify(padding)}, expected 'valid', 'same', a whole number, or one or [before, after] for each of ${rank} axes`,
    )
  return { strides, dilation, padding: pads }
}

function floats(where: string, x: ArrayLike, kernel: ArrayLike): [Value, Value] {
  const [a, b] = sameDtype([x, kernel], 'int32') as [Value, Value]
  const [image, weights] = isFloat(a.dtype) ? [a, b] : [toFloat(toTensor(a)), toFloat(toTensor(b))]
  if (image.shape.length < 3 || image.shape.length !== weights.shape.length)
    throw new Error(
      `${where}: got ${showType(image)} and kernel ${showType(weights)}, expected [N, C, ...spatial] and [.., .., ...window]`,
    )
  return [image, weights]
}

/**
 * y[n, o, p] = sum over c, k of kernel[o, c, k] x[n, c, strides p + dilation k - padding], as neural networks
 * call convolution: x [N, C, ...spatial], kernel [O, C / groups, ...window], result [N, O, ...positions].
 * @throws when channels do not fit the groups, or the window does not fit x.
 */
export function conv(x: ArrayLike, kernel: ArrayLike, options: ConvOptions = {}): Tensor {
  const [image, weights] = floats('conv', x, kernel)
  const { groups = 1 } = options
  const [channels, perGroup, results] = [image.shape[1], weights.shape[1], weights.shape[0]] as [
    number,
    number,
    number,
  ]
  if (channels !== perGroup * groups || results % groups !== 0)
    throw new Error(
      `conv: kernel ${showType(weights)} in ${groups} group(s) expects ${perGroup * groups} channels and results in multiples of ${groups}, got ${showType(image)}`,
    )
  const size = weights.shape.slice(2)
  const window = windowOf(
    'conv',
    image.shape.slice(2),
    size,
    options,
    size.map(() => 1),
  )
  windowPositions('conv', image.shape.slice(2), size, window)
  return toTensor(convolution(image, weights, { ...window, groups }))
}

export interface ConvTransposeOptions extends Omit<ConvOptions, 'padding'> {
  /** What {@link conv} was padded with. Default 'valid'. */
  readonly padding?: Exclude<Padding, 'same'> | undefined
  /** Elements added at the end of each axis: which of the shapes that conv maps to x's is meant. Default 0. */
  readonly outputPadding?: number | readonly number[] | undefined
}

/**
 * The transpose of {@link conv}: x [N, O, ...positions], kernel [O, C / groups, ...window], result
 * [N, C, ...spatial] with spatial = (positions - 1) strides + (window - 1) dilation + 1 - padding.
 * @throws when the channels do not fit the kernel.
 */
export function convTranspose(x: ArrayLike, kernel: ArrayLike, options: ConvTransposeOptions = {}): Tensor {
  const [result, weights] = floats('convTranspose', x, kernel)
  const { groups = 1, outputPadding = 0 } = options
  if (result.shape[1] !== weights.shape[0] || (weights.shape[0] as number) % groups !== 0)
    throw new Error(
      `convTranspose: kernel ${showType(weights)} in ${groups} group(s) expects ${weights.shape[0]} channels, got ${showType(result)}`,
    )
  const positions = result.shape.slice(2)
  const size = weights.shape.slice(2)
  const window = windowOf(
    'convTranspose',
    positions,
    size,
    options,
    size.map(() => 1),
  )
  const spatial = positions.map((n, axis) => {
    const [before, after] = window.padding[axis] as readonly [number, number]
    const reach = ((size[axis] as number) - 1) * (window.dilation[axis] as number) + 1
    const extra = typeof outputPadding === 'number' ? outputPadding : (outputPadding[axis] as number)
    return (n - 1) * (window.strides[axis] as number) + reach - before - after + extra
  })
  return toTensor(convolutionImage(result, weights, { ...window, groups, spatial, window: size }))
}

function pooled(where: string, x: ArrayLike, size: number | readonly number[], options: WindowOptions) {
  const value = toFloat(x)
  const rank = value.shape.length - 2
  if (rank < 1) throw new Error(`${where}: got ${showType(value)}, expected [N, C, ...spatial]`)
  const window = each(where, 'window', size, rank)
  const params = { ...windowOf(where, value.shape.slice(2), window, options, window), window }
  windowPositions(where, value.shape.slice(2), window, params)
  return { value, params }
}

/**
 * The largest element under each position of a window over x [N, C, ...spatial]; padding never wins, and those
 * that tie share the derivative equally.
 * @throws when the window does not fit.
 */
export function maxPool(
  x: ArrayLike,
  window: number | readonly number[],
  options: WindowOptions = {},
): Tensor {
  const { value, params } = pooled('maxPool', x, window, options)
  return toTensor(maxPoolOp(value, params))
}

export interface AvgPoolOptions extends WindowOptions {
  /** Whether padding counts as zeros in the mean. Default false. */
  readonly countPadding?: boolean | undefined
}

/** The mean under each position of a window over x [N, C, ...spatial]. @throws when the window does not fit. */
export function avgPool(
  x: ArrayLike,
  window: number | readonly number[],
  { countPadding = false, ...options }: AvgPoolOptions = {},
): Tensor {
  const { value, params } = pooled('avgPool', x, window, options)
  const total = windowSum(value, params)
  const padded = params.padding.flat().some((n) => n > 0)
  if (!padded || countPadding) return toTensor(div(total, sizeOf(params.window)))
  const counts = windowSum(fullTensor(value.shape.slice(2), 1, value.dtype), params)
  return toTensor(div(total, counts))
}
