import type { Value } from '../program/value.js'
import { add, div, mul, neg, select, sub } from './arithmetic.js'
import { floor, less } from './compare.js'
import { abs, minimum } from './kinks.js'
import { exp } from './smooth.js'

/**
 * erf and erfc from arithmetic and exp, to double precision, with the rational approximations of W. J. Cody, Rational
 * Chebyshev approximations for the error function, Math. Comp. 23 (1969), rounded to doubles; y = |x|.
 */
interface Quotient {
  /** Coefficients, highest power first. */
  readonly numerator: readonly number[]
  readonly denominator: readonly number[]
}

/** erf(x) / x in x^2, for y below 0.46875. */
const central: Quotient = {
  numerator: [
    0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694,
  ],
  denominator: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
}

/** exp(y^2) erfc(y) in y, up to 4. */
const outer: Quotient = {
  numerator: [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  denominator: [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
}

/** (1 / sqrt(pi) - y exp(y^2) erfc(y)) y^2 in 1 / y^2, from 4. */
const tail: Quotient = {
  numerator: [
    0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
    0.0006587491615298378,
  ],
  denominator: [
    1, 2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
  ],
}

const polynomial = ([first, ...rest]: readonly number[], x: Value): Value =>
  rest.reduce<Value>((sum, coefficient, i) => add(i ? mul(sum, x) : mul(x, first as number), coefficient), x)

const quotient = ({ numerator, denominator }: Quotient, x: Value): Value =>
  div(polynomial(numerator, x), polynomial(denominator, x))

const isCentral = (size: Value) => less(size, 0.46875)
const centralErf = (x: Value) => mul(x, quotient(central, mul(x, x)))

/** x r(x^2) near 0, else +-(1 - erfc(y)); beyond 6 it is +-1. */
export function erfByCody(x: Value): Value {
  const size = minimum(abs(x), 6)
  const far = sub(1, mul(exp(neg(mul(size, size))), quotient(outer, size)))
  return select(isCentral(size), centralErf(x), select(less(x, 0), neg(far), far))
}

/** 1 - x r(x^2) near 0, else exp(-y^2) s(y), and 2 less that for negative x; beyond 30 it is 0. */
export function erfcByCody(x: Value): Value {
  const size = minimum(abs(x), 30)
  const square = mul(size, size)
  const inverse = div(1, select(less(size, 4), 1, square))
  const asymptotic = div(sub(1 / Math.sqrt(Math.PI), mul(inverse, quotient(tail, inverse))), size)
  const scaled = select(less(size, 4), quotient(outer, size), asymptotic)
  // exp(-y^2) loses no digits when y^2 is split into a short square and a small rest.
  const short = mul(floor(mul(size, 16)), 1 / 16)
  const rest = mul(sub(size, short), add(size, short))
  const far = mul(mul(exp(neg(mul(short, short))), exp(neg(rest))), scaled)
  return select(isCentral(size), sub(1, centralErf(x)), select(less(x, 0), sub(2, far), far))
}
