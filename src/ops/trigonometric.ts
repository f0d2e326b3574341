import type { Primitive } from '../program/primitive.js'
import type { Value } from '../program/value.js'
import { add, div, mul, neg, select, sub } from './arithmetic.js'
import { less } from './compare.js'
import { apply } from './define.js'
import { abs } from './kinks.js'
import { exp, expm1, log, log1p, smooth, sqrt } from './smooth.js'

const sinOp = smooth({ name: 'sin', scalar: Math.sin, slope: (x) => cos(x), onnx: 'Sin' })
const cosOp = smooth({ name: 'cos', scalar: Math.cos, slope: (x) => neg(sin(x)), onnx: 'Cos' })
const tanOp = smooth({
  name: 'tan',
  scalar: Math.tan,
  slope: (_, out) => add(mul(out, out), 1),
  onnx32: 'Tan',
  composed: (x) => div(sin(x), cos(x)),
})

/** 1 - x^2 as a product, which keeps its digits near |x| = 1. */
const circle = (x: Value) => mul(sub(1, x), add(x, 1))

const asinOp = smooth({
  name: 'asin',
  scalar: Math.asin,
  slope: (x) => div(1, sqrt(circle(x))),
  onnx32: 'Asin',
  composed: (x) => mul(atan(div(x, add(sqrt(circle(x)), 1))), 2),
})
const acosOp = smooth({
  name: 'acos',
  scalar: Math.acos,
  slope: (x) => div(-1, sqrt(circle(x))),
  onnx32: 'Acos',
  composed: (x) => mul(atan(div(sqrt(sub(1, x)), sqrt(add(x, 1)))), 2),
})
const atanOp = smooth({
  name: 'atan',
  scalar: Math.atan,
  slope: (x) => div(1, add(mul(x, x), 1)),
  onnx32: 'Atan',
  composed: atanByReduction,
})

/**
 * atan from arithmetic alone: three halvings x -> x / (1 + sqrt(1 + x^2)) bring |x| <= 1 below 0.1, where
 * the Taylor series to x^21 is exact to double precision; |x| > 1 goes through pi/2 - atan(1/x).
 */
function atanByReduction(x: Value): Value {
  const large = less(1, abs(x))
  let reduced = select(large, div(1, select(large, x, 1)), x)
  for (let halving = 0; halving < 3; halving++)
    reduced = div(reduced, add(sqrt(add(mul(reduced, reduced), 1)), 1))
  const square = mul(reduced, reduced)
  let series: Value = mul(square, 0)
  for (let k = 21; k >= 1; k -= 2) series = add(mul(series, square), ((k - 1) / 2) % 2 ? -1 / k : 1 / k)
  const angle = mul(mul(series, reduced), 8)
  const quarter = select(less(0, x), Math.PI / 2, mul(x, 0))
  return select(large, sub(select(less(x, 0), -Math.PI / 2, quarter), angle), angle)
}

const sinhOp = smooth({
  name: 'sinh',
  scalar: Math.sinh,
  slope: (x) => cosh(x),
  onnx32: 'Sinh',
  composed: (x) => mul(sub(expm1(x), expm1(neg(x))), 0.5),
})
const coshOp = smooth({
  name: 'cosh',
  scalar: Math.cosh,
  slope: (x) => sinh(x),
  onnx32: 'Cosh',
  composed: (x) => mul(add(exp(x), exp(neg(x))), 0.5),
})
/** f(x), or log 2x where that is the same in double precision but squares would overflow. */
function unlessLarge(x: Value, f: (x: Value) => Value): Value {
  const large = less(2 ** 28, x)
  return select(large, add(log(x), Math.LN2), f(select(large, 1, x)))
}

const asinhOp = smooth({
  name: 'asinh',
  scalar: Math.asinh,
  slope: (x) => div(1, sqrt(add(mul(x, x), 1))),
  onnx32: 'Asinh',
  composed: (x) => {
    const size = abs(x)
    const root = unlessLarge(size, (x) => log1p(add(x, div(mul(x, x), add(sqrt(add(mul(x, x), 1)), 1)))))
    return select(less(x, 0), neg(root), root)
  },
})
const acoshOp = smooth({
  name: 'acosh',
  scalar: Math.acosh,
  slope: (x) => div(1, mul(sqrt(sub(x, 1)), sqrt(add(x, 1)))),
  onnx32: 'Acosh',
  composed: (x) => unlessLarge(x, (x) => log1p(add(sub(x, 1), mul(sqrt(sub(x, 1)), sqrt(add(x, 1)))))),
})
const atanhOp = smooth({
  name: 'atanh',
  scalar: Math.atanh,
  slope: (x) => div(1, circle(x)),
  onnx32: 'Atanh',
  composed: (x) => mul(sub(log1p(x), log1p(neg(x))), 0.5),
})

export const sin = (x: Value): Value => apply(sinOp, [x], {})
export const cos = (x: Value): Value => apply(cosOp, [x], {})
export const tan = (x: Value): Value => apply(tanOp, [x], {})
export const asin = (x: Value): Value => apply(asinOp, [x], {})
export const acos = (x: Value): Value => apply(acosOp, [x], {})
export const atan = (x: Value): Value => apply(atanOp, [x], {})
export const sinh = (x: Value): Value => apply(sinhOp, [x], {})
export const cosh = (x: Value): Value => apply(coshOp, [x], {})
export const asinh = (x: Value): Value => apply(asinhOp, [x], {})
export const acosh = (x: Value): Value => apply(acoshOp, [x], {})
export const atanh = (x: Value): Value => apply(atanhOp, [x], {})

export const trigonometricOps: readonly Primitive[] = [
  sinOp,
  cosOp,
  tanOp,
  asinOp,
  acosOp,
  atanOp,
  sinhOp,
  coshOp,
  asinhOp,
  acoshOp,
  atanhOp,
]
