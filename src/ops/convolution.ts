import { type MaybeZero, type Params, type Primitive, Unknown } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate, type TypedArray } from '../tensor/dtype.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { add } from './arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from './broadcast.js'
import { lowerConvolution, lowerInput, lowerKernel } from './convolutionLowering.js'
import { apply, expectDtype, numbers, sumOf } from './define.js'
import { windowSpread, windowSum } from './pool.js'
import { bilinear } from './taylor.js'
import { type Window, windowPairs, windowPositions } from './window.js'

/**
 * Convolution and its two transposes are the three contractions of one trilinear form
 *
 *   T(x, w, y) = sum over n, o, c, p, k of  y[n,o,p] w[o,c,k] x[n, c, strides p + dilation k - padding]
 *
 * with images x [N, C, ...spatial], kernels w [O, C/groups, ...window] and results y [N, O, ...positions]:
 * each takes two of the three and returns the derivative of T in the third. So the three are each other's
 * derivatives and transposes, and the family is closed.
 */
export interface ConvolutionParams extends Window {
  readonly groups: number
  /** Spatial shape of the images. */
  readonly spatial: Shape
  /** Spatial shape of the kernels. */
  readonly window: Shape
}

type Role = 'image' | 'kernel' | 'result'

interface Sizes {
  batch: number
  groups: number
  /** Channels of a kernel, and results, per group. */
  channels: number
  results: number
  positions: number[]
}

/** The sizes of the form, read off the two operands that are given. */
function sizesOf(given: Partial<Record<Role, Type>>, params: ConvolutionParams): Sizes {
  const { groups, spatial, window } = params
  const { image, kernel, result } = given
  return {
    batch: ((image ?? result) as Type).shape[0] as number,
    groups,
    channels: kernel ? (kernel.shape[1] as number) : ((image as Type).shape[1] as number) / groups,
    results: ((result?.shape[1] ?? kernel?.shape[0]) as number) / groups,
    positions: windowPositions('convolution', spatial, window, params),
  }
}

/** The shape that an operand has. */
function shapeOf(role: Role, sizes: Sizes, { groups, spatial, window }: ConvolutionParams): number[] {
  if (role === 'image') return [sizes.batch, sizes.channels * groups, ...spatial]
  if (role === 'kernel') return [sizes.results * groups, sizes.channels, ...window]
  return [sizes.batch, sizes.results * groups, ...sizes.positions]
}

/** Visits every product y w x of the form; adds it, in double precision, to the operand `role`. */
function contractForm(role: Role, given: Partial<Record<Role, Tensor>>, params: ConvolutionParams): Tensor {
  const sizes = sizesOf(given, params)
  const { batch, groups, channels, results, positions } = sizes
  const dtype = (Object.values(given)[0] as Tensor).dtype
  const shape = shapeOf(role, sizes, params)
  const out = new Float64Array(sizeOf(shape))
  const image = given.image?.data ?? out
  const kernel = given.kernel?.data ?? out
  const result = given.result?.data ?? out
  const pairs = windowPairs(params.spatial, params.window, positions, params)
  const [nx, nw, ny] = [sizeOf(params.spatial), sizeOf(params.window), sizeOf(positions)]
  const run = { image: addToImage, kernel: addToKernel, result: addToResult }[role]
  for (let n = 0; n < batch; n++)
    for (let g = 0; g < groups; g++)
      for (let o = g * results; o < (g + 1) * results; o++)
        for (let c = 0; c < channels; c++)
          for (let k = 0; k < nw; k++) {
            const x = (n * groups * channels + g * channels + c) * nx
            run(
              image,
              x,
              kernel,
              (o * channels + c) * nw + k,
              result,
              (n * groups * results + o) * ny,
              pairs[k] as Int32Array,
            )
          }
  const data = allocate(dtype, out.length)
  data.set(out)
  return new Tensor(data, shape)
}

type Run = (
  x: TypedArray,
  xAt: number,
  w: TypedArray,
  wAt: number,
  y: TypedArray,
  yAt: number,
  pairs: Int32Array,
) => void

const addToResult: Run = (x, xAt, w, wAt, y, yAt, pairs) => {
  const weight = w[wAt] as number
  for (let i = 0; i < pairs.length; i += 2) {
    const at = yAt + (pairs[i] as number)
    y[at] = (y[at] as number) + weight * (x[xAt + (pairs[i + 1] as number)] as number)
  }
}

const addToImage: Run = (x, xAt, w, wAt, y, yAt, pairs) => {
  const weight = w[wAt] as number
  for (let i = 0; i < pairs.length; i += 2) {
    const at = xAt + (pairs[i + 1] as number)
    x[at] = (x[at] as number) + weight * (y[yAt + (pairs[i] as number)] as number)
  }
}

const addToKernel: Run = (x, xAt, w, wAt, y, yAt, pairs) => {
  let sum = w[wAt] as number
  for (let i = 0; i < pairs.length; i += 2)
    sum += (y[yAt + (pairs[i] as number)] as number) * (x[xAt + (pairs[i + 1] as number)] as number)
  w[wAt] = sum
}

/** The row of the member of the family that returns `role` from the other two. */
function member(
  name: string,
  role: Role,
  from: readonly [Role, Role],
  lower: NonNullable<Primitive<ConvolutionParams>['lower']>,
): Primitive<ConvolutionParams> {
  const operands = (inputs: readonly Type[]) => ({ [from[0]]: inputs[0], [from[1]]: inputs[1] })
  const primitive: Primitive<ConvolutionParams> = {
    name,
    pattern: (x, of, { outputs: [out], params }) =>
      convolutionPattern(from[of] as Role, role, x, (out as Type).shape, params),
    infer(inputs, params) {
      const given = operands(inputs)
      expectDtype(name, inputs[0] as Type, numbers)
      const sizes = sizesOf(given, params)
      if (!Number.isInteger(sizes.channels) || !Number.isInteger(sizes.results))
        throw new Error(
          `${name}: ${inputs.map(showType).join(' and ')} do not divide into ${params.groups} groups of channels`,
        )
      from.forEach((operand, i) => {
        const [type, expected] = [inputs[i] as Type, shapeOf(operand, sizes, params)]
        if (type.dtype !== (inputs[0] as Type).dtype || type.shape.join() !== expected.join())
          throw new Error(
            `${name}: the ${operand} is ${showType(type)}, expected [${expected}] beside ${showType(inputs[1 - i] as Type)} with ${params.groups} group(s)`,
          )
      })
      return [{ dtype: (inputs[0] as Type).dtype, shape: shapeOf(role, sizes, params) }]
    },
    evaluate: (inputs, params) => [
      contractForm(role, operands(inputs) as Partial<Record<Role, Tensor>>, params),
    ],
    derivative: ({ tangents: [ta, tb], inputs: [a, b], params }) => [
      sumOf(
        [
          ta ? apply(primitive, [ta, b as Value], params) : null,
          tb ? apply(primitive, [a as Value, tb], params) : null,
        ],
        add,
      ),
    ],
    taylor: bilinear((x, y, params) => apply(primitive, [x, y], params), add),
    transpose: ({ cotangents: [ct], inputs, params }) =>
      from.map((wanted, i): MaybeZero => {
        if (!ct || !(inputs[i] instanceof Unknown)) return null
        return family(wanted, { [role]: ct, [from[1 - i] as Role]: inputs[1 - i] as Value }, params)
      }),
    batch: ({ inputs, batched, size, params }) => [batchFamily(role, from, inputs, batched, size, params)],
    lower,
    flops({ inputs, params }) {
      const { batch, groups, channels, results, positions } = sizesOf(operands(inputs), params)
      return 2 * batch * groups * channels * results * sizeOf(params.window) * sizeOf(positions)
    },
  }
  return primitive
}

/** An operand of the form reaching another through the groups, channels and window positions that they share. */
function convolutionPattern(
  from: Role,
  to: Role,
  x: Value,
  shape: Shape,
  { groups, spatial, ...window }: ConvolutionParams,
): Value {
  const [lead, second, ...rest] = x.shape as [number, number, ...number[]]
  const axes = (first: number) => rest.map((_, i) => first + i)
  const ones = rest.map(() => 1)
  if (from === 'kernel') {
    const split = reshape(x, [groups, lead / groups, second, ...rest])
    const kept = to === 'result' ? 1 : 2
    const sums = reduceSum(split, [3 - kept, ...axes(3)])
    return broadcastTo(reshape(sums, [1, groups * (split.shape[kept] as number), ...ones]), shape)
  }
  const each = second / groups
  if (to === 'kernel') {
    const sums = reduceSum(x, [0, ...axes(2)])
    const kernel =
      from === 'result'
        ? reshape(sums, [second, 1, ...ones])
        : reshape(
            broadcastTo(reshape(sums, [groups, 1, each]), [groups, (shape[0] as number) / groups, each]),
            [shape[0] as number, each, ...ones],
          )
    return broadcastTo(kernel, shape)
  }
  const seen = to === 'result' ? windowSum(x, window) : windowSpread(x, { ...window, spatial })
  const grouped = reduceSum(reshape(seen, [lead, groups, each, ...seen.shape.slice(2)]), [2])
  const [, all, ...place] = shape as [number, number, ...number[]]
  return reshape(
    broadcastTo(reshape(grouped, [lead, groups, 1, ...place]), [lead, groups, all / groups, ...place]),
    shape,
  )
}

const members: Record<Role, { primitive: Primitive<ConvolutionParams>; from: readonly [Role, Role] }> = {
  result: {
    primitive: member('convolution', 'result', ['image', 'kernel'], lowerConvolution),
    from: ['image', 'kernel'],
  },
  image: {
    primitive: member('convolutionImage', 'image', ['result', 'kernel'], lowerInput),
    from: ['result', 'kernel'],
  },
  kernel: {
    primitive: member('convolutionKernel', 'kernel', ['image', 'result'], lowerKernel),
    from: ['image', 'result'],
  },
}

function family(role: Role, given: Partial<Record<Role, Value>>, params: ConvolutionParams): Value {
  const { primitive, from } = members[role]
  return apply(primitive, [given[from[0]] as Value, given[from[1]] as Value], params)
}

/**
 * A batch of convolutions as one. Where images and results carry the batch it joins their own; where
 * kernels do, it multiplies the groups.
 */
function batchFamily(
  role: Role,
  from: readonly [Role, Role],
  inputs: readonly Value[],
  batched: readonly boolean[],
  size: number,
  params: ConvolutionParams,
): Value {
  const kernelAt = from.indexOf('kernel')
  if (kernelAt >= 0 && !batched[kernelAt]) {
    const other = inputs[1 - kernelAt] as Value
    const [, n, ...rest] = other.shape as [number, number, ...number[]]
    const given = {
      [from[1 - kernelAt] as Role]: reshape(other, [size * n, ...rest]),
      kernel: inputs[kernelAt] as Value,
    }
    const out = family(role, given, params)
    return reshape(out, [size, n, ...out.shape.slice(1)])
  }
  const grouped = { ...params, groups: params.groups * size }
  const given: Partial<Record<Role, Value>> = {}
  from.forEach((operand, i) => {
    const x = inputs[i] as Value
    given[operand] = joinGroups(operand, batched[i] ? x : broadcastTo(x, [size, ...x.shape]))
  })
  return splitGroups(role, family(role, given, grouped), size)
}

/** [B, N, C, ...] -> [N, B C, ...]; kernels [B, O, C, ...] -> [B O, C, ...]. */
function joinGroups(role: Role, x: Value): Value {
  const [size, n, c, ...rest] = x.shape as [number, number, number, ...number[]]
  if (role === 'kernel') return reshape(x, [size * n, c, ...rest])
  const swapped = transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)])
  return reshape(swapped, [n, size * c, ...rest])
}

function splitGroups(role: Role, x: Value, size: number): Value {
  const [a, b, ...rest] = x.shape as [number, number, ...number[]]
  if (role === 'kernel') return reshape(x, [size, a / size, b, ...rest])
  const split = reshape(x, [a, size, b / size, ...rest])
  return transpose(split, [1, 0, ...split.shape.slice(2).map((_, i) => i + 2)])
}

/** Images [N, C, ...spatial] correlated with kernels [O, C/groups, ...window]: results [N, O, ...positions]. */
export function convolution(
  image: Value,
  kernel: Value,
  window: Window & { readonly groups: number },
): Value {
  const params = { ...window, spatial: image.shape.slice(2), window: kernel.shape.slice(2) }
  return family('result', { image, kernel }, params)
}

/** The transpose of {@link convolution} in its images, of the given `spatial` shape. */
export function convolutionImage(result: Value, kernel: Value, params: ConvolutionParams): Value {
  return family('image', { result, kernel }, params)
}

/** The transpose of {@link convolution} in its kernels, of the given `window` shape. */
export function convolutionKernel(image: Value, result: Value, params: ConvolutionParams): Value {
  return family('kernel', { image, result }, params)
}

export const convolutionOps: readonly Primitive[] = Object.values(members).map(
  (m) => m.primitive as Primitive<Params>,
)
