import type { Lowering } from '../program/lowering.js'
import type { Call } from '../program/primitive.js'
import type { Type } from '../program/value.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { lowerPatches, lowerUnpatches } from './patches.js'
import { type Window, windowPositions } from './window.js'

type ConvolutionCall = Call<Window & { groups: number; spatial: Shape; window: Shape }>

const pads = ({ padding }: Window) => [...padding.map((p) => p[0]), ...padding.map((p) => p[1])]

const reshapeTo = (onnx: Lowering, x: string, shape: Shape) =>
  onnx.node('Reshape', [x, onnx.int64(shape)], { allowzero: 1 })

function sizesOf({ inputs, params }: ConvolutionCall) {
  const positions = windowPositions('convolution', params.spatial, params.window, params)
  return {
    positions,
    offsets: sizeOf(params.window),
    places: sizeOf(positions),
    dtype: (inputs[0] as Type).dtype,
  }
}

/** Conv in float32; ONNX Runtime has none in float64, so there it is patches times kernels. */
export function lowerConvolution(onnx: Lowering, [x, w]: readonly string[], call: ConvolutionCall): string[] {
  const { params, inputs, outputs } = call
  const { strides, dilation, groups, window } = params
  const { offsets, places, dtype } = sizesOf(call)
  if (dtype === 'float32') {
    const attributes = {
      strides,
      dilations: dilation,
      group: groups,
      kernel_shape: window,
      pads: pads(params),
    }
    return [onnx.node('Conv', [x as string, w as string], attributes)]
  }
  const [n, c] = (inputs[0] as Type).shape as [number, number]
  const results = ((inputs[1] as Type).shape[0] as number) / groups
  const columns = reshapeTo(onnx, lowerPatches(onnx, x as string, inputs[0] as Type, params), [
    n,
    groups,
    (c / groups) * offsets,
    places,
  ])
  const kernels = reshapeTo(onnx, w as string, [1, groups, results, (c / groups) * offsets])
  return [reshapeTo(onnx, onnx.node('MatMul', [kernels, columns]), (outputs[0] as Type).shape)]
}

/** ConvTranspose in float32; in float64 kernels times results, put back as patches. */
export function lowerInput(onnx: Lowering, [y, w]: readonly string[], call: ConvolutionCall): string[] {
  const { params, inputs, outputs } = call
  const { strides, dilation, groups, window, padding, spatial } = params
  const { positions, offsets, places, dtype } = sizesOf(call)
  if (dtype === 'float32') {
    const output_padding = spatial.map((n, axis) => {
      const [before, after] = padding[axis] as readonly [number, number]
      const reach = ((window[axis] as number) - 1) * (dilation[axis] as number) + 1
      return n + before + after - reach - ((positions[axis] as number) - 1) * (strides[axis] as number)
    })
    const attributes = {
      strides,
      dilations: dilation,
      group: groups,
      kernel_shape: window,
      pads: pads(params),
      output_padding,
    }
    return [onnx.node('ConvTranspose', [y as string, w as string], attributes)]
  }
  const [n, o] = (inputs[0] as Type).shape as [number, number]
  const channels = (inputs[1] as Type).shape[1] as number
  const kernels = onnx.node(
    'Transpose',
    [reshapeTo(onnx, w as string, [1, groups, o / groups, channels * offsets])],
    { perm: [0, 1, 3, 2] },
  )
  const columns = onnx.node('MatMul', [
    kernels,
    reshapeTo(onnx, y as string, [n, groups, o / groups, places]),
  ])
  const shape = [n, groups * channels, offsets, ...positions]
  const sum = lowerUnpatches(onnx, reshapeTo(onnx, columns, shape), { dtype, shape }, params)
  return [reshapeTo(onnx, sum, (outputs[0] as Type).shape)]
}

/** Patches of the images times the results: a Conv with results as its kernels is many times slower. */
export function lowerKernel(onnx: Lowering, [x, y]: readonly string[], call: ConvolutionCall): string[] {
  const { params, inputs, outputs } = call
  const { groups } = params
  const { offsets, places } = sizesOf(call)
  const [n, c] = (inputs[0] as Type).shape as [number, number]
  const o = (inputs[1] as Type).shape[1] as number
  const patches = lowerPatches(onnx, x as string, inputs[0] as Type, params)
  const columns = reshapeTo(onnx, patches, [n, groups, (c / groups) * offsets, places])
  const results = reshapeTo(onnx, y as string, [n, groups, o / groups, places])
  const each = onnx.node('MatMul', [results, onnx.node('Transpose', [columns], { perm: [0, 1, 3, 2] })])
  const sum = onnx.node('ReduceSum', [each, onnx.int64([0])], { keepdims: 0 })
  return [reshapeTo(onnx, sum, (outputs[0] as Type).shape)]
}
