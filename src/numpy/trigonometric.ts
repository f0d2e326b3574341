import { add, div, mul, select, stopGradient } from '../ops/arithmetic.js'
import { equal } from '../ops/compare.js'
import { abs, maximum } from '../ops/kinks.js'
import { tanh as tanhOp } from '../ops/smooth.js'
import { atan2 } from '../ops/special.js'
import * as ops from '../ops/trigonometric.js'
import type { Value } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, promotedFloats, toFloat, toTensor } from './convert.js'
import { safeSqrt } from './safe.js'

/** sin x, in radians. */
export function sin(x: ArrayLike): Tensor {
  return toTensor(ops.sin(toFloat(x)))
}

/** cos x, in radians. */
export function cos(x: ArrayLike): Tensor {
  return toTensor(ops.cos(toFloat(x)))
}

/** tan x, in radians. */
export function tan(x: ArrayLike): Tensor {
  return toTensor(ops.tan(toFloat(x)))
}

/** The angle in [-pi/2, pi/2] whose sine is x. */
export function arcsin(x: ArrayLike): Tensor {
  return toTensor(ops.asin(toFloat(x)))
}

/** The angle in [0, pi] whose cosine is x. */
export function arccos(x: ArrayLike): Tensor {
  return toTensor(ops.acos(toFloat(x)))
}

/** The angle in [-pi/2, pi/2] whose tangent is x. */
export function arctan(x: ArrayLike): Tensor {
  return toTensor(ops.atan(toFloat(x)))
}

/** The angle in (-pi, pi] of the point (x, y). @throws when the shapes do not broadcast. */
export function arctan2(y: ArrayLike, x: ArrayLike): Tensor {
  const [a, b] = promotedFloats('arctan2', [y, x]) as [Value, Value]
  return toTensor(atan2(a, b))
}

/** (e^x - e^-x) / 2. */
export function sinh(x: ArrayLike): Tensor {
  return toTensor(ops.sinh(toFloat(x)))
}

/** (e^x + e^-x) / 2. */
export function cosh(x: ArrayLike): Tensor {
  return toTensor(ops.cosh(toFloat(x)))
}

/** sinh x / cosh x. */
export function tanh(x: ArrayLike): Tensor {
  return toTensor(tanhOp(toFloat(x)))
}

/** The inverse of sinh. */
export function arcsinh(x: ArrayLike): Tensor {
  return toTensor(ops.asinh(toFloat(x)))
}

/** The inverse of cosh, for x >= 1. */
export function arccosh(x: ArrayLike): Tensor {
  return toTensor(ops.acosh(toFloat(x)))
}

/** The inverse of tanh, for |x| < 1. */
export function arctanh(x: ArrayLike): Tensor {
  return toTensor(ops.atanh(toFloat(x)))
}

/**
 * sqrt(x^2 + y^2) without overflow or underflow; its derivative at 0 is 0.
 * @throws when the shapes do not broadcast.
 */
export function hypot(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = promotedFloats('hypot', [x, y]) as [Value, Value]
  const largest = stopGradient(maximum(abs(a), abs(b)))
  const scale = select(equal(largest, 0), 1, select(equal(largest, Number.POSITIVE_INFINITY), 1, largest))
  const [u, v] = [div(a, scale), div(b, scale)]
  return toTensor(mul(scale, safeSqrt(add(mul(u, u), mul(v, v)))))
}

/** Radians as degrees. */
export function degrees(x: ArrayLike): Tensor {
  return toTensor(mul(toFloat(x), 180 / Math.PI))
}

/** Degrees as radians. */
export function radians(x: ArrayLike): Tensor {
  return toTensor(mul(toFloat(x), Math.PI / 180))
}
