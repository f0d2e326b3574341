import type { Lowering } from '../program/lowering.js'
import type { MaybeZero, Primitive, Series } from '../program/primitive.js'
import { Unknown } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { castTensor, type Tensor } from '../tensor/tensor.js'
import { sumTo } from './broadcast.js'
import { anything, apply, numbers, type Operand, sumOf, toValues } from './define.js'
import { constantDerivative, elementwise, spread } from './elementwise.js'
import { type Arithmetic, product, quotient } from './taylor.js'

/** A cotangent of the result summed to the shape of an input that is being transposed. */
function cotangentOf(
  input: Value | Unknown,
  ct: MaybeZero,
  scale: (ct: Value) => Value = (x) => x,
): MaybeZero {
  return ct && input instanceof Unknown ? sumTo(scale(ct), input.shape) : null
}

const addOp: Primitive = elementwise({
  name: 'add',
  accepts: numbers,
  scalar: (x, y) => x + y,
  expression: (x, y) => `${x} + ${y}`,
  onnx: 'Add',
  derivative: ({ tangents: [tx, ty], outputs: [out] }) => [
    tx && ty ? add(tx, ty) : spread(tx ?? ty ?? null, out as Type),
  ],
  transpose: ({ cotangents: [ct], inputs }) => inputs.map((x) => cotangentOf(x, ct as MaybeZero)),
})

const subOp: Primitive = elementwise({
  name: 'sub',
  accepts: numbers,
  scalar: (x, y) => x - y,
  expression: (x, y) => `${x} - ${y}`,
  onnx: 'Sub',
  derivative: ({ tangents: [tx, ty], outputs: [out] }) => [
    tx && ty ? sub(tx, ty) : spread(tx ?? (ty ? neg(ty) : null), out as Type),
  ],
  transpose: ({ cotangents: [ct], inputs: [x, y] }) => [
    cotangentOf(x as Value, ct as MaybeZero),
    cotangentOf(y as Value, ct as MaybeZero, neg),
  ],
})

const mulOp: Primitive = elementwise({
  name: 'mul',
  accepts: numbers,
  scalar: (x, y) => x * y,
  expression: (x, y) => `${x} * ${y}`,
  onnx: 'Mul',
  derivative: ({ tangents: [tx, ty], inputs: [x, y] }) => [
    sumOf([tx ? mul(tx, y as Value) : null, ty ? mul(x as Value, ty) : null], add),
  ],
  transpose: ({ cotangents: [ct], inputs: [x, y] }) => [
    cotangentOf(x as Value, ct as MaybeZero, (ct) => mul(ct, y as Value)),
    cotangentOf(y as Value, ct as MaybeZero, (ct) => mul(x as Value, ct)),
  ],
  taylor: ({ series: [x, y], outputs: [out] }) => [
    product(x as Series, y as Series, out as Value, arithmetic),
  ],
})

const divOp: Primitive = elementwise({
  name: 'div',
  accepts: numbers,
  scalar: (x, y) => x / y,
  expression: (x, y) => `${x} / ${y}`,
  onnx: 'Div',
  // (tx - out ty) / y, where ty, often the smaller, is negated first.
  derivative: ({ tangents: [tx, ty], inputs: [, y], outputs: [out] }) => {
    const numerator = sumOf([tx ?? null, ty ? mul(out as Value, neg(ty)) : null], add)
    return [numerator && div(numerator, y as Value)]
  },
  transpose: ({ cotangents: [ct], inputs: [x, y] }) => [
    cotangentOf(x as Value, ct as MaybeZero, (ct) => div(ct, y as Value)),
    null,
  ],
  taylor: ({ series: [x, y], outputs: [out] }) => [
    quotient(x as Series, y as Series, out as Value, arithmetic),
  ],
})

const negOp: Primitive = elementwise({
  name: 'neg',
  accepts: numbers,
  scalar: (x) => -x,
  expression: (x) => `-${x}`,
  onnx: 'Neg',
  derivative: ({ tangents: [t] }) => [t ? neg(t) : null],
  transpose: ({ cotangents: [ct] }) => [ct ? neg(ct) : null],
})

const stopGradientOp: Primitive = elementwise({
  name: 'stopGradient',
  accepts: anything,
  scalar: (x) => x,
  expression: (x) => x,
  onnx: 'Identity',
  derivative: constantDerivative,
  flops: 0,
})

const selectOp: Primitive = elementwise({
  name: 'select',
  accepts: anything,
  masked: true,
  scalar: (condition, x, y) => (condition ? x : y) as number,
  expression: (condition, x, y) => `${condition} ? ${x} : ${y}`,
  onnx: (lowering, [condition, x, y], { outputs: [type] }) => {
    const choice = [condition, x, y] as [string, string, string]
    return [(type as Type).dtype === 'bool' ? whereBool(lowering, ...choice) : lowering.node('Where', choice)]
  },
  derivative: ({ tangents: [, tx, ty], inputs: [condition], outputs: [out] }) => [
    tx || ty ? spread(select(condition as Value, tx ?? 0, ty ?? 0), out as Type) : null,
  ],
  transpose: ({ cotangents: [ct], inputs: [condition, x, y] }) => [
    null,
    cotangentOf(x as Value, ct as MaybeZero, (ct) => select(condition as Value, ct, 0)),
    cotangentOf(y as Value, ct as MaybeZero, (ct) => select(condition as Value, 0, ct)),
  ],
})

/** ONNX Runtime's Where has no bool kernel. */
function whereBool(lowering: Lowering, condition: string, x: string, y: string): string {
  const otherwise = lowering.node('And', [lowering.node('Not', [condition]), y])
  return lowering.node('Or', [lowering.node('And', [condition, x]), otherwise])
}

const castOp: Primitive<{ dtype: Type['dtype'] }> = {
  name: 'cast',
  pattern: (x) => x,
  infer: ([x], { dtype }) => [{ dtype, shape: (x as Type).shape }],
  evaluate: ([x], { dtype }) => [castTensor(x as Tensor, dtype)],
  derivative: ({ tangents: [t], params: { dtype } }) => [t && isFloat(dtype) ? cast(t, dtype) : null],
  transpose: ({ cotangents: [ct], inputs: [x] }) => [ct ? cast(ct, (x as Type).dtype) : null],
  batch: ({ inputs: [x], params }) => [cast(x as Value, params.dtype)],
  lower: (onnx, [x], { params }) => [onnx.node('Cast', [x as string], { to: onnxElementType[params.dtype] })],
  flops: () => 0,
}

/** ONNX's TensorProto.DataType numbers. */
export const onnxElementType: Readonly<Record<Type['dtype'], number>> = {
  float32: 1,
  int32: 6,
  bool: 9,
  float64: 11,
}

export const add = (x: Operand, y: Operand): Value => apply(addOp, [x, y], {})
export const sub = (x: Operand, y: Operand): Value => apply(subOp, [x, y], {})
export const mul = (x: Operand, y: Operand): Value => apply(mulOp, [x, y], {})
export const div = (x: Operand, y: Operand): Value => apply(divOp, [x, y], {})
export const neg = (x: Operand): Value => apply(negOp, [x], {})

/** What Taylor rules compute with. */
export const arithmetic: Arithmetic = { add, sub, mul, div }

/** x, treated as a constant by every derivative. */
export const stopGradient = (x: Value): Value => apply(stopGradientOp, [x], {})

/** x converted to `dtype`. */
export const cast = (x: Value, dtype: Type['dtype']): Value =>
  x.dtype === dtype ? x : apply(castOp, [x], { dtype })

/** Elementwise: x where the condition holds, else y. */
export function select(condition: Value, x: Operand, y: Operand): Value {
  const [a, b] = toValues([x, y]) as [Value, Value]
  return apply(selectOp, [condition, a, b], {})
}

export const arithmeticOps: readonly Primitive[] = [
  addOp,
  subOp,
  mulOp,
  divOp,
  negOp,
  stopGradientOp,
  selectOp,
  castOp as unknown as Primitive,
]
