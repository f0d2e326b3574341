export type Shape = readonly number[]

export function sizeOf(shape: Shape): number {
  let size = 1
  for (const n of shape) size *= n
  return size
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] as number
  }
  return strides
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis])
}

export function showShape(shape: Shape): string {
  return `[${shape.join(',')}]`
}

/** NumPy's broadcasting of several shapes; throws naming `where` when they do not fit. */
export function broadcastShapes(shapes: readonly Shape[], where = 'broadcast'): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1
    for (const shape of shapes) {
      const n = shape[axis - rank + shape.length] ?? 1
      if (n === 1 || n === size) continue
      if (size !== 1)
        throw new Error(`${where}: shapes ${shapes.map(showShape).join(' and ')} do not broadcast`)
      size = n
    }
    return size
  })
}

/** Maps -rank..rank-1 to 0..rank-1; throws naming `where` outside it. */
export function normalizeAxis(axis: number, rank: number, where: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new Error(`${where}: axis ${axis} is out of range for ${rank} dimension(s)`)
  return axis < 0 ? axis + rank : axis
}

export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}
