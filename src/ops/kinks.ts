import type { MaybeZero, Primitive } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { add, mul, select } from './arithmetic.js'
import { equal, less, sign } from './compare.js'
import { apply, floats, numbers, type Operand, sumOf } from './define.js'
import { elementwise, spread } from './elementwise.js'

/**
 * Piecewise smooth operations. At a kink each states one Clarke subderivative, the same in every mode:
 * 0 for |x| and relu at 0, half to each side at ties of max and min.
 */
const absOp: Primitive = elementwise({
  name: 'abs',
  accepts: numbers,
  scalar: (x) => Math.abs(x as number),
  onnx: 'Abs',
  derivative: ({ tangents: [t], inputs: [x] }) => [t ? mul(t, sign(x as Value)) : null],
})

const reluOp: Primitive = elementwise({
  name: 'relu',
  accepts: floats,
  scalar: (x) => (x < 0 ? 0 : x) as number,
  onnx: 'Relu',
  derivative: ({ tangents: [t], inputs: [x] }) => [t ? select(less(0, x as Value), t, 0) : null],
})

/** The tangent of an extremum: that of the winner, the mean of both at a tie. */
function winner(tx: MaybeZero, ty: MaybeZero, xWins: Value, tie: Value): MaybeZero {
  const share = (t: MaybeZero, wins: Value, loses: 0 | 1) =>
    t && select(tie, mul(t, 0.5), loses ? select(wins, 0, t) : select(wins, t, 0))
  return sumOf([share(tx, xWins, 0), share(ty, xWins, 1)], add)
}

function extremum(
  name: string,
  onnx: string,
  scalar: (...x: number[]) => number,
  wins: (x: Value, y: Value) => Value,
): Primitive {
  return elementwise({
    name,
    accepts: numbers,
    scalar,
    onnx,
    derivative: ({ tangents: [tx, ty], inputs: [x, y], outputs: [out] }) => [
      tx || ty
        ? spread(
            winner(tx ?? null, ty ?? null, wins(x as Value, y as Value), equal(x as Value, y as Value)),
            out as Type,
          )
        : null,
    ],
  })
}

const maximumOp = extremum('maximum', 'Max', Math.max, (x, y) => less(y, x))
const minimumOp = extremum('minimum', 'Min', Math.min, (x, y) => less(x, y))

/** |x|; derivative 0 at 0. */
export const abs = (x: Operand): Value => apply(absOp, [x], {})

/** max(x, 0); derivative 0 at 0. */
export const relu = (x: Value): Value => apply(reluOp, [x], {})

/** The larger of two; at a tie each gets half of the derivative. NaN where either is NaN. */
export const maximum = (x: Operand, y: Operand): Value => apply(maximumOp, [x, y], {})

/** The smaller of two; at a tie each gets half of the derivative. NaN where either is NaN. */
export const minimum = (x: Operand, y: Operand): Value => apply(minimumOp, [x, y], {})

export const kinkOps: readonly Primitive[] = [absOp, reluOp, maximumOp, minimumOp]
