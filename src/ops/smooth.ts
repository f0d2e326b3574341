import type { MaybeZero, Primitive, Series } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { add, arithmetic, div, mul, neg, select, sub } from './arithmetic.js'
import { and, equal, less } from './compare.js'
import { apply, floats, sumOf } from './define.js'
import { elementwise } from './elementwise.js'
import { solution } from './taylor.js'

interface SmoothRow {
  name: string
  scalar: (x: number) => number
  /** f'(x), from the input and the result. */
  slope: (x: Value, out: Value) => Value
  /** For Taylor series: f'(x) stated so that it returns to x and the result, if `slope` does not. */
  rate?: (x: Value, out: Value) => Value
  /** For Taylor series: f'(x) with all its digits, if `slope` loses some. */
  exactSlope?: (x: Value, out: Value) => Value
  /** The ONNX operator, where ONNX Runtime has it for both float types and computes it well. */
  onnx?: string
  /** The ONNX operator for float32 only; float64 is composed. */
  onnx32?: string
  /** The same function composed of other primitives, for what ONNX lacks. */
  composed?: (x: Value) => Value
}

/** The table row of a smooth function of one number. */
export function smooth(row: SmoothRow): Primitive {
  const { name, scalar, slope, rate = slope, exactSlope = slope, onnx, onnx32, composed } = row
  return elementwise({
    name,
    accepts: floats,
    scalar: scalar as (...x: number[]) => number,
    flops: 10,
    derivative: ({ tangents: [t], inputs: [x], outputs: [out] }) => [
      t ? mul(t, slope(x as Value, out as Value)) : null,
    ],
    taylor: ({ series: [x], outputs: [out], lift }) => {
      const [u, v0] = [x as Series, out as Value]
      return [
        solution(
          u,
          v0,
          () => exactSlope(u.value, v0),
          (v) => lift(rate, u, v),
          arithmetic,
        ),
      ]
    },
    onnx: (lowering, inputs, { inputs: types }) => {
      const dtype = (types[0] as Type).dtype
      const native = onnx ?? (dtype === 'float32' ? onnx32 : undefined)
      if (native) return [lowering.node(native, inputs)]
      if (composed) return [lowering.compose(composed, inputs, types)]
      throw new Error(
        `${name}: ONNX Runtime has no ${dtype} ${onnx32 ?? name}; use the JavaScript engine, or float32`,
      )
    },
  })
}

const expOp = smooth({ name: 'exp', scalar: Math.exp, slope: (_, out) => out, onnx: 'Exp' })

const expm1Op = smooth({
  name: 'expm1',
  scalar: Math.expm1,
  slope: (x) => exp(x),
  composed: (x) => mul(tanh(mul(x, 0.5)), add(exp(x), 1)),
})

const logOp = smooth({ name: 'log', scalar: Math.log, slope: (x) => div(1, x), onnx: 'Log' })

const log1pOp = smooth({
  name: 'log1p',
  scalar: Math.log1p,
  slope: (x) => div(1, add(x, 1)),
  composed: (x) => {
    const u = add(x, 1)
    const rounded = sub(u, 1)
    const exact = equal(rounded, 0)
    const corrected = mul(log(u), div(x, select(exact, 1, rounded)))
    return select(exact, x, select(equal(u, rounded), log(u), corrected))
  },
})

const sqrtOp = smooth({ name: 'sqrt', scalar: Math.sqrt, slope: (_, out) => div(0.5, out), onnx: 'Sqrt' })

const tanhOp = smooth({
  name: 'tanh',
  scalar: Math.tanh,
  slope: (_, out) => sub(1, mul(out, out)),
  exactSlope: (x) => mul(mul(logistic(mul(x, 2)), logistic(mul(x, -2))), 4),
  onnx: 'Tanh',
})

/** ONNX Runtime's float32 Sigmoid saturates below -17, so this is composed from the exponential. */
const logisticOp = smooth({
  name: 'logistic',
  scalar: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  slope: (x, out) => mul(out, logistic(neg(x))),
  rate: (_, out) => sub(out, mul(out, out)),
  composed: (x) => div(1, add(exp(neg(x)), 1)),
})

const softplusOp = smooth({
  name: 'softplus',
  scalar: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  slope: (x) => logistic(x),
  onnx32: 'Softplus',
  composed: (x) => {
    const positive = less(0, x)
    return add(select(positive, x, 0), log1p(exp(select(positive, neg(x), x))))
  },
})

const powOp: Primitive = elementwise({
  name: 'pow',
  accepts: floats,
  scalar: (x, y) => (x as number) ** (y as number),
  onnx: 'Pow',
  flops: 20,
  derivative: ({ tangents: [tx, ty], inputs, outputs }) => {
    const [x, y] = inputs as [Value, Value]
    const out = outputs[0] as Value
    return [
      sumOf(
        [tx ? mul(tx, powSlope(x, y)) : null, ty ? mul(ty, logSlope(x, y, out)) : null] as MaybeZero[],
        add,
      ),
    ]
  },
})

/** y x^(y-1), exactly zero where y is, so that derivatives of polynomials stay finite at x = 0. */
function powSlope(x: Value, y: Value): Value {
  const constant = equal(y, 0)
  return select(constant, 0, mul(y, pow(x, select(constant, 1, sub(y, 1)))))
}

/** x^y log x, continued by 0 at x = 0 for y > 0. */
function logSlope(x: Value, y: Value, out: Value): Value {
  const zero = and(equal(x, 0), less(0, y))
  return select(zero, 0, mul(out, log(select(zero, 1, x))))
}

export const exp = (x: Value): Value => apply(expOp, [x], {})
/** exp(x) - 1, accurate near 0. */
export const expm1 = (x: Value): Value => apply(expm1Op, [x], {})
export const log = (x: Value): Value => apply(logOp, [x], {})
/** log(1 + x), accurate near 0. */
export const log1p = (x: Value): Value => apply(log1pOp, [x], {})
export const sqrt = (x: Value): Value => apply(sqrtOp, [x], {})
export const tanh = (x: Value): Value => apply(tanhOp, [x], {})
/** 1 / (1 + exp(-x)). */
export const logistic = (x: Value): Value => apply(logisticOp, [x], {})
/** log(1 + exp(x)). */
export const softplus = (x: Value): Value => apply(softplusOp, [x], {})
/** x to the power y. Derivative in y is taken as 0 at x = 0, y > 0; NaN for negative x. */
export const pow = (x: Value, y: Value | number): Value => apply(powOp, [x, y], {})

export const smoothOps: readonly Primitive[] = [
  expOp,
  expm1Op,
  logOp,
  log1pOp,
  sqrtOp,
  tanhOp,
  logisticOp,
  softplusOp,
  powOp,
]
