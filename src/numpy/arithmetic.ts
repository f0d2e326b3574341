import * as ops from '../ops/arithmetic.js'
import * as compare from '../ops/compare.js'
import { integerPow } from '../ops/integerPow.js'
import * as kinks from '../ops/kinks.js'
import { pow, sqrt } from '../ops/smooth.js'
import { remainder as truncatedRemainder } from '../ops/special.js'
import type { Value } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import { type ArrayLike, promoted, promotedFloats, toFloat, toNumeric, toTensor } from './convert.js'

type Binary = (x: Value, y: Value) => Value

function numeric(where: string, op: Binary, x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promoted(where, [x, y], 'int32') as [Value, Value]
  return toTensor(op(a, b))
}

/** x + y, broadcast. @throws when the shapes do not broadcast. */
export function add(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('add', ops.add, x, y)
}

/** x - y, broadcast. @throws when the shapes do not broadcast. */
export function subtract(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('subtract', ops.sub, x, y)
}

/** x y, broadcast. @throws when the shapes do not broadcast. */
export function multiply(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('multiply', ops.mul, x, y)
}

/** x / y, broadcast; integers give float64. @throws when the shapes do not broadcast. */
export function divide(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promotedFloats('divide', [x, y]) as [Value, Value]
  return toTensor(ops.div(a, b))
}

/**
 * x to the power y, broadcast. A whole JavaScript number y is repeated multiplication, whose derivatives of
 * every order are finite at x = 0; 0.5 is a square root, and negative y the reciprocal. Integer x gives an
 * integer for a whole number y >= 0, and float64 else.
 * @throws when the shapes do not broadcast.
 */
export function power(x: ArrayLike, y: ArrayLike): Tensor {
  if (typeof y === 'number' && typeof x !== 'number') {
    if (y < 0 && (Number.isInteger(y) || y === -0.5)) return reciprocal(power(x, -y))
    if (y === 0.5) return toTensor(sqrt(toFloat(x)))
    const base = toNumeric(x)
    if (y === 0) return fullTensor(base.shape, 1, base.dtype)
    if (Number.isSafeInteger(y)) return toTensor(integerPow(base, y))
  }
  const [a, b] = promotedFloats('power', [x, y]) as [Value, Value]
  return toTensor(pow(a, b))
}

/** x^2. */
export function square(x: ArrayLike): Tensor {
  return toTensor(integerPow(toNumeric(x), 2))
}

/** -x. */
export function negative(x: ArrayLike): Tensor {
  return toTensor(ops.neg(toNumeric(x)))
}

/** |x|; its derivative at 0 is 0. */
export function abs(x: ArrayLike): Tensor {
  return toTensor(kinks.abs(toNumeric(x)))
}

/** -1, 0 or 1; its derivative is 0. */
export function sign(x: ArrayLike): Tensor {
  return toTensor(compare.sign(toNumeric(x)))
}

/** 1 / x; integers give float64. */
export function reciprocal(x: ArrayLike): Tensor {
  return toTensor(ops.div(1, toFloat(x)))
}

/** x - y trunc(x / y), with the sign of x. @throws when the shapes do not broadcast. */
export function fmod(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('fmod', truncatedRemainder, x, y)
}

/** Where the truncated remainder r and the divisor y have opposite signs, so that rounding down is one less. */
function roundsDown(r: Value, y: Value): Value {
  const opposite = compare.not(compare.equal(compare.less(r, 0), compare.less(y, 0)))
  return compare.and(opposite, compare.not(compare.equal(r, 0)))
}

/**
 * x - y floor(x / y), with the sign of y: Python's %. Its derivatives are 1 in x and -floor(x / y) in y.
 * @throws when the shapes do not broadcast.
 */
export function remainder(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric(
    'remainder',
    (a, b) => {
      const r = truncatedRemainder(a, b)
      return ops.select(roundsDown(r, b), ops.add(r, b), r)
    },
    x,
    y,
  )
}

/** floor(x / y), exactly: Python's //. Its derivative is 0. @throws when the shapes do not broadcast. */
export function floorDivide(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric(
    'floorDivide',
    (x, y) => {
      const [a, b] = [ops.stopGradient(x), ops.stopGradient(y)]
      const r = truncatedRemainder(a, b)
      const truncated = ops.div(ops.sub(a, r), b)
      const quotient = ops.sub(truncated, compare.indicator(roundsDown(r, b), truncated))
      if (!isFloat(a.dtype)) return quotient
      return ops.select(compare.equal(b, 0), ops.div(a, b), compare.round(quotient))
    },
    x,
    y,
  )
}

/** The larger of x and y; at a tie each gets half of the derivative. NaN where either is NaN. */
export function maximum(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('maximum', kinks.maximum, x, y)
}

/** The smaller of x and y; at a tie each gets half of the derivative. NaN where either is NaN. */
export function minimum(x: ArrayLike, y: ArrayLike): Tensor {
  return numeric('minimum', kinks.minimum, x, y)
}

/** x limited to [low, high]; null is no limit. At a limit x gets half of the derivative. */
export function clip(x: ArrayLike, low: ArrayLike | null, high: ArrayLike | null): Tensor {
  const raised = low === null ? toTensor(toNumeric(x)) : numeric('clip', kinks.maximum, x, low)
  return high === null ? raised : numeric('clip', kinks.minimum, raised, high)
}

/** The largest integer not above x; its derivative is 0. */
export function floor(x: ArrayLike): Tensor {
  return rounded(compare.floor, x)
}

/** The smallest integer not below x; its derivative is 0. */
export function ceil(x: ArrayLike): Tensor {
  return rounded(compare.ceil, x)
}

/** The nearest integer, halves to the even one; its derivative is 0. */
export function round(x: ArrayLike): Tensor {
  return rounded(compare.round, x)
}

/** x without its fraction; its derivative is 0. */
export function trunc(x: ArrayLike): Tensor {
  return rounded((value) => ops.mul(compare.sign(value), compare.floor(kinks.abs(value))), x)
}

/** Integers are round already. */
function rounded(op: (x: Value) => Value, x: ArrayLike): Tensor {
  const value = toNumeric(x)
  return toTensor(isFloat(value.dtype) ? op(value) : value)
}
