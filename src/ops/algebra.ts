import { type Made, type Rule, rewrite } from '../program/passes/rewrite.js'
import type { Equation, Program } from '../program/program.js'
import { type Type, type Value, Var } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { broadcastShapes, sameShape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { add, cast, mul, neg, select, sub } from './arithmetic.js'
import { and, equal, or } from './compare.js'
import { apply } from './define.js'
import { addNeighbours, asResult, moves } from './moves.js'

/** Rules by the name of the primitive that they look at; the first that applies is taken. */
export type Rules = Readonly<Record<string, readonly Rule[]>>

/**
 * Applies rules once to every equation; returns the same object when none applies. No rule makes an
 * equation dearer or changes a number, apart from these, where the result is at least as accurate:
 * - the sign of a zero may change where 0 is no longer added: x + 0, 0 - x, padding, a sum of one element;
 * - a product with two constants is reassociated, which rounds once less; only if the products of the
 *   constants are normal numbers or zeros times something, so that they neither overflow nor lose digits;
 * - a sum of two multiples of one value becomes one multiple, which rounds once instead of three times;
 * - a sum of n equal elements becomes n times the element, which rounds once instead of n times.
 * There is no x * 0 = 0: NaN and infinities would be lost.
 */
export function simplify(program: Program, rules: Rules = algebra): Program {
  return rewrite(program, (equation, made) => {
    for (const rule of rules[equation.primitive.name] ?? []) {
      const better = rule(equation, made)
      if (better) return better
    }
    return equation.primitive.scalar && broadcastImplicitly(equation, made)
  })
}

type Binary = (x: Value, y: Value, result: Type, made: Made) => Value | undefined

const binary =
  (rule: Binary): Rule =>
  ({ inputs: [x, y], outputs: [result] }, made) =>
    rule(x as Value, y as Value, result as Type, made)

const commutative = (rule: Binary): Rule =>
  binary((x, y, result, made) => rule(x, y, result, made) ?? rule(y, x, result, made))

const negated = (made: Made, x: Value) => made(x, 'neg')?.inputs[0]

/** All but sums and moves of elements, which are in {@link moves}. */
const arithmetic: Rules = {
  add: [
    commutative((x, y, result) => (uniform(y) === 0 ? asResult(x, result) : undefined)),
    // x + -y = x - y, exactly: IEEE subtraction is defined so.
    commutative((x, y, _, made) => {
      const opposite = negated(made, y)
      return opposite && sub(x, opposite)
    }),
    commutative(addNeighbours),
    binary(addMultiples),
    // x + x = 2 x, exactly.
    binary((x, y, result) =>
      x === y && x instanceof Var && isFloat(x.dtype) ? asResult(mul(x, 2), result) : undefined,
    ),
    binary((x, y) => (isConstantFirst(x, y) ? add(y, x) : undefined)),
  ],
  sub: [
    binary((x, y, result) => (uniform(y) === 0 ? asResult(x, result) : undefined)),
    binary((x, y, result) => (uniform(x) === 0 ? asResult(neg(y), result) : undefined)),
    binary((x, y, _, made) => {
      const opposite = negated(made, y)
      return opposite && add(x, opposite)
    }),
  ],
  mul: [
    commutative((x, y, result) => (uniform(y) === 1 ? asResult(x, result) : undefined)),
    commutative((x, y, result) => (uniform(y) === -1 ? asResult(neg(x), result) : undefined)),
    commutative(multiplyTwice),
    binary((x, y) => (isConstantFirst(x, y) ? mul(y, x) : undefined)),
  ],
  div: [
    binary((x, y, result) => (uniform(y) === 1 ? asResult(x, result) : undefined)),
    // x / 2^k = x 2^-k: both round the same exact number.
    binary((x, y, result) => {
      const divisor = uniform(y)
      if (divisor === undefined || !isPowerOfTwo(divisor) || !isNormal(1 / divisor, result.dtype))
        return undefined
      return asResult(mul(x, 1 / divisor), result)
    }),
  ],
  neg: [
    ({ inputs: [x] }, made) => negated(made, x as Value),
    // -(x c) = x (-c), exactly.
    ({ inputs: [x] }, made) => {
      const [base, factor] = scaled(made, x as Value) ?? []
      return base && factor && canCombine(factor, factor) ? mul(base, neg(factor)) : undefined
    },
  ],
  cast: [
    ({ inputs: [x], params }) =>
      (x as Value).dtype === params.dtype ? cast(x as Value, (x as Value).dtype) : undefined,
  ],
  select: [
    ({ inputs: [condition, x, y], outputs: [result] }) => {
      const known = uniform(condition as Value)
      return known === undefined ? undefined : asResult((known ? x : y) as Value, result as Type)
    },
    selectTwice,
  ],
}

export const algebra: Rules = { ...arithmetic, ...moves }

/** Constants come last, so that x c and c x are one subexpression. */
const isConstantFirst = (x: Value, y: Value) => x instanceof Tensor && y instanceof Var

/** The operands of a product with a constant, which comes second. */
function scaled(made: Made, x: Value): [base: Value, factor: Tensor] | undefined {
  const [left, right] = made(x, 'mul')?.inputs ?? []
  if (left && right instanceof Tensor) return [left, right]
  return right && left instanceof Tensor ? [right, left] : undefined
}

/** Elements that constants may have to be combined while a program is prepared. */
const mostCombined = 2 ** 20

/** Whether two float constants give one that is no larger. */
function canCombine(a: Tensor, b: Tensor): boolean {
  const most = Math.max(a.size, b.size)
  return isFloat(a.dtype) && most <= mostCombined && sizeOf(broadcastShapes([a.shape, b.shape])) <= most
}

/** (x c1) c2 = x (c1 c2), where that needs no larger constant and loses no digits. */
function multiplyTwice(x: Value, y: Value, result: Type, made: Made): Value | undefined {
  const [base, first] = scaled(made, x) ?? []
  if (!base || !first || !(y instanceof Tensor) || !canCombine(first, y)) return undefined
  const factor = mul(first, y) as Tensor
  const isZero = or(equal(first, 0), equal(y, 0)) as Tensor
  const keepsDigits = factor.data.every((c, i) => isNormal(c, result.dtype) || (c === 0 && isZero.data[i]))
  return keepsDigits ? asResult(mul(base, factor), result) : undefined
}

/** x c1 + x c2 = x (c1 + c2), where that needs no larger constant. */
function addMultiples(x: Value, y: Value, result: Type, made: Made): Value | undefined {
  const [base, first] = scaled(made, x) ?? []
  const [same, second] = scaled(made, y) ?? []
  if (!base || base !== same || !first || !second || !canCombine(first, second)) return undefined
  const factor = add(first, second) as Tensor
  return factor.data.every(Number.isFinite) ? asResult(mul(base, factor), result) : undefined
}

/** p ? (q ? x : y) : y is p and q ? x : y; masks of bools cost less than choices of numbers. */
function selectTwice({ inputs: [p, chosen, y], outputs: [result] }: Equation, made: Made): Value | undefined {
  const inner = made(chosen as Value, 'select')
  if (!inner) return undefined
  const [q, x, otherwise] = inner.inputs as [Value, Value, Value]
  const [a, b] = [uniform(y as Value), uniform(otherwise)]
  const same = otherwise === y || (a !== undefined && Object.is(a, b))
  return same ? asResult(select(and(p as Value, q), x, y as Value), result as Type) : undefined
}

/**
 * Takes an operand of an elementwise operation before it is broadcast, or one element of a constant whose
 * elements are all the same, where the other operands already give the result its shape.
 */
function broadcastImplicitly(
  { primitive, inputs, params, outputs }: Equation,
  made: Made,
): Value | undefined {
  const slim = [...inputs]
  inputs.forEach((input, i) => {
    slim[i] = made(input, 'broadcast')?.inputs[0] ?? oneElement(input)
    if (!sameShape(broadcastShapes(slim.map((x) => x.shape)), (outputs[0] as Type).shape)) slim[i] = input
  })
  const changed = slim.some((x, i) => x !== inputs[i]) && slim.some((x) => x instanceof Var)
  return changed ? apply(primitive, slim, params) : undefined
}

function oneElement(value: Value): Value {
  if (value.shape.length === 0 || !(value instanceof Tensor) || uniform(value) === undefined) return value
  return new Tensor(value.data.slice(0, 1), [])
}

/** The number that all elements of a constant are. */
function uniform(value: Value): number | undefined {
  if (!(value instanceof Tensor)) return undefined
  const { data } = value
  for (let i = 1; i < data.length; i++) if (!Object.is(data[i], data[0])) return undefined
  return data[0]
}

function isPowerOfTwo(x: number): boolean {
  const mantissa = (1n << 52n) - 1n
  return ((new BigUint64Array(new Float64Array([x]).buffer)[0] as bigint) & mantissa) === 0n
}

const normalRange = {
  float64: [2 ** -1022, Number.MAX_VALUE],
  float32: [2 ** -126, (2 - 2 ** -23) * 2 ** 127],
}

/** Whether a number has all its digits in a float dtype: not 0, subnormal, infinite or NaN; never for integers. */
function isNormal(x: number, dtype: Type['dtype']): boolean {
  if (!isFloat(dtype)) return false
  const [least, most] = normalRange[dtype as keyof typeof normalRange] as [number, number]
  return Math.abs(x) >= least && Math.abs(x) <= most
}
