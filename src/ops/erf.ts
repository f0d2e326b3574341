import type { Value } from '../program/value.js'
import { add, div, mul, neg, select, sub } from './arithmetic.js'
import { less } from './compare.js'
import { abs, minimum } from './kinks.js'
import { exp } from './smooth.js'

/**
 * Rational approximations of W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969):
 * numerators and denominators, highest power first.
 */
const central = {
  numerator: [
    1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
  ],
  denominator: [
    1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
  ],
} as const

const outer = {
  numerator: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
    2.98635138197400131e2, 8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
  ],
  denominator: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
} as const

const polynomial = ([first, ...rest]: readonly number[], x: Value): Value =>
  rest.reduce<Value>((sum, coefficient, i) => add(i ? mul(sum, x) : mul(x, first as number), coefficient), x)

const rational = ({ numerator, denominator }: typeof central | typeof outer, x: Value): Value =>
  div(polynomial(numerator, x), polynomial(denominator, x))

/**
 * erf from arithmetic and exp, to double precision: x r(x^2) below 0.46875, else +-(1 - exp(-x^2) s(|x|)), where |x|
 * needs to go no further than 6.
 */
export function erfByCody(x: Value): Value {
  const size = minimum(abs(x), 6)
  const small = less(size, 0.46875)
  const square = mul(size, size)
  const tail = sub(1, mul(exp(neg(square)), rational(outer, size)))
  const far = select(less(x, 0), neg(tail), tail)
  return select(small, mul(x, rational(central, square)), far)
}
