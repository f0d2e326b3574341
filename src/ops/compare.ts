import type { Primitive } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { cast, onnxElementType } from './arithmetic.js'
import { anything, apply, floats, type Operand } from './define.js'
import { constantDerivative, elementwise } from './elementwise.js'

function comparison(
  name: string,
  symbol: string,
  onnx: string | NonNullable<Primitive['lower']>,
  scalar: (x: number, y: number) => boolean,
): Primitive {
  return elementwise({
    name,
    accepts: anything,
    output: 'bool',
    scalar: scalar as (...x: number[]) => never,
    expression: (x, y) => `+(${x} ${symbol} ${y})`,
    onnx,
    derivative: constantDerivative,
  })
}

/** ONNX orders numbers only, so bools are made integers. */
const order =
  (op: string): NonNullable<Primitive['lower']> =>
  (lowering, inputs, { inputs: [type] }) => {
    const isBool = (type as Type).dtype === 'bool'
    const numbers = isBool
      ? inputs.map((x) => lowering.node('Cast', [x], { to: onnxElementType.int32 }))
      : inputs
    return [lowering.node(op, numbers)]
  }

const equalOp = comparison('equal', '===', 'Equal', (x, y) => x === y)
const lessOp = comparison('less', '<', order('Less'), (x, y) => x < y)
const lessEqualOp = comparison('lessEqual', '<=', order('LessOrEqual'), (x, y) => x <= y)

const logic = (
  name: string,
  onnx: string,
  symbol: string,
  scalar: (x: number, y: number) => number,
): Primitive =>
  elementwise({
    name,
    accepts: ['bool'],
    scalar,
    expression: (x, y) => `${x} ${symbol} ${y}`,
    onnx,
    derivative: constantDerivative,
  })

const andOp = logic('and', 'And', '&', (x, y) => x & y)
const orOp = logic('or', 'Or', '|', (x, y) => x | y)

const notOp: Primitive = elementwise({
  name: 'not',
  accepts: ['bool'],
  scalar: (x) => 1 - x,
  expression: (x) => `1 - ${x}`,
  onnx: 'Not',
  derivative: constantDerivative,
})

/** A step function of one float: constant between its jumps, where its derivative is stated to be 0 too. */
function step(name: string, onnx: string, scalar: (x: number) => number): Primitive {
  return elementwise({
    name,
    accepts: floats,
    scalar: (x) => scalar(x as number),
    onnx,
    derivative: constantDerivative,
  })
}

const floorOp = step('floor', 'Floor', Math.floor)
const ceilOp = step('ceil', 'Ceil', Math.ceil)
const roundOp = step('round', 'Round', roundHalfEven)

function roundHalfEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

const signOp: Primitive = elementwise({
  name: 'sign',
  accepts: ['float64', 'float32', 'int32'],
  scalar: (x) => Math.sign(x as number),
  onnx: 'Sign',
  derivative: constantDerivative,
})

export const equal = (x: Operand, y: Operand): Value => apply(equalOp, [x, y], {})
export const less = (x: Operand, y: Operand): Value => apply(lessOp, [x, y], {})
export const lessEqual = (x: Operand, y: Operand): Value => apply(lessEqualOp, [x, y], {})
export const and = (x: Value, y: Value): Value => apply(andOp, [x, y], {})
export const or = (x: Value, y: Value): Value => apply(orOp, [x, y], {})
export const not = (x: Value): Value => apply(notOp, [x], {})
export const floor = (x: Value): Value => apply(floorOp, [x], {})
export const ceil = (x: Value): Value => apply(ceilOp, [x], {})

/** The nearest integer; halves go to the even one. */
export const round = (x: Value): Value => apply(roundOp, [x], {})

/** -1, 0 or 1; its derivative is 0. */
export const sign = (x: Operand): Value => apply(signOp, [x], {})

/** 1 where the mask holds, else 0, in the dtype of `like`. */
export function indicator(mask: Value, like: Type): Value {
  return cast(mask, isFloat(like.dtype) ? like.dtype : 'int32')
}

export const compareOps: readonly Primitive[] = [
  equalOp,
  lessOp,
  lessEqualOp,
  andOp,
  orOp,
  notOp,
  floorOp,
  ceilOp,
  roundOp,
  signOp,
]
