import { add, cast, div, mul, select, sub } from '../../../ops/arithmetic.js'
import { broadcastTo, reshape, transpose } from '../../../ops/broadcast.js'
import { and, floor, lessEqual, round } from '../../../ops/compare.js'
import { dot } from '../../../ops/dot.js'
import { gather } from '../../../ops/gather.js'
import { abs, maximum, minimum } from '../../../ops/kinks.js'
import { reduceMax } from '../../../ops/reduce.js'
import { sliceAxis } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import { allocate } from '../../../tensor/dtype.js'
import { range, type Shape, sizeOf, stridesOf } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import { expectRank, knownNumbers, type Operations, operation } from '../operation.js'
import { mean } from './reduce.js'

/** What lies outside the image: zeros, its border, or its reflection about it. */
type Outside = 'zeros' | 'border' | 'reflection'

/** A coordinate folded into an axis of n elements whose border lies `margin` outside the first and last one. */
function reflect(x: Value, n: number, margin: number): Value {
  const [low, span] = [-margin, n - 1 + 2 * margin]
  if (span <= 0) return mul(x, 0)
  const moved = abs(sub(x, low))
  const period = 2 * span
  const phase = sub(moved, mul(floor(div(moved, period)), period))
  return add(minimum(phase, sub(period, phase)), low)
}

const clamp = (x: Value, n: number) => minimum(maximum(x, 0), n - 1)

/**
 * Elements of images [N, C, ...spatial] at whole-numbered coordinates [N, P] for each axis: [N, C, P], and zero
 * outside. Images are sampled at coordinates that were folded or clamped where they do not end in zeros.
 */
function pixels(image: Value, at: readonly Value[]): Value {
  const [n, c, ...spatial] = image.shape as [number, number, ...number[]]
  const strides = stridesOf(spatial)
  const inside = at
    .map((x, axis) => and(lessEqual(0, x), lessEqual(x, (spatial[axis] as number) - 1)))
    .reduce((a, b) => and(a, b))
  const index = at
    .map((x, axis) => mul(clamp(x, spatial[axis] as number), strides[axis] as number))
    .reduce((a, b) => add(a, b))
  const found = gather(reshape(image, [n, c, sizeOf(spatial)]), cast(index, 'int32'), 2, 1)
  const points = (at[0] as Value).shape[1] as number
  return select(reshape(inside, [n, 1, points]), found, 0)
}

/** Weights of the four elements around a coordinate, from its distance t to the second: Keys' kernel, a = -0.75. */
function cubicWeights(t: Value): Value[] {
  const a = -0.75
  const far = (d: Value) => add(mul(add(mul(add(mul(d, a), -5 * a), d), 8 * a), d), -4 * a)
  const near = (d: Value) => add(mul(mul(add(mul(d, a + 2), -(a + 3)), d), d), 1)
  const rest = sub(1, t)
  return [far(add(t, 1)), near(t), near(rest), far(add(rest, 1))]
}

/** For one axis: whole-numbered coordinates near x, each with its weight. */
function neighbours(x: Value, mode: string): { at: Value; weight: Value | undefined }[] {
  if (mode === 'nearest') return [{ at: round(x), weight: undefined }]
  const base = floor(x)
  const t = sub(x, base)
  if (mode === 'linear')
    return [
      { at: base, weight: sub(1, t) },
      { at: add(base, 1), weight: t },
    ]
  return cubicWeights(t).map((weight, i) => ({ at: add(base, i - 1), weight }))
}

/** Images [N, C, ...spatial] interpolated at coordinates [N, P] for each axis: [N, C, P]. */
export function sample(
  image: Value,
  at: readonly Value[],
  mode: string,
  outside: Outside,
  { margin = 0, combine = add }: { margin?: number; combine?: (x: Value, y: Value) => Value } = {},
): Value {
  const [n, , ...spatial] = image.shape as [number, number, ...number[]]
  const points = (at[0] as Value).shape[1] as number
  const fold = (x: Value, axis: number) => {
    const length = spatial[axis] as number
    if (outside === 'border') return clamp(x, length)
    return outside === 'reflection' ? clamp(reflect(x, length, margin), length) : x
  }
  const near = at.map((x) => neighbours(x, mode))
  let corners: { at: Value[]; weight: Value | undefined }[] = [{ at: [], weight: undefined }]
  near.forEach((choices, axis) => {
    corners = corners.flatMap((corner) =>
      choices.map(({ at, weight }) => ({
        at: [...corner.at, fold(at, axis)],
        weight: corner.weight && weight ? mul(corner.weight, weight) : (corner.weight ?? weight),
      })),
    )
  })
  return corners
    .map((corner) => {
      const values = pixels(image, corner.at)
      return corner.weight ? mul(values, reshape(corner.weight, [n, 1, points])) : values
    })
    .reduce((a, b) => combine(a, b))
}

/** Coordinates in the last axis, the first of which runs along the last spatial axis: a list in the order of the axes. */
function splitCoordinates(grid: Value): Value[] {
  const last = grid.shape.length - 1
  const [n, rank] = [grid.shape[0] as number, grid.shape[last] as number]
  const part = (i: number) => reshape(sliceAxis(grid, last, i, i + 1), [n, grid.size / Math.max(1, n * rank)])
  return range(rank).map((axis) => part(rank - 1 - axis))
}

const gridSample = operation<[Value, Value]>(2, 2, ([x, grid], attributes, context) => {
  expectRank('input X', x, 3)
  const spatial = x.shape.slice(2)
  if (
    grid.shape.length !== x.shape.length ||
    grid.shape.at(-1) !== spatial.length ||
    grid.shape[0] !== x.shape[0]
  )
    throw new Error(`the grid is ${showType(grid)}, which does not fit the image ${showType(x)}`)
  const modes: Record<string, string> = { bilinear: 'linear', bicubic: 'cubic' }
  const stated = attributes.string('mode', 'linear')
  const mode = modes[stated] ?? stated
  const outside = attributes.string('padding_mode', 'zeros')
  if (!['linear', 'nearest', 'cubic'].includes(mode)) throw new Error(`unknown mode "${stated}"`)
  if (!['zeros', 'border', 'reflection'].includes(outside))
    throw new Error(`unknown padding_mode "${outside}"`)
  const corners = attributes.flag('align_corners')
  const margin = corners ? 0 : 0.5
  const at = splitCoordinates(grid).map((g, axis) => {
    const n = spatial[axis] as number
    const position = corners ? mul(add(g, 1), (n - 1) / 2) : sub(mul(add(g, 1), n / 2), 0.5)
    // The coordinate is folded, and then again each element near it.
    if (outside === 'border') return clamp(position, n)
    return outside === 'reflection' ? reflect(position, n, margin) : position
  })
  const shape = grid.shape.slice(1, -1)
  context.reserve([...x.shape.slice(0, 2), ...shape])
  return reshape(sample(x, at, mode, outside as Outside, { margin }), [...x.shape.slice(0, 2), ...shape])
})

/** The coordinates, from -1 to 1, that an affine map [N, D, D+1] gives to the points of a grid. */
const affineGrid = operation<[Value, Value]>(2, 2, ([theta, input], attributes, context) => {
  expectRank('input theta', theta, 3, 3)
  const [n, , ...spatial] = knownNumbers(input, 'input size') as [number, number, ...number[]]
  const rank = spatial.length
  const corners = attributes.flag('align_corners')
  context.reserve([n, ...spatial, rank + 1])
  const strides = stridesOf(spatial)
  const points = allocate(theta.dtype, sizeOf(spatial) * (rank + 1))
  for (let p = 0; p < sizeOf(spatial); p++) {
    for (let axis = 0; axis < rank; axis++) {
      const length = spatial[axis] as number
      const i = Math.floor(p / (strides[axis] as number)) % length
      points[p * (rank + 1) + rank - 1 - axis] = corners
        ? length > 1
          ? (2 * i) / (length - 1) - 1
          : -1
        : (2 * i + 1) / length - 1
    }
    points[p * (rank + 1) + rank] = 1
  }
  const base = new Tensor(points, [...spatial, rank + 1])
  const product = dot(theta, base, [[2], [rank]])
  return transpose(product, [0, ...range(rank).map((i) => i + 2), 1])
})

/** A convolution whose window is moved, element by element, by offsets that the model computes. */
const deformableConvolution = operation<[Value, Value, Value, Value?, Value?]>(
  3,
  5,
  ([x, w, offset, b, mask], attributes, context) => {
    expectRank('input X', x, 4, 4)
    const [n, c, ...spatial] = x.shape as [number, number, ...number[]]
    const window = w.shape.slice(2)
    const [groups, offsetGroups] = [attributes.int('group', 1), attributes.int('offset_group', 1)]
    const ones = window.map(() => 1)
    const [strides, dilation] = [attributes.ints('strides', ones), attributes.ints('dilations', ones)]
    const pads = attributes.ints('pads', [...ones, ...ones].fill(0))
    const positions = offset.shape.slice(2)
    const [count, taps, rank] = [sizeOf(positions), sizeOf(window), window.length]
    context.reserve([n, c, taps, count])
    const regular = (axis: number) => {
      const [windowStride, positionStride] = [
        stridesOf(window)[axis] as number,
        stridesOf(positions)[axis] as number,
      ]
      const data = allocate(x.dtype, taps * count)
      for (let k = 0; k < taps; k++)
        for (let p = 0; p < count; p++)
          data[k * count + p] =
            (Math.floor(p / positionStride) % (positions[axis] as number)) * (strides[axis] as number) -
            (pads[axis] as number) +
            (Math.floor(k / windowStride) % (window[axis] as number)) * (dilation[axis] as number)
      return new Tensor(data, [1, 1, taps, count])
    }
    const lead = n * offsetGroups
    const moves = reshape(offset, [n, offsetGroups, taps, rank, count])
    const at = range(rank).map((axis) => {
      const move = reshape(sliceAxis(moves, 3, axis, axis + 1), [n, offsetGroups, taps, count])
      return reshape(add(move, regular(axis)), [lead, taps * count])
    })
    const images = reshape(x, [lead, c / offsetGroups, ...spatial])
    let columns = reshape(sample(images, at, 'linear', 'zeros'), [
      n,
      offsetGroups,
      c / offsetGroups,
      taps,
      count,
    ])
    if (mask) columns = mul(columns, reshape(mask, [n, offsetGroups, 1, taps, count]))
    const o = w.shape[0] as number
    const grouped = reshape(columns, [n, groups, (c / groups) * taps, count])
    const kernels = reshape(w, [groups, o / groups, (c / groups) * taps])
    const product = transpose(dot(kernels, grouped, [[2], [2]], [[0], [1]]), [2, 0, 1, 3])
    const result = reshape(product, [n, o, ...positions])
    return b ? add(result, reshape(b, [o, ...positions.map(() => 1)])) : result
  },
)

/** Regions of interest resampled to one size: the mean or the largest of samples in each bin. */
const roiAlign = operation<[Value, Value, Value]>(3, 3, ([x, rois, batchIndices], attributes, context) => {
  expectRank('input X', x, 4, 4)
  const [, c, height, width] = x.shape as [number, number, number, number]
  const bins: Shape = [attributes.int('output_height', 1), attributes.int('output_width', 1)]
  const perBin = attributes.int('sampling_ratio', 0)
  if (perBin < 1)
    throw new Error(
      'sampling_ratio 0 takes a number of samples that depends on values; export it with a positive one',
    )
  const scale = attributes.float('spatial_scale', 1)
  const halfPixel =
    context.opset >= 16 && attributes.string('coordinate_transformation_mode', 'half_pixel') === 'half_pixel'
  const count = rois.shape[0] as number
  const [rows, columns] = bins.map((n) => n * perBin) as [number, number]
  context.reserve([count, c, rows, columns])
  const corner = (i: number) => sub(mul(sliceAxis(rois, 1, i, i + 1), scale), halfPixel ? 0.5 : 0)
  const along = (from: Value, to: Value, n: number): Value => {
    const span = halfPixel ? sub(to, from) : maximum(sub(to, from), 1)
    const fractions = allocate(x.dtype, n)
    for (let i = 0; i < n; i++) fractions[i] = (i + 0.5) / n
    return add(from, mul(span, new Tensor(fractions, [1, n])))
  }
  const ys = along(corner(1), corner(3), rows)
  const xs = along(corner(0), corner(2), columns)
  const full = (v: Value, shape: Shape) =>
    reshape(broadcastTo(reshape(v, shape), [count, rows, columns]), [count, rows * columns])
  const [y, across] = [full(ys, [count, rows, 1]), full(xs, [count, 1, columns])]
  // A sample up to one element outside takes the border's value, beyond it is zero.
  const within = (v: Value, n: number) => and(lessEqual(-1, v), lessEqual(v, n))
  const valid = reshape(and(within(y, height), within(across, width)), [count, 1, rows * columns])
  const images = gather(x, cast(batchIndices, 'int32'), 0)
  const mode = attributes.string('mode', 'avg')
  if (mode !== 'avg' && mode !== 'max') throw new Error(`unknown mode "${mode}"`)
  // Of max, the standard takes the largest of the four weighted neighbours, not of their sums.
  const combine = mode === 'max' ? maximum : add
  const at = [clamp(y, height), clamp(across, width)]
  const values = select(valid, sample(images, at, 'linear', 'border', { combine }), 0)
  const binned = reshape(values, [count, c, bins[0] as number, perBin, bins[1] as number, perBin])
  return mode === 'max' ? reduceMax(binned, [3, 5]) : mean(binned, [3, 5])
})

export const samplingOperations: Operations = {
  AffineGrid: affineGrid,
  DeformConv: deformableConvolution,
  GridSample: gridSample,
  RoiAlign: roiAlign,
}
