import { cast } from '../ops/arithmetic.js'
import { type Value, Var } from '../program/value.js'
import { type DType, isFloat, promote, type TypedArray } from '../tensor/dtype.js'
import { broadcastShapes, normalizeAxis, range } from '../tensor/shape.js'
import { type NestedNumbers, Tensor, tensor } from '../tensor/tensor.js'

/**
 * What may stand for a tensor in a call. Arrays of numbers are float64; a single number is weak: it takes
 * the dtype of the tensors beside it.
 */
export type ArrayLike = Tensor | TypedArray | NestedNumbers

/** Leaves of a call as values; a number becomes a float64 scalar. */
export function toValue(leaf: unknown): Value {
  return leaf instanceof Var ? leaf : tensor(leaf as ArrayLike)
}

/** A value as users see it. Inside a traced function it is a stand-in, which has the type's shape and dtype. */
export function toTensor(value: Value): Tensor {
  return value as unknown as Tensor
}

/**
 * Operands in their common dtype: bool < int32 < float32 < float64. Numbers are weak, but one that an integer
 * cannot hold makes integers float64.
 */
export function sameDtype(operands: readonly ArrayLike[], least: DType = 'bool'): Value[] {
  const strong = operands.filter((x) => typeof x !== 'number').map(toValue)
  const weak = operands.filter((x) => typeof x === 'number')
  let dtype = strong.reduce((common, x) => promote(common, x.dtype), least)
  if (strong.length === 0) dtype = 'float64'
  else if (weak.length > 0 && !isFloat(dtype))
    dtype = weak.every((x) => Number.isInteger(x) && (x | 0) === x) ? 'int32' : 'float64'
  let next = 0
  return operands.map((x) =>
    typeof x === 'number' ? tensor(x, { dtype }) : cast(strong[next++] as Value, dtype),
  )
}

/**
 * Operands of an elementwise operation, in their common dtype.
 * @throws naming `where` when the shapes do not broadcast.
 */
export function promoted(where: string, operands: readonly ArrayLike[], least: DType = 'bool'): Value[] {
  const values = sameDtype(operands, least)
  broadcastShapes(
    values.map((x) => x.shape),
    where,
  )
  return values
}

/** Operands in their common float dtype: integers and booleans become float64. */
export function promotedFloats(where: string, operands: readonly ArrayLike[]): Value[] {
  const values = promoted(where, operands)
  return isFloat((values[0] as Value).dtype) ? values : values.map((x) => cast(x, 'float64'))
}

/** A value to compute with: booleans become int32. */
export function toNumeric(x: ArrayLike): Value {
  const value = toValue(x)
  return value.dtype === 'bool' ? cast(value, 'int32') : value
}

/** A value of float dtype: integers and booleans become float64. */
export function toFloat(x: ArrayLike): Value {
  const value = toValue(x)
  return isFloat(value.dtype) ? value : cast(value, 'float64')
}

/** A truth value for each element: whether it is not 0. */
export function toBool(x: ArrayLike): Value {
  return cast(toValue(x), 'bool')
}

/**
 * Whole numbers as int32, for positions.
 * @throws naming `where` when a given number is not whole, or a traced value is not int32.
 */
export function toIntegers(where: string, x: ArrayLike): Value {
  const value = toValue(x)
  if (value.dtype === 'int32') return value
  if (value instanceof Tensor && value.dtype !== 'bool') {
    const wrong = value.data.find((i) => (i | 0) !== i)
    if (wrong === undefined) return cast(value, 'int32')
    throw new Error(`${where}: got ${wrong}, expected whole numbers`)
  }
  throw new Error(`${where}: got ${value.dtype}, expected int32; convert with astype(x, 'int32')`)
}

/** One axis, several, or (undefined) all of them, as sorted numbers 0..rank-1. */
export type Axis = number | readonly number[]

/** @throws naming `where` when an axis is out of range or named twice. */
export function toAxes(where: string, axis: Axis | undefined, rank: number): number[] {
  if (axis === undefined) return range(rank)
  const list = typeof axis === 'number' ? [axis] : axis
  const axes = list.map((a) => normalizeAxis(a, rank, where)).sort((a, b) => a - b)
  if (new Set(axes).size !== axes.length) throw new Error(`${where}: axis [${list}] names an axis twice`)
  return axes
}
