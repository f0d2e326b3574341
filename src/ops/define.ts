import { bind } from '../program/builder.js'
import type { MaybeZero, Params, Primitive } from '../program/primitive.js'
import { showType, type Type, type Value, Var } from '../program/value.js'
import type { DType } from '../tensor/dtype.js'
import { tensor } from '../tensor/tensor.js'

export const floats: readonly DType[] = ['float64', 'float32']
export const numbers: readonly DType[] = ['float64', 'float32', 'int32']
export const anything: readonly DType[] = ['float64', 'float32', 'int32', 'bool']

/** An operand of an operation; a number takes the dtype of the tensors beside it. */
export type Operand = Value | number

/** A one-output primitive applied to values. */
export function apply<P extends Params>(
  primitive: Primitive<P>,
  inputs: readonly Operand[],
  params: P,
): Value {
  return bind(primitive, toValues(inputs), params)[0] as Value
}

/** Operands with numbers made scalars of the dtype of the first tensor among them. */
export function toValues(operands: readonly Operand[]): Value[] {
  const typed = operands.find((x): x is Value => typeof x !== 'number')
  const dtype = !typed ? 'float64' : typed.dtype === 'bool' && operands.length > 1 ? 'int32' : typed.dtype
  return operands.map((x) => (typeof x === 'number' ? tensor(x, { dtype }) : x))
}

/** x + y of tangents or cotangents, where null is zero. */
export function sumOf(terms: readonly MaybeZero[], add: (x: Value, y: Value) => Value): MaybeZero {
  let sum: MaybeZero = null
  for (const term of terms) if (term) sum = sum ? add(sum, term) : term
  return sum
}

export function isTraced(value: Value): value is Var {
  return value instanceof Var
}

/** Throws unless `input` has one of the `dtypes`. */
export function expectDtype(name: string, input: Type, dtypes: readonly DType[]): void {
  if (!dtypes.includes(input.dtype))
    throw new Error(`${name}: got ${showType(input)}, expected ${dtypes.join(' or ')}; cast it`)
}
