import type { Lowering } from '../program/lowering.js'
import type { Primitive } from '../program/primitive.js'
import { showType, type Type, type Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { range, type Shape, sameShape, sizeOf, stridesOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { apply } from './define.js'
import { type Window, windowPairs, windowPositions } from './window.js'

export interface PatchesParams extends Window {
  readonly window: Shape
}

export interface UnpatchesParams extends PatchesParams {
  /** Spatial shape of the array that the patches were taken from. */
  readonly spatial: Shape
}

const patchesOp: Primitive<PatchesParams> = {
  name: 'patches',
  pattern: 'moves',
  infer([x], params) {
    const { dtype, shape } = x as Type
    const { window } = params
    const lead = shape.length - window.length
    if (lead < 0)
      throw new Error(`patches: ${showType(x as Type)} has fewer axes than the window [${window}]`)
    const positions = windowPositions('patches', shape.slice(lead), window, params)
    return [{ dtype, shape: [...shape.slice(0, lead), sizeOf(window), ...positions] }]
  },
  evaluate([x], params, [output]) {
    const { dtype, shape } = output as Type
    const lead = (x as Tensor).shape.length - params.window.length
    const spatial = (x as Tensor).shape.slice(lead)
    const positions = shape.slice(lead + 1)
    const pairs = windowPairs(spatial, params.window, positions, params)
    const [from, to] = [sizeOf(spatial), sizeOf(positions)]
    const data = allocate(dtype, sizeOf(shape))
    for (let row = 0; row < sizeOf(shape.slice(0, lead)); row++)
      pairs.forEach((met, offset) => {
        const target = (row * pairs.length + offset) * to
        for (let i = 0; i < met.length; i += 2)
          data[target + (met[i] as number)] = (x as Tensor).data[
            row * from + (met[i + 1] as number)
          ] as number
      })
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(patchesOp, [t], params) : null],
  transpose({ cotangents: [ct], inputs: [x], params }) {
    const { shape } = x as Type
    return [
      ct ? unpatches(ct, { ...params, spatial: shape.slice(shape.length - params.window.length) }) : null,
    ]
  },
  batch: ({ inputs: [x], params }) => [patches(x as Value, params)],
  lower: (onnx, [x], { inputs: [type], params }) => [lowerPatches(onnx, x as string, type as Type, params)],
  flops: () => 0,
}

/**
 * The elements under every position of a sliding window, zero outside: [...lead, ...spatial] becomes
 * [...lead, prod(window), ...positions]. Also known as im2col.
 */
export function patches(x: Value, params: PatchesParams): Value {
  return apply(patchesOp, [x], params)
}

/** One strided slice for each offset in the window, put side by side. */
export function lowerPatches(onnx: Lowering, x: string, { shape }: Type, params: PatchesParams): string {
  const { window, strides, padding, dilation } = params
  const lead = shape.length - window.length
  const positions = windowPositions('patches', shape.slice(lead), window, params)
  const axes = range(window.length).map((axis) => axis + lead)
  const none = range(lead).map(() => 0)
  const padded = padNode(
    onnx,
    x,
    [...none, ...padding.map((p) => p[0])],
    [...none, ...padding.map((p) => p[1])],
  )
  const slices = range(sizeOf(window)).map((offset) => {
    const at = coordinates(offset, window).map((k, axis) => k * (dilation[axis] as number))
    const end = at.map((n, axis) => n + ((positions[axis] as number) - 1) * (strides[axis] as number) + 1)
    const part = onnx.node('Slice', [
      padded,
      onnx.int64(at),
      onnx.int64(end),
      onnx.int64(axes),
      onnx.int64(strides),
    ])
    return onnx.node('Unsqueeze', [part, onnx.int64([lead])])
  })
  return slices.length === 1 ? (slices[0] as string) : onnx.node('Concat', slices, { axis: lead })
}

const unpatchesOp: Primitive<UnpatchesParams> = {
  name: 'unpatches',
  pattern: 'sums',
  infer([x], params) {
    const { dtype, shape } = x as Type
    const { window, spatial } = params
    const lead = shape.slice(0, Math.max(0, shape.length - window.length - 1))
    const expected = [...lead, sizeOf(window), ...windowPositions('unpatches', spatial, window, params)]
    if (!sameShape(shape, expected))
      throw new Error(`unpatches: got ${showType(x as Type)}, expected shape [${expected}]`)
    return [{ dtype, shape: [...lead, ...spatial] }]
  },
  evaluate([x], params, [output]) {
    const { dtype, shape } = output as Type
    const lead = shape.length - params.window.length
    const positions = (x as Tensor).shape.slice(lead + 1)
    const pairs = windowPairs(params.spatial, params.window, positions, params)
    const [from, to] = [sizeOf(positions), sizeOf(params.spatial)]
    const data = allocate(dtype, sizeOf(shape))
    for (let row = 0; row < sizeOf(shape.slice(0, lead)); row++)
      pairs.forEach((met, offset) => {
        const source = (row * pairs.length + offset) * from
        for (let i = 0; i < met.length; i += 2) {
          const target = row * to + (met[i + 1] as number)
          data[target] =
            (data[target] as number) + ((x as Tensor).data[source + (met[i] as number)] as number)
        }
      })
    return [new Tensor(data, shape)]
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(unpatchesOp, [t], params) : null],
  transpose: ({ cotangents: [ct], params: { spatial: _, ...params } }) => [
    ct ? patches(ct, params as PatchesParams) : null,
  ],
  batch: ({ inputs: [x], params }) => [unpatches(x as Value, params)],
  lower: (onnx, [x], { inputs: [type], params }) => [lowerUnpatches(onnx, x as string, type as Type, params)],
  flops: ({ inputs: [x] }) => sizeOf((x as Type).shape),
}

/** Adds patches back where {@link patches} took them from: its transpose, also known as col2im. */
export function unpatches(x: Value, params: UnpatchesParams): Value {
  return apply(unpatchesOp, [x], params)
}

/**
 * Each offset's slice padded to its place, and summed. With strides, offsets that agree modulo the strides add to the
 * same sublattice of the array; the sublattices are interleaved in the end.
 */
export function lowerUnpatches(
  onnx: Lowering,
  x: string,
  { shape, dtype }: Type,
  params: UnpatchesParams,
): string {
  const { window, spatial, strides, padding, dilation } = params
  const lead = shape.length - window.length - 1
  const positions = shape.slice(lead + 1)
  const outer = shape.slice(0, lead)
  const none = outer.map(() => 0)
  const lattice = spatial.map((n, axis) => {
    const [before, after] = padding[axis] as readonly [number, number]
    return Math.ceil((n + before + after) / (strides[axis] as number))
  })
  const sums = new Map<string, string>()
  for (const offset of range(sizeOf(window))) {
    const at = coordinates(offset, window).map((k, axis) => k * (dilation[axis] as number))
    const before = at.map((n, axis) => Math.floor(n / (strides[axis] as number)))
    const after = lattice.map((n, axis) => n - (positions[axis] as number) - (before[axis] as number))
    const part = onnx.node('Gather', [x, onnx.constant(new Tensor(Int32Array.of(offset), []))], {
      axis: lead,
    })
    const placed = padNode(onnx, part, [...none, ...before], [...none, ...after])
    const residue = String(at.map((n, axis) => n % (strides[axis] as number)))
    const sum = sums.get(residue)
    sums.set(residue, sum ? onnx.node('Add', [sum, placed]) : placed)
  }
  const sublattices = range(sizeOf(strides)).map(
    (i) =>
      sums.get(String(coordinates(i, strides))) ??
      onnx.node('Expand', [onnx.constant(0, dtype), onnx.int64([...outer, ...lattice])]),
  )
  const whole = interleave(onnx, sublattices, outer, lattice, strides)
  const from = padding.map((p) => p[0])
  if (
    spatial.every(
      (n, axis) => from[axis] === 0 && n === (lattice[axis] as number) * (strides[axis] as number),
    )
  )
    return whole
  const to = from.map((n, axis) => n + (spatial[axis] as number))
  const axes = range(window.length).map((axis) => axis + lead)
  return onnx.node('Slice', [whole, onnx.int64(from), onnx.int64(to), onnx.int64(axes)])
}

/** Arrays [...outer, ...lattice], one for each residue modulo `strides`, as one finer array. */
function interleave(
  onnx: Lowering,
  parts: readonly string[],
  outer: Shape,
  lattice: Shape,
  strides: Shape,
): string {
  if (parts.length === 1) return parts[0] as string
  const lead = outer.length
  const rank = strides.length
  const stacked = onnx.node(
    'Concat',
    parts.map((part) => onnx.node('Unsqueeze', [part, onnx.int64([lead])])),
    { axis: lead },
  )
  const split = onnx.node('Reshape', [stacked, onnx.int64([...outer, ...strides, ...lattice])], {
    allowzero: 1,
  })
  const perm = [...range(lead), ...range(rank).flatMap((axis) => [lead + rank + axis, lead + axis])]
  const fine = lattice.map((n, axis) => n * (strides[axis] as number))
  return onnx.node('Reshape', [onnx.node('Transpose', [split], { perm }), onnx.int64([...outer, ...fine])], {
    allowzero: 1,
  })
}

/** The multi-index of a flat index into an array of `shape`. */
function coordinates(index: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % (shape[axis] as number))
}

export function padNode(
  onnx: Lowering,
  x: string,
  before: readonly number[],
  after: readonly number[],
): string {
  const pads = [...before, ...after]
  return pads.every((n) => n === 0) ? x : onnx.node('Pad', [x, onnx.int64(pads)])
}

export const patchOps: readonly Primitive[] = [patchesOp, unpatchesOp] as readonly Primitive[]
