import type { MaybeZero, Primitive } from '../program/primitive.js'
import type { Value } from '../program/value.js'
import { add, div, mul, neg } from './arithmetic.js'
import { apply, sumOf } from './define.js'
import { elementwise, floats, spread } from './elementwise.js'
import { exp, smooth } from './smooth.js'

const erfOp = smooth({
  name: 'erf',
  scalar: erfOf,
  slope: (x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)),
  onnx32: 'Erf',
})

/**
 * erf(x) to double precision: the all-positive series 2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!
 * below 3, the continued fraction of erfc above (Abramowitz and Stegun, 7.1.6 and 7.1.14).
 */
function erfOf(x: number): number {
  const size = Math.abs(x)
  if (!(size < 6)) return Number.isNaN(x) ? x : Math.sign(x)
  if (size < 3) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  let fraction = size
  for (let k = 60; k >= 1; k--) fraction = size + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI)))
}

const atan2Op: Primitive = elementwise({
  name: 'atan2',
  accepts: floats,
  scalar: (y, x) => Math.atan2(y as number, x as number),
  flops: 20,
  onnx: () => {
    throw new Error('atan2: ONNX has no such operator; use the JavaScript engine')
  },
  derivative: ({ tangents: [ty, tx], inputs }) => {
    const [y, x] = inputs as [Value, Value]
    const square = add(mul(x, x), mul(y, y))
    return [
      sumOf(
        [ty ? mul(ty, div(x, square)) : null, tx ? neg(mul(tx, div(y, square))) : null] as MaybeZero[],
        add,
      ),
    ]
  },
})

const remOp: Primitive = elementwise({
  name: 'remainder',
  accepts: ['float64', 'float32', 'int32'],
  scalar: (x, y) => (x as number) % (y as number),
  expression: (x, y) => `${x} % ${y}`,
  onnx: 'Mod',
  attributes: { fmod: 1 },
  flops: 5,
  derivative: ({ tangents: [tx, ty], inputs, outputs }) => {
    const [x, y] = inputs as [Value, Value]
    const quotient = () => div(add(x, neg(outputs[0] as Value)), y)
    return [
      sumOf(
        [spread(tx ?? null, outputs[0] as Value), ty ? neg(mul(ty, quotient())) : null] as MaybeZero[],
        add,
      ),
    ]
  },
})

/** The error function 2/sqrt(pi) int_0^x exp(-t^2) dt. */
export const erf = (x: Value): Value => apply(erfOp, [x], {})

/** The angle of the point (x, y), in (-pi, pi]. */
export const atan2 = (y: Value | number, x: Value | number): Value => apply(atan2Op, [y, x], {})

/** x - y trunc(x / y): C's fmod, with the sign of x. */
export const remainder = (x: Value | number, y: Value | number): Value => apply(remOp, [x, y], {})

export const specialOps: readonly Primitive[] = [erfOp, atan2Op, remOp]
