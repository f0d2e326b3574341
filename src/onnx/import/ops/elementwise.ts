import * as ops from '../../../ops/arithmetic.js'
import { reshape } from '../../../ops/broadcast.js'
import { and, ceil, equal, floor, less, lessEqual, not, or, round, sign } from '../../../ops/compare.js'
import { integerPow } from '../../../ops/integerPow.js'
import { abs, maximum, minimum, relu } from '../../../ops/kinks.js'
import * as smooth from '../../../ops/smooth.js'
import { erf, remainder } from '../../../ops/special.js'
import * as trigonometric from '../../../ops/trigonometric.js'
import type { Value } from '../../../program/value.js'
import { isFloat } from '../../../tensor/dtype.js'
import { broadcastShapes, normalizeAxis } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import {
  type Context,
  expectWithin,
  knownNumber,
  type Operation,
  type Operations,
  operation,
} from '../operation.js'

const { add, cast, div, mul, neg, select, sub } = ops

const unary = (f: (x: Value, attributes: Attributes) => Value): Operation =>
  operation<[Value]>(1, 1, ([x], attributes) => f(x, attributes))

/** An operation on two values that broadcast; before opset 7, the second's axes start at attribute `axis`. */
const binary = (f: (x: Value, y: Value, attributes: Attributes) => Value): Operation =>
  operation<[Value, Value]>(2, 2, ([x, y], attributes, context) => {
    const aligned = alignLegacy(x, y, attributes, context)
    context.reserve(broadcastShapes([x.shape, aligned.shape]))
    return f(x, aligned, attributes)
  })

function alignLegacy(x: Value, y: Value, attributes: Attributes, { opset }: Context): Value {
  if (opset >= 7 || !attributes.flag('broadcast') || !attributes.has('axis')) return y
  const axis = normalizeAxis(attributes.int('axis'), x.shape.length, 'attribute axis')
  return reshape(y, [...y.shape, ...x.shape.slice(axis + y.shape.length).map(() => 1)])
}

const variadic = (f: (values: readonly Value[]) => Value): Operation =>
  operation<Value[]>(1, Number.POSITIVE_INFINITY, (values, _, context) => {
    context.reserve(broadcastShapes(values.map((x) => x.shape)))
    return f(values)
  })

const fold = (f: (x: Value, y: Value) => Value) => (values: readonly Value[]) => values.reduce(f)

/** x^y of any two number types; the result has the type of x. */
export function power(x: Value, y: Value): Value {
  const floating = isFloat(x.dtype) ? x.dtype : 'float64'
  const base = cast(x, floating)
  if (y instanceof Tensor && y.size === 1 && y.shape.length <= x.shape.length) {
    const exponent = y.data[0] as number
    if (exponent === 0.5) return cast(smooth.sqrt(base), x.dtype)
    if (Number.isInteger(exponent) && exponent >= 1 && exponent <= 64)
      return cast(integerPow(base, exponent), x.dtype)
  }
  return cast(smooth.pow(base, cast(y, floating)), x.dtype)
}

/** The remainder with the sign of the divisor, as integer Mod asks. */
function floorMod(x: Value, y: Value): Value {
  const r = remainder(x, y)
  const wrong = and(not(equal(r, 0)), not(equal(less(r, 0), less(y, 0))))
  return select(wrong, add(r, y), r)
}

function isInfinite(x: Value, attributes: Attributes): Value {
  const at = (wanted: boolean, value: number) => (wanted ? equal(x, value) : and(less(x, x), less(x, x)))
  return or(
    at(attributes.flag('detect_positive', true), Number.POSITIVE_INFINITY),
    at(attributes.flag('detect_negative', true), Number.NEGATIVE_INFINITY),
  )
}

const clip = operation<[Value, Value?, Value?]>(1, 3, ([x, low, high], attributes, { opset }) => {
  const bound = (input: Value | undefined, name: string) =>
    input ??
    (opset < 11 && attributes.has(name) ? fullTensor([], attributes.float(name), x.dtype) : undefined)
  const [least, most] = [bound(low, 'min'), bound(high, 'max')]
  const raised = least ? maximum(x, least) : x
  return most ? minimum(raised, most) : raised
})

/** Slopes of PRelu; before opset 7 a vector of them runs along the channels. */
const prelu = operation<[Value, Value]>(2, 2, ([x, slope], _, { opset }) => {
  const channels = opset < 7 && slope.shape.length === 1 && x.shape.length > 2
  const aligned = channels ? reshape(slope, [...slope.shape, ...x.shape.slice(2).map(() => 1)]) : slope
  expectWithin('the slope', aligned, x)
  return select(less(0, x), x, mul(x, aligned))
})

/** x Phi(x) with Phi the normal distribution function. */
export function gelu(x: Value): Value {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1))
}

/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
export function geluTanh(x: Value): Value {
  const inner = mul(add(x, mul(integerPow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI))
  return mul(mul(x, 0.5), add(smooth.tanh(inner), 1))
}

/** Its derivative at 0 is alpha, the one from the left; for alpha = 1 it is smooth. */
function elu(x: Value, alpha: number): Value {
  const positive = less(0, x)
  return select(positive, x, mul(smooth.expm1(select(positive, 0, x)), alpha))
}

const hardSigmoid = (x: Value, alpha: number, beta: number) =>
  maximum(minimum(add(mul(x, alpha), beta), 1), 0)

/** Functions of one number that recurrent layers name, with their parameters. */
export const activations: Readonly<Record<string, (x: Value, alpha?: number, beta?: number) => Value>> = {
  Affine: (x, alpha = 1, beta = 0) => add(mul(x, alpha), beta),
  Elu: (x, alpha = 1) => elu(x, alpha),
  HardSigmoid: (x, alpha = 0.2, beta = 0.5) => hardSigmoid(x, alpha, beta),
  LeakyRelu: (x, alpha = 0.01) => select(less(0, x), x, mul(x, alpha)),
  Relu: relu,
  ScaledTanh: (x, alpha = 1, beta = 1) => mul(smooth.tanh(mul(x, beta)), alpha),
  Sigmoid: smooth.logistic,
  Softplus: smooth.softplus,
  Softsign: (x) => div(x, add(abs(x), 1)),
  Tanh: smooth.tanh,
  ThresholdedRelu: (x, alpha = 1) => select(less(alpha, x), x, 0),
}

const activation = (name: string, ...defaults: number[]): Operation =>
  unary((x, attributes) => {
    const [alpha, beta] = defaults
    const f = activations[name] as (x: Value, alpha?: number, beta?: number) => Value
    if (alpha === undefined) return f(x)
    if (beta === undefined) return f(x, attributes.float('alpha', alpha))
    return f(x, attributes.float('alpha', alpha), attributes.float('beta', beta))
  })

const exclusiveOr = (x: Value, y: Value) => not(equal(x, y))

export const elementwiseOperations: Operations = {
  Abs: unary(abs),
  Acos: unary(trigonometric.acos),
  Acosh: unary(trigonometric.acosh),
  Asin: unary(trigonometric.asin),
  Asinh: unary(trigonometric.asinh),
  Atan: unary(trigonometric.atan),
  Atanh: unary(trigonometric.atanh),
  Ceil: unary(ceil),
  Cos: unary(trigonometric.cos),
  Cosh: unary(trigonometric.cosh),
  Erf: unary(erf),
  Exp: unary(smooth.exp),
  Floor: unary(floor),
  Identity: unary((x) => x),
  IsInf: unary(isInfinite),
  IsNaN: unary((x) => not(equal(x, x))),
  Log: unary(smooth.log),
  Neg: unary(neg),
  Not: unary(not),
  Reciprocal: unary((x) => div(1, x)),
  Round: unary(round),
  Sign: unary(sign),
  Sin: unary(trigonometric.sin),
  Sinh: unary(trigonometric.sinh),
  Sqrt: unary(smooth.sqrt),
  Tan: unary(trigonometric.tan),

  Celu: unary((x, attributes) => {
    const alpha = attributes.float('alpha', 1)
    return add(maximum(x, 0), mul(smooth.expm1(div(minimum(x, 0), alpha)), alpha))
  }),
  Elu: activation('Elu', 1),
  Gelu: unary((x, attributes) =>
    attributes.string('approximate', 'none') === 'tanh' ? geluTanh(x) : gelu(x),
  ),
  HardSigmoid: activation('HardSigmoid', 0.2, 0.5),
  HardSwish: unary((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  LeakyRelu: activation('LeakyRelu', 0.01),
  Mish: unary((x) => mul(x, smooth.tanh(smooth.softplus(x)))),
  PRelu: prelu,
  Relu: activation('Relu'),
  Selu: unary((x, attributes) =>
    mul(elu(x, attributes.float('alpha', 1.6732632423543772)), attributes.float('gamma', 1.0507009873554805)),
  ),
  Shrink: unary((x, attributes) => {
    const [lambda, bias] = [attributes.float('lambd', 0.5), attributes.float('bias', 0)]
    return select(less(x, -lambda), add(x, bias), select(less(lambda, x), sub(x, bias), 0))
  }),
  Sigmoid: activation('Sigmoid'),
  Softplus: activation('Softplus'),
  Softsign: activation('Softsign'),
  Swish: unary((x, attributes) => mul(x, smooth.logistic(mul(x, attributes.float('alpha', 1))))),
  Tanh: activation('Tanh'),
  ThresholdedRelu: activation('ThresholdedRelu', 1),

  Add: binary(add),
  And: binary(and),
  Clip: clip,
  Div: binary(div),
  Equal: binary(equal),
  Greater: binary((x, y) => less(y, x)),
  GreaterOrEqual: binary((x, y) => lessEqual(y, x)),
  Less: binary(less),
  LessOrEqual: binary(lessEqual),
  Max: variadic(fold(maximum)),
  Mean: variadic((values) => div(fold(add)(values), values.length)),
  Min: variadic(fold(minimum)),
  Mod: binary((x, y, attributes) =>
    attributes.flag('fmod') || isFloat(x.dtype) ? remainder(x, y) : floorMod(x, y),
  ),
  Mul: binary(mul),
  Or: binary(or),
  Pow: binary(power),
  Sub: binary(sub),
  Sum: variadic(fold(add)),
  Xor: binary(exclusiveOr),

  Where: operation<[Value, Value, Value]>(3, 3, ([condition, x, y], _, context) => {
    const shape = broadcastShapes([condition.shape, x.shape, y.shape])
    context.reserve(shape)
    return select(condition, x, y)
  }),

  Cast: operation<[Value]>(1, 1, ([x], attributes, { dtype }) =>
    convert(x, attributes.int('to'), dtype(attributes.int('to'))),
  ),
  CastLike: operation<[Value, Value]>(2, 2, ([x, like]) => cast(x, like.dtype)),

  /** The identity: of a model that is to be trained or measured, the random mask belongs to the training loop. */
  Dropout: operation<[Value, Value?, Value?]>(1, 3, ([x, ratio, training], _, { opset, outputs }) => {
    const trains = opset >= 12 && training && knownNumber(training, 'input training_mode') !== 0
    if (trains && (!ratio || knownNumber(ratio, 'input ratio') !== 0))
      throw new Error(
        'Dropout in training mode draws random numbers, which a function to be differentiated must not; export the model in inference mode',
      )
    const mask = fullTensor(x.shape, 1, opset < 10 ? x.dtype : 'bool')
    return outputs > 1 ? [x, mask] : x
  }),
}

/** Bits of the integer types narrower than int32, negative when signed: int8, uint8, int16, uint16. */
const narrow: Readonly<Record<number, number>> = { 2: 8, 3: -8, 4: 16, 5: -16 }

/** Narrow integers are held as int32, so a conversion to one wraps around as theirs would. */
function convert(x: Value, elementType: number, dtype: Value['dtype']): Value {
  const bits = narrow[elementType]
  const result = cast(x, dtype)
  if (bits === undefined || x.dtype === 'bool') return result
  const size = 2 ** Math.abs(bits)
  const low = bits < 0 ? -size / 2 : 0
  return add(floorMod(sub(result, low), fullTensor([], size, 'int32')), low)
}
