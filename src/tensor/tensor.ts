import { allocate, type DType, dtypeOf, type TypedArray } from './dtype.js'
import { type Shape, showShape, sizeOf } from './shape.js'

export type NestedNumbers = number | boolean | readonly NestedNumbers[]

/** An immutable n-dimensional array in row-major order. */
export class Tensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray

  /**
   * Wraps `data` (not copied) as a tensor of `shape`; the dtype is that of the typed array.
   * @throws when the length of `data` is not the product of `shape`.
   */
  constructor(data: TypedArray, shape: Shape = [data.length]) {
    if (data.length !== sizeOf(shape))
      throw new Error(
        `Tensor: data has ${data.length} elements, but shape ${showShape(shape)} holds ${sizeOf(shape)}`,
      )
    this.dtype = dtypeOf(data)
    this.shape = shape
    this.data = data
  }

  get size(): number {
    return this.data.length
  }

  /** The only element. @throws when there is not exactly one. */
  item(): number {
    if (this.data.length !== 1)
      throw new Error(`item: the tensor has shape ${showShape(this.shape)}, expected one element`)
    return this.data[0] as number
  }

  /** Nested JavaScript arrays of numbers (a number for rank 0). */
  toArray(): NestedNumbers {
    const build = (axis: number, offset: number, size: number): NestedNumbers => {
      if (axis === this.shape.length) return this.data[offset] as number
      const n = this.shape[axis] as number
      const step = n === 0 ? 0 : size / n
      return Array.from({ length: n }, (_, i) => build(axis + 1, offset + i * step, step))
    }
    return build(0, 0, this.size)
  }

  toString(): string {
    return `${this.dtype}${showShape(this.shape)}`
  }

  /** JavaScript's operators do not work on tensors, and would give NaN in silence. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw new Error(
      `${this} was used with a JavaScript operator; use functions of evolute/numpy (add, multiply, less, ...), ` +
        'or item() to get the number of a tensor of one element',
    )
  }
}

export type TensorLike = Tensor | TypedArray | NestedNumbers

/**
 * A tensor from a number, nested arrays, or a typed array (one dimension, or `shape`).
 * Numbers and arrays of them become float64, booleans bool, unless `dtype` says otherwise;
 * a typed array keeps its own dtype.
 * @throws when nested arrays are ragged or hold something other than numbers.
 */
export function tensor(value: TensorLike, options: { dtype?: DType; shape?: Shape } = {}): Tensor {
  const made = fromAny(value, options.dtype)
  const typed = options.dtype && options.dtype !== made.dtype ? castTensor(made, options.dtype) : made
  return options.shape ? new Tensor(typed.data, options.shape) : typed
}

/** A copy of `x` with elements converted to `dtype` (floats are truncated towards zero; bool is x != 0). */
export function castTensor(x: Tensor, dtype: DType): Tensor {
  const data = allocate(dtype, x.size)
  if (dtype === 'bool') for (let i = 0; i < x.size; i++) data[i] = x.data[i] === 0 ? 0 : 1
  else data.set(x.data)
  return new Tensor(data, x.shape)
}

/** A tensor of `shape` with every element `value`. */
export function fullTensor(shape: Shape, value: number, dtype: DType): Tensor {
  return new Tensor(allocate(dtype, sizeOf(shape)).fill(value), shape)
}

function fromAny(value: TensorLike, dtype: DType | undefined): Tensor {
  if (value === undefined || value === null)
    throw new Error(
      `tensor: got ${value}, expected a number, an array of numbers or a typed array; is a field missing?`,
    )
  if (value instanceof Tensor) return value
  if (ArrayBuffer.isView(value)) return new Tensor(value)
  const shape = nestedShape(value)
  const data = allocate(dtype ?? (firstLeaf(value) === 'boolean' ? 'bool' : 'float64'), sizeOf(shape))
  let next = 0
  const fill = (node: NestedNumbers, axis: number): void => {
    if (Array.isArray(node)) {
      if (node.length !== shape[axis])
        throw new Error(
          `tensor: ragged array, expected ${shape[axis] ?? 'a number'} at depth ${axis}, got ${node.length} elements`,
        )
      for (const child of node) fill(child, axis + 1)
      return
    }
    if (axis !== shape.length || (typeof node !== 'number' && typeof node !== 'boolean'))
      throw new Error(
        `tensor: expected numbers nested ${shape.length} deep, got ${String(node)} at depth ${axis}`,
      )
    data[next++] = Number(node)
  }
  fill(value, 0)
  return new Tensor(data, shape)
}

function nestedShape(value: NestedNumbers): number[] {
  const shape: number[] = []
  let node = value
  while (Array.isArray(node)) {
    shape.push(node.length)
    node = node[0] as NestedNumbers
  }
  return shape
}

function firstLeaf(value: NestedNumbers): string {
  let node: NestedNumbers | undefined = value
  while (Array.isArray(node)) node = node[0] as NestedNumbers | undefined
  return typeof node
}
