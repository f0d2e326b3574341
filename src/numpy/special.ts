import { add, div, mul, select } from '../ops/arithmetic.js'
import { less } from '../ops/compare.js'
import * as ops from '../ops/special.js'
import { sin } from '../ops/trigonometric.js'
import type { Value } from '../program/value.js'
import { type Tensor, tensor } from '../tensor/tensor.js'
import { type ArrayLike, toFloat, toTensor } from './convert.js'

/** The error function 2/sqrt(pi) int_0^x exp(-t^2) dt. */
export function erf(x: ArrayLike): Tensor {
  return toTensor(ops.erf(toFloat(x)))
}

/** 1 - erf(x), accurate also where it is tiny. */
export function erfc(x: ArrayLike): Tensor {
  return toTensor(ops.erfc(toFloat(x)))
}

/** Half the terms of the series: its derivatives up to order 26 are right at 0. */
const terms = 14

/** sin(pi x) / (pi x), and 1 at x = 0: near 0 its Taylor series, so that derivatives are right there too. */
export function sinc(x: ArrayLike): Tensor {
  const angle = mul(toFloat(x), Math.PI)
  const near = less(mul(angle, angle), 1)
  const small = select(near, angle, 0)
  const large = select(near, 1, angle)
  const square = mul(small, small)
  // sin(a) / a = 1 - a^2/(2 3) (1 - a^2/(4 5) (1 - ...))
  let series: Value = tensor(1, { dtype: angle.dtype })
  for (let k = terms - 1; k >= 1; k--) series = add(mul(mul(series, square), -1 / (2 * k * (2 * k + 1))), 1)
  return toTensor(select(near, series, div(sin(large), large)))
}
