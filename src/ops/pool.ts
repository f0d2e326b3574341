import type { Lowering } from '../program/lowering.js'
import type { Primitive } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { allocate, type DType } from '../tensor/dtype.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { fullTensor, Tensor } from '../tensor/tensor.js'
import { div, select } from './arithmetic.js'
import { broadcastTo, reduceSum, reshape } from './broadcast.js'
import { and, equal, indicator, less } from './compare.js'
import { apply, expectDtype, floats } from './define.js'
import { type PatchesParams, padNode, patches, type UnpatchesParams, unpatches } from './patches.js'
import { windowPairs, windowPositions } from './window.js'

/** The shape of one number for each position of the window. */
function pooledShape(where: string, { shape }: Type, params: PatchesParams): number[] {
  const lead = shape.length - params.window.length
  return [...shape.slice(0, lead), ...windowPositions(where, shape.slice(lead), params.window, params)]
}

/** Whether no element lies under two positions of the window. */
function areDisjoint({ window, strides, dilation }: PatchesParams): boolean {
  return window.every((n, axis) => strides[axis]! > (n - 1) * dilation[axis]!)
}

/** Arrays [...lead, ...spatial] as ONNX's [images, 1, ...spatial]. */
const asImages = (shape: Shape, rank: number): [images: number, one: number, ...spatial: number[]] => [
  sizeOf(shape.slice(0, shape.length - rank)),
  1,
  ...shape.slice(shape.length - rank),
]

const pads = ({ padding }: PatchesParams) => [...padding.map((p) => p[0]), ...padding.map((p) => p[1])]

const windowSumOp: Primitive<PatchesParams> = {
  name: 'windowSum',
  pattern: (x, _, { params }) => sumPatches(x, params),
  infer([x], params) {
    expectDtype('windowSum', x as Type, floats)
    return [{ dtype: (x as Type).dtype, shape: pooledShape('windowSum', x as Type, params) }]
  },
  evaluate: ([x], params) => [sumPatches(x as Tensor, params) as Tensor],
  derivative: ({ tangents: [t], params }) => [t ? windowSum(t, params) : null],
  transpose({ cotangents: [ct], inputs: [x], params }) {
    const { shape } = x as Type
    return [
      ct ? windowSpread(ct, { ...params, spatial: shape.slice(shape.length - params.window.length) }) : null,
    ]
  },
  batch: ({ inputs: [x], params }) => [windowSum(x as Value, params)],
  /**
   * A convolution with ones, all images being channels of one, which ONNX Runtime computes without matrix products.
   * It has none in float64.
   */
  lower(onnx, [x], { inputs, outputs: [output], params }) {
    const { dtype, shape } = inputs[0] as Type
    if (dtype !== 'float32') return [onnx.compose((x) => sumPatches(x, params), [x as string], inputs)]
    const { window, strides, dilation } = params
    const [images, one, ...spatial] = asImages(shape, window.length)
    const channels = onnx.node('Reshape', [x as string, onnx.int64([one, images, ...spatial])])
    const ones = onnx.constant(fullTensor([images, 1, ...window], 1, dtype))
    const place = { kernel_shape: window, strides, dilations: dilation, pads: pads(params) }
    const sums = onnx.node('Conv', [channels, ones], { ...place, group: images })
    return [onnx.node('Reshape', [sums, onnx.int64((output as Type).shape)])]
  },
  flops: ({ outputs: [out], params }) => sizeOf((out as Type).shape) * sizeOf(params.window),
}

/** The sum under every position of a sliding window: [...lead, ...spatial] becomes [...lead, ...positions]. */
export function windowSum(x: Value, params: PatchesParams): Value {
  return apply(windowSumOp, [x], params)
}

const sumPatches = (x: Value, params: PatchesParams) =>
  reduceSum(patches(x, params), [x.shape.length - params.window.length])

const windowSpreadOp: Primitive<UnpatchesParams> = {
  name: 'windowSpread',
  pattern: (x, _, { params }) => spreadPatches(x, params),
  infer([x], { spatial, ...params }) {
    const { dtype, shape } = x as Type
    expectDtype('windowSpread', x as Type, floats)
    const whole = [...shape.slice(0, shape.length - spatial.length), ...spatial]
    const expected = pooledShape('windowSpread', { dtype, shape: whole }, params as PatchesParams)
    if (expected.join() !== shape.join())
      throw new Error(`windowSpread: got ${dtype}[${shape}], expected shape [${expected}]`)
    return [{ dtype, shape: whole }]
  },
  evaluate: ([x], params) => [spreadPatches(x as Tensor, params) as Tensor],
  derivative: ({ tangents: [t], params }) => [t ? windowSpread(t, params) : null],
  transpose: ({ cotangents: [ct], params: { spatial: _, ...params } }) => [
    ct ? windowSum(ct, params as PatchesParams) : null,
  ],
  batch: ({ inputs: [x], params }) => [windowSpread(x as Value, params)],
  /** Windows side by side repeat every element, which is a resizing to the nearest; ONNX Runtime has none in float64. */
  lower(onnx, [x], { inputs, outputs: [output], params }) {
    const { dtype, shape } = inputs[0] as Type
    const { window, spatial } = params
    if (dtype !== 'float32' || !areSideBySide(params))
      return [onnx.compose((x) => spreadPatches(x, params), [x as string], inputs)]
    const rank = window.length
    const images = onnx.node('Reshape', [x as string, onnx.int64(asImages(shape, rank))])
    const scales = onnx.constant(new Tensor(Float32Array.of(1, 1, ...window), [rank + 2]))
    const nearest = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    const resized = onnx.node('Resize', [images, '', scales], nearest)
    const covered = window.map((n, axis) => n * shape[shape.length - rank + axis]!)
    const whole = zerosBehind(
      onnx,
      resized,
      [...asImages(shape, rank).slice(0, 2), ...covered],
      dtype,
      spatial,
    )
    return [onnx.node('Reshape', [whole, onnx.int64((output as Type).shape)])]
  },
  flops: ({ inputs: [x], params }) => sizeOf((x as Type).shape) * sizeOf(params.window),
}

/** Adds the number at every position of a window to all elements under it: the transpose of {@link windowSum}. */
export function windowSpread(x: Value, params: UnpatchesParams): Value {
  return apply(windowSpreadOp, [x], params)
}

function spreadPatches(x: Value, params: UnpatchesParams): Value {
  const lead = x.shape.length - params.window.length
  const [outer, positions] = [x.shape.slice(0, lead), x.shape.slice(lead)]
  const each = reshape(x, [...outer, 1, ...positions])
  return unpatches(broadcastTo(each, [...outer, sizeOf(params.window), ...positions]), params)
}

/** The zeros that are stored to be put behind an array; ONNX Runtime's Pad takes twice as long. */
const mostZeros = 2 ** 16

/** Images of `shape` with zeros behind them, up to the `spatial` shape. */
function zerosBehind(onnx: Lowering, x: string, shape: Shape, dtype: DType, spatial: Shape): string {
  const rest = spatial.map((n, axis) => n - shape[axis + 2]!)
  if (sizeOf(spatial) * shape[0]! > mostZeros * Math.min(...spatial))
    return padNode(onnx, x, [0, 0, ...rest.map(() => 0)], [0, 0, ...rest])
  const current = [...shape]
  return rest.reduce((name, n, i) => {
    if (n === 0) return name
    const axis = i + 2
    const zeros = fullTensor(
      current.map((length, k) => (k === axis ? n : length)),
      0,
      dtype,
    )
    current[axis] = spatial[i]!
    return onnx.node('Concat', [name, onnx.constant(zeros)], { axis })
  }, x)
}

/** Whether windows cover the array from its start without gaps or overlaps, up to a rest at the end. */
function areSideBySide({ window, strides, dilation, padding, spatial }: UnpatchesParams): boolean {
  return window.every(
    (n, axis) =>
      n === strides[axis] &&
      dilation[axis] === 1 &&
      padding[axis]![0] === 0 &&
      Math.floor((spatial[axis]! + padding[axis]![1]) / n) * n <= spatial[axis]!,
  )
}

const maxPoolOp: Primitive<PatchesParams> = {
  name: 'maxPool',
  infer([x], params) {
    expectDtype('maxPool', x as Type, floats)
    return [{ dtype: (x as Type).dtype, shape: pooledShape('maxPool', x as Type, params) }]
  },
  evaluate([x], params, [output]) {
    const { dtype, shape } = output as Type
    const lead = shape.length - params.window.length
    const spatial = (x as Tensor).shape.slice(lead)
    const positions = shape.slice(lead)
    const pairs = windowPairs(spatial, params.window, positions, params)
    const [from, to] = [sizeOf(spatial), sizeOf(positions)]
    const data = allocate(dtype, sizeOf(shape)).fill(Number.NEGATIVE_INFINITY)
    for (let row = 0; row < sizeOf(shape.slice(0, lead)); row++)
      for (const met of pairs)
        for (let i = 0; i < met.length; i += 2) {
          const target = row * to + (met[i] as number)
          data[target] = Math.max(
            data[target] as number,
            (x as Tensor).data[row * from + (met[i + 1] as number)] as number,
          )
        }
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], inputs: [x], outputs: [out], params }) => [
    t ? (areDisjoint(params) ? tangentOfDisjoint : tangentOfAny)(t, x as Value, out as Value, params) : null,
  ],
  batch: ({ inputs: [x], params }) => [maxPool(x as Value, params)],
  lower(onnx, [x], { inputs: [type], outputs: [output], params }) {
    const { shape } = type as Type
    const { window, strides, dilation } = params
    const rows = onnx.int64(asImages(shape, window.length))
    const pooled = onnx.node('MaxPool', [onnx.node('Reshape', [x as string, rows], { allowzero: 1 })], {
      kernel_shape: window,
      strides,
      dilations: dilation,
      pads: pads(params),
    })
    return [onnx.node('Reshape', [pooled, onnx.int64((output as Type).shape)], { allowzero: 1 })]
  },
  flops: ({ outputs: [out], params }) => sizeOf((out as Type).shape) * sizeOf(params.window),
}

/** The largest element under every position of a sliding window; elements that tie share the derivative equally. */
export function maxPool(x: Value, params: PatchesParams): Value {
  return apply(maxPoolOp, [x], params)
}

/** Where windows are disjoint, each element can be compared with the result of its only window. */
function tangentOfDisjoint(t: Value, x: Value, out: Value, params: PatchesParams): Value {
  const spatial = x.shape.slice(x.shape.length - params.window.length)
  const winners = equal(x, windowSpread(out, { ...params, spatial }))
  return div(windowSum(select(winners, t, 0), params), windowSum(indicator(winners, t), params))
}

function tangentOfAny(t: Value, x: Value, out: Value, params: PatchesParams): Value {
  const lead = t.shape.length - params.window.length
  const best = reshape(out, [...t.shape.slice(0, lead), 1, ...out.shape.slice(lead)])
  const padded = params.padding.flat().some((n) => n > 0)
  const tied = equal(patches(x, params), best)
  const inside = patches(fullTensor(t.shape.slice(lead), 1, t.dtype), params)
  const winners = padded ? and(tied, less(0, inside)) : tied
  const count = reduceSum(indicator(winners, t), [lead])
  return div(reduceSum(select(winners, patches(t, params), 0), [lead]), count)
}

export const poolOps: readonly Primitive[] = [windowSumOp, windowSpreadOp, maxPoolOp] as readonly Primitive[]
