import { add } from '../../../ops/arithmetic.js'
import { dot } from '../../../ops/dot.js'
import { gather, moveAxis } from '../../../ops/gather.js'
import type { Value } from '../../../program/value.js'
import { allocate, isFloat } from '../../../tensor/dtype.js'
import { range } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { type Context, int32, knownNumbers, type Operations, operation } from '../operation.js'
import { normalizeAxes } from './shape.js'

/** How one axis is resampled. */
interface AxisPlan {
  readonly input: number
  readonly output: number
  /** The length of the output over that of the input, as stated. */
  readonly scale: number
  /** The part of the input that is resampled, as fractions of its length; for tf_crop_and_resize. */
  readonly region: readonly [number, number]
}

interface Rule {
  readonly mode: string
  readonly coordinates: string
  readonly nearest: string
  readonly antialias: boolean
  readonly excludeOutside: boolean
  readonly cubic: number
  readonly extrapolation: number
}

/** Where the element `i` of the output lies on the input's axis. */
function coordinate(i: number, { input, output, scale, region }: AxisPlan, rule: string): number {
  const width = scale * input
  switch (rule) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return width === 1 ? -0.5 : (i + 0.5) / scale - 0.5
    case 'half_pixel_symmetric':
      return (input / 2) * (1 - output / width) + (i + 0.5) / scale - 0.5
    case 'align_corners':
      return width === 1 ? 0 : (i * (input - 1)) / (width - 1)
    case 'asymmetric':
      return i / scale
    case 'tf_crop_and_resize': {
      const span = (region[1] - region[0]) * (input - 1)
      return (width === 1 ? span / 2 : (i * span) / (width - 1)) + region[0] * (input - 1)
    }
    default:
      throw new Error(`unknown coordinate_transformation_mode "${rule}"`)
  }
}

/** The input element nearest to a coordinate. */
function nearestIndex(x: number, rule: string): number {
  switch (rule) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5)
    case 'floor':
      return Math.floor(x)
    case 'ceil':
      return Math.ceil(x)
    default:
      throw new Error(`unknown nearest_mode "${rule}"`)
  }
}

const triangle = (d: number) => Math.max(0, 1 - Math.abs(d))

/** Keys' cubic convolution kernel. */
function keys(d: number, a: number): number {
  const x = Math.abs(d)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

/** Weights of the input's elements around coordinate x; with antialiasing a kernel as wide as the output's spacing. */
function weightsAt(x: number, { input, scale }: AxisPlan, rule: Rule): [index: number, weight: number][] {
  const shrink = rule.antialias ? Math.min(scale, 1) : 1
  const reach = (rule.mode === 'linear' ? 1 : 2) / shrink
  const kernel = rule.mode === 'linear' ? triangle : (d: number) => keys(d, rule.cubic)
  const [first, last] = [Math.ceil(x - reach), Math.floor(x + reach)]
  const near = range(last - first + 1).map((k): [number, number] => [
    first + k,
    kernel((first + k - x) * shrink),
  ])
  const kept = rule.excludeOutside ? near.filter(([i]) => i >= 0 && i < input) : near
  const total = rule.antialias || rule.excludeOutside ? kept.reduce((sum, [, w]) => sum + w, 0) : 1
  return kept.map(([i, w]) => [Math.min(Math.max(i, 0), input - 1), w / total])
}

/** One axis resampled: a gather for the nearest element, else a product with the matrix of weights. */
function resample(x: Value, axis: number, plan: AxisPlan, rule: Rule, context: Context): Value {
  const { input, output } = plan
  const at = range(output).map((i) => coordinate(i, plan, rule.coordinates))
  const outside = (i: number) =>
    rule.coordinates === 'tf_crop_and_resize' && ((at[i] as number) < 0 || (at[i] as number) > input - 1)
  if (rule.mode === 'nearest' && !range(output).some(outside)) {
    const clamp = (i: number) => Math.min(Math.max(i, 0), input - 1)
    return gather(x, int32(at.map((c) => clamp(nearestIndex(c, rule.nearest)))), axis)
  }
  if (!isFloat(x.dtype)) throw new Error(`mode ${rule.mode} needs floats, got ${x.dtype}`)
  // With antialiasing, a small scale makes the kernel wide.
  context.reserve([output, Math.max(input, Math.ceil(4 / Math.min(plan.scale, 1)))])
  const matrix = allocate(x.dtype, output * input)
  const beyond = allocate(x.dtype, output)
  at.forEach((c, i) => {
    if (outside(i)) beyond[i] = rule.extrapolation
    else if (rule.mode === 'nearest')
      matrix[i * input + Math.min(Math.max(nearestIndex(c, rule.nearest), 0), input - 1)] = 1
    else
      for (const [j, weight] of weightsAt(c, plan, rule))
        matrix[i * input + j] = (matrix[i * input + j] as number) + weight
  })
  const product = dot(x, new Tensor(matrix, [output, input]), [[axis], [1]])
  const result = beyond.some((v) => v !== 0) ? add(product, new Tensor(beyond)) : product
  return moveAxis(result, x.shape.length - 1, axis)
}

/** Lengths and scales that `sizes` ask for, the proportions kept where the policy says so. */
function planSizes(
  lengths: readonly number[],
  sizes: readonly number[],
  policy: string,
): { scale: number; output: number }[] {
  const scales = sizes.map((size, i) => size / (lengths[i] as number))
  if (policy === 'stretch') return sizes.map((output, i) => ({ output, scale: scales[i] as number }))
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales)
  return lengths.map((n) => ({ scale, output: Math.floor(scale * n + 0.5) }))
}

function resizeAll(x: Value, plans: readonly (AxisPlan | undefined)[], rule: Rule, context: Context): Value {
  context.reserve(x.shape.map((n, axis) => plans[axis]?.output ?? n))
  return plans.reduce<Value>((resized, plan, axis) => {
    const same =
      !plan || (plan.scale === 1 && plan.output === plan.input && rule.coordinates !== 'tf_crop_and_resize')
    return same ? resized : resample(resized, axis, plan, rule, context)
  }, x)
}

const resize = operation<[Value, Value?, Value?, Value?]>(1, 4, ([x, ...inputs], attributes, context) => {
  const rank = x.shape.length
  const [roiInput, scalesInput, sizesInput] = context.opset < 11 ? [undefined, inputs[0], undefined] : inputs
  const numbers = (input: Value | undefined, what: string) =>
    input?.size ? knownNumbers(input, what) : undefined
  const axes = normalizeAxes(attributes.ints('axes', range(rank)), rank)
  const scales = numbers(scalesInput, 'input scales')
  const sizes = numbers(sizesInput, 'input sizes')
  const regions = numbers(roiInput, 'input roi')
  const asked = sizes ?? scales
  if (asked?.length !== axes.length)
    throw new Error(`got ${asked?.length ?? 0} scales or sizes, expected one for each of ${axes.length} axes`)
  const lengths = axes.map((axis) => x.shape[axis] as number)
  const planned = sizes
    ? planSizes(lengths, sizes, attributes.string('keep_aspect_ratio_policy', 'stretch'))
    : lengths.map((n, i) => ({ scale: asked[i] as number, output: Math.floor(n * (asked[i] as number)) }))
  const plans = range(rank).map((axis): AxisPlan | undefined => {
    const i = axes.indexOf(axis)
    if (i < 0) return undefined
    const region = [regions?.[i] ?? 0, regions?.[i + axes.length] ?? 1] as const
    return { ...(planned[i] as { scale: number; output: number }), input: lengths[i] as number, region }
  })
  return resizeAll(x, plans, ruleOf(attributes, context.opset), context)
})

function ruleOf(attributes: Attributes, opset: number): Rule {
  const mode = attributes.string('mode', 'nearest')
  if (!['nearest', 'linear', 'bilinear', 'cubic'].includes(mode)) throw new Error(`unknown mode "${mode}"`)
  return {
    mode: mode === 'bilinear' ? 'linear' : mode,
    coordinates: attributes.string(
      'coordinate_transformation_mode',
      opset < 11 ? 'asymmetric' : 'half_pixel',
    ),
    nearest: attributes.string('nearest_mode', opset < 11 ? 'floor' : 'round_prefer_floor'),
    antialias: attributes.flag('antialias'),
    excludeOutside: attributes.flag('exclude_outside'),
    cubic: attributes.float('cubic_coeff_a', -0.75),
    extrapolation: attributes.float('extrapolation_value', 0),
  }
}

/** Upsample (before opset 10): asymmetric coordinates, scales as an attribute before opset 9. */
const upsample = operation<[Value, Value?]>(1, 2, ([x, input], attributes, context) => {
  const scales = input ? knownNumbers(input, 'input scales') : attributes.floats('scales')
  if (scales.length !== x.shape.length)
    throw new Error(`got ${scales.length} scales, expected one for each of ${x.shape.length} axes`)
  const plans = x.shape.map((n, axis): AxisPlan => {
    const scale = scales[axis] as number
    return { input: n, output: Math.floor(n * scale), scale, region: [0, 1] }
  })
  return resizeAll(x, plans, ruleOf(attributes, 9), context)
})

export const resizeOperations: Operations = { Resize: resize, Upsample: upsample }
