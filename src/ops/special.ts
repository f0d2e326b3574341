import type { MaybeZero, Primitive } from '../program/primitive.js'
import type { Value } from '../program/value.js'
import { add, div, mul, neg, select, stopGradient, sub } from './arithmetic.js'
import { equal, less, or, sign } from './compare.js'
import { apply, floats, sumOf } from './define.js'
import { elementwise, spread } from './elementwise.js'
import { erfByCody, erfcByCody } from './erf.js'
import { abs, maximum } from './kinks.js'
import { exp, smooth } from './smooth.js'
import { atan } from './trigonometric.js'

const erfOp = smooth({
  name: 'erf',
  scalar: erfOf,
  slope: (x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)),
  onnx32: 'Erf',
  composed: erfByCody,
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

const erfcOp = smooth({
  name: 'erfc',
  scalar: erfcOf,
  slope: (x) => mul(exp(neg(mul(x, x))), -2 / Math.sqrt(Math.PI)),
  composed: erfcByCody,
})

/** erfc(x) = 1 - erf(x) with all digits in the tail: the continued fraction above 1 (Abramowitz and Stegun, 7.1.14). */
function erfcOf(x: number): number {
  if (!(x > 1)) return 1 - erfOf(x)
  if (x > 28) return 0
  let fraction = x
  for (let k = Math.ceil(40 + 200 / (x * x)); k >= 1; k--) fraction = x + k / 2 / fraction
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI))
}

const atan2Op: Primitive = elementwise({
  name: 'atan2',
  accepts: floats,
  scalar: (y, x) => Math.atan2(y as number, x as number),
  flops: 20,
  onnx: (lowering, inputs, { inputs: types }) => [
    lowering.compose((y, x) => atan2ByAtan(y as Value, x as Value), inputs, types),
  ],
  derivative: ({ tangents: [ty, tx], inputs }) => {
    const [y, x] = inputs as [Value, Value]
    // In units of the larger of |x| and |y|, so that their squares neither overflow nor vanish.
    const unit = stopGradient(maximum(abs(x), abs(y)))
    const [b, a] = [div(y, unit), div(x, unit)]
    const square = mul(add(mul(a, a), mul(b, b)), unit)
    return [
      sumOf(
        [ty ? mul(ty, div(a, square)) : null, tx ? neg(mul(tx, div(b, square))) : null] as MaybeZero[],
        add,
      ),
    ]
  },
})

/** atan2 from atan of the smaller coordinate over the larger, mirrored into the octant of the point. */
function atan2ByAtan(y: Value, x: Value): Value {
  const [width, height] = [abs(x), abs(y)]
  const steep = less(width, height)
  const shorter = select(steep, width, height)
  const longer = select(steep, height, width)
  // Also where both are zero or infinite: there the quotient is not a number.
  const diagonal = equal(shorter, longer)
  const slope = select(diagonal, sign(longer), div(shorter, select(diagonal, 1, longer)))
  const octant = atan(slope)
  const quadrant = select(steep, sub(Math.PI / 2, octant), octant)
  const half = select(isNegative(x), sub(Math.PI, quadrant), quadrant)
  return select(isNegative(y), neg(half), half)
}

/** Whether a number is below zero or minus zero. */
const isNegative = (x: Value) => or(less(x, 0), less(div(1, x), 0))

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

/** The complement 1 - erf(x), accurate for large x. */
export const erfc = (x: Value): Value => apply(erfcOp, [x], {})

/** The angle of the point (x, y), in (-pi, pi]. */
export const atan2 = (y: Value | number, x: Value | number): Value => apply(atan2Op, [y, x], {})

/** x - y trunc(x / y): C's fmod, with the sign of x. */
export const remainder = (x: Value | number, y: Value | number): Value => apply(remOp, [x, y], {})

export const specialOps: readonly Primitive[] = [erfOp, erfcOp, atan2Op, remOp]
