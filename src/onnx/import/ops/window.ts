import type { Window } from '../../../ops/window.js'
import { type Shape, sizeOf } from '../../../tensor/shape.js'
import type { Attributes } from '../attributes.js'
import type { Context } from '../operation.js'

/** Where a window stops: pooling with ceil_mode lets the last one hang over the end. */
export interface PlacedWindow extends Window {
  readonly window: Shape
  /** The padding that the model asks for, without what ceil_mode adds after the end. */
  readonly stated: readonly (readonly [number, number])[]
}

/** Strides, dilations and padding of a convolution or pooling of `spatial` with a kernel of shape `window`. */
export function placeWindow(
  spatial: Shape,
  window: Shape,
  attributes: Attributes,
  context: Context,
): PlacedWindow {
  const ones = window.map(() => 1)
  const strides = attributes.ints('strides', ones)
  const dilation = attributes.ints('dilations', ones)
  const pads = attributes.ints('pads', [...ones, ...ones].fill(0))
  if (
    [strides, dilation, spatial].some((list) => list.length !== window.length) ||
    pads.length !== 2 * window.length
  )
    throw new Error(
      `kernel [${window}], strides [${strides}], dilations [${dilation}] and pads [${pads}] do not fit ${spatial.length} spatial axes`,
    )
  if ([...strides, ...dilation, ...window].some((n) => n < 1) || pads.some((n) => n < 0))
    throw new Error(
      `kernel [${window}], strides [${strides}], dilations [${dilation}], pads [${pads}]: out of range`,
    )
  const mode = attributes.string('auto_pad', 'NOTSET')
  const reach = window.map((n, axis) => (n - 1) * (dilation[axis] as number) + 1)
  const stated = spatial.map((n, axis): readonly [number, number] => {
    const [stride, span] = [strides[axis] as number, reach[axis] as number]
    if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
      const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + span - n)
      const less = Math.floor(total / 2)
      return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
    }
    if (mode === 'VALID') return [0, 0]
    return [pads[axis] as number, pads[axis + window.length] as number]
  })
  const ceil = attributes.flag('ceil_mode') && (mode === 'NOTSET' || mode === 'VALID')
  const padding = stated.map(([before, after], axis): readonly [number, number] => {
    if (!ceil) return [before, after]
    const [n, stride, span] = [spatial[axis] as number, strides[axis] as number, reach[axis] as number]
    let last = Math.ceil((n + before + after - span) / stride) * stride
    // A window that would start after the padded input's end, in its trailing padding, is dropped.
    if (last >= n + before) last -= stride
    return [before, Math.max(after, last + span - n - before)]
  })
  context.reserve([
    sizeOf(window),
    ...spatial.map((n, axis) => n + (padding[axis]?.[0] ?? 0) + (padding[axis]?.[1] ?? 0)),
  ])
  return { window, strides, dilation, padding, stated }
}
