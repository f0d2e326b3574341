import { range, type Shape, sizeOf, stridesOf } from '../tensor/shape.js'

/** A window sliding over the spatial axes of an array. Padding is [before, after] for each axis. */
export interface Window extends Record<string, unknown> {
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly dilation: readonly number[]
}

/** The number of window positions along each spatial axis. Throws naming `where` when the window does not fit. */
export function windowPositions(
  where: string,
  input: Shape,
  window: Shape,
  { strides, padding, dilation }: Window,
): number[] {
  const rank = window.length
  if (input.length !== rank || strides.length !== rank || padding.length !== rank || dilation.length !== rank)
    throw new Error(
      `${where}: ${input.length} spatial axes, but the window has ${rank}, strides ${strides.length}, padding ${padding.length}, dilation ${dilation.length}`,
    )
  return input.map((n, axis) => {
    const [before, after] = padding[axis] as readonly [number, number]
    const reach = ((window[axis] as number) - 1) * (dilation[axis] as number) + 1
    const positions = Math.floor((n + before + after - reach) / (strides[axis] as number)) + 1
    if (!(positions >= 1) || !((window[axis] as number) >= 1))
      throw new Error(
        `${where}: a window of ${reach} does not fit ${n} + ${before} + ${after} along spatial axis ${axis}`,
      )
    return positions
  })
}

/** For every offset in the window, pairs (window position, input element) that meet inside the array, as flat indices. */
export function windowPairs(input: Shape, window: Shape, positions: Shape, options: Window): Int32Array[] {
  const inputStrides = stridesOf(input)
  const along = input.map((n, axis) =>
    range(window[axis] as number).map((k) => {
      const met: [number, number][] = []
      for (let p = 0; p < (positions[axis] as number); p++) {
        const at =
          p * (options.strides[axis] as number) +
          k * (options.dilation[axis] as number) -
          (options.padding[axis] as readonly [number, number])[0]
        if (at >= 0 && at < n) met.push([p, at])
      }
      return met
    }),
  )
  const positionStrides = stridesOf(positions)
  const windowStrides = stridesOf(window)
  return range(sizeOf(window)).map((offset) => {
    let pairs: [number, number][] = [[0, 0]]
    for (let axis = 0, rest = offset; axis < input.length; axis++) {
      const k = Math.floor(rest / (windowStrides[axis] as number))
      rest -= k * (windowStrides[axis] as number)
      const met = (along[axis] as [number, number][][])[k] as [number, number][]
      pairs = pairs.flatMap(([position, element]) =>
        met.map(([p, at]): [number, number] => [
          position + p * (positionStrides[axis] as number),
          element + at * (inputStrides[axis] as number),
        ]),
      )
    }
    return Int32Array.from(pairs.flat())
  })
}
