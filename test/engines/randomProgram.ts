import { add, cast, div, mul, neg, select, stopGradient, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { and, equal, indicator, less, lessEqual, not, or, sign } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { gather, scatterAdd } from '../../src/ops/gather.js'
import { integerPow } from '../../src/ops/integerPow.js'
import { abs, maximum, minimum, relu } from '../../src/ops/kinks.js'
import { argMax, argTopK, cumulativeSum, reduceMax, reduceMin } from '../../src/ops/reduce.js'
import { concatenate, pad, reverse, slice } from '../../src/ops/slice.js'
import { exp, log1p, logistic, softplus, sqrt, tanh } from '../../src/ops/smooth.js'
import { atan2 } from '../../src/ops/special.js'
import { cos, sin } from '../../src/ops/trigonometric.js'
import { traceFlat } from '../../src/program/builder.js'
import type { Program } from '../../src/program/program.js'
import type { Type, Value } from '../../src/program/value.js'
import { allocate, type DType, isFloat } from '../../src/tensor/dtype.js'
import { range, sizeOf } from '../../src/tensor/shape.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'

/** A tensor of numbers in [-2, 2), or small integers. */
export function randomTensor(type: Type, random: () => number): Tensor {
  const data = allocate(type.dtype, sizeOf(type.shape))
  for (let i = 0; i < data.length; i++) {
    const x = 4 * random() - 2
    data[i] = isFloat(type.dtype) ? x : type.dtype === 'bool' ? (x > 0 ? 1 : 0) : Math.round(2 * x)
  }
  return new Tensor(data, type.shape)
}

/** A program of up to 40 equations over every family of operations, and inputs for it. */
export function randomProgram(seed: number, dtype: DType): { program: Program; inputs: Tensor[] } {
  const random = uniform(seed)
  const below = (n: number) => Math.floor(random() * n)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const dimension = () => pick([1, 2, 3, 3, 4, 5, 7, random() < 0.1 ? 0 : 2])
  const shapes = [[], [dimension()], [dimension(), dimension()], [dimension(), dimension(), dimension()]]
  const main: DType = dtype === 'bool' ? 'int32' : dtype
  const types: Type[] = [
    ...range(3).map(() => ({ dtype: main, shape: pick(shapes) })),
    { dtype, shape: pick(shapes) },
    { dtype: 'bool', shape: pick(shapes) },
  ]
  const { program } = traceFlat((inputs) => {
    const pool: Value[] = [...inputs, randomTensor({ dtype: main, shape: pick(shapes) }, random)]
    const of = (accept: (x: Value) => boolean) => pool.filter(accept)
    const numeric = () => pick(of((x) => x.dtype === main))
    const mask = () => pick(of((x) => x.dtype === 'bool'))
    const tame = (x: Value) =>
      isFloat(x.dtype) ? mul(tanh(mul(x, 0.3)), 2) : select(less(abs(x), 1000), x, 3)
    const fits = (x: Value, y: Value) => {
      const rank = Math.min(x.shape.length, y.shape.length)
      return range(rank).every((i) => {
        const [a, b] = [x.shape.at(-1 - i), y.shape.at(-1 - i)]
        return a === b || a === 1 || b === 1
      })
    }
    const axisOf = (x: Value) => below(x.shape.length)
    const permutation = (n: number) => range(n).sort(() => random() - 0.5)
    const floatsOnly: ((x: Value, y: Value) => Value)[] = [
      (x) => exp(tame(x)),
      (x) => log1p(mul(x, x)),
      (x) => sqrt(add(mul(x, x), 0.5)),
      (x) => logistic(x),
      (x) => softplus(x),
      (x) => add(sin(x), cos(tame(x))),
      (x) => relu(x),
      (x, y) => div(x, add(mul(y, y), 1)),
      (x) => integerPow(tame(x), 2 + below(4)),
      (x, y) => atan2(x, add(abs(y), 0.5)),
    ]
    const elementwise: ((x: Value, y: Value) => Value)[] = [
      add,
      sub,
      (x, y) => mul(tame(x), y),
      neg,
      abs,
      maximum,
      minimum,
      (x, y) => select(less(x, y), x, y),
      (x) => mul(sign(x), 2),
      (x) => stopGradient(add(x, -0)),
      (x, y) => (fits(mask(), x) ? x : add(y, pick([1, -3, 2]))),
      (x) => cast(cast(tame(x), 'int32'), main),
      (x) => cast(cast(x, 'bool'), main),
    ]
    const comparisons: (() => Value)[] = [
      () => less(numeric(), 0),
      () => lessEqual(numeric(), 1),
      () => equal(numeric(), 0),
      () => not(mask()),
      () => {
        const [x, y] = [mask(), mask()]
        return fits(x, y) ? pick([and, or])(x, y) : not(x)
      },
    ]
    const views: ((x: Value) => Value)[] = [
      (x) => transpose(x, permutation(x.shape.length)),
      (x) => broadcastTo(x, [pick([1, 2, 3]), ...x.shape]),
      (x) =>
        reverse(
          x,
          range(x.shape.length).filter(() => random() < 0.5),
        ),
      (x) => reshape(x, random() < 0.5 ? [sizeOf(x.shape)] : [...x.shape, 1]),
      (x) => {
        const start = x.shape.map((n) => below(Math.max(1, n)))
        const limit = x.shape.map((n, i) => Math.min(n, (start[i] as number) + 1 + below(n)))
        return slice(
          x,
          start.map((s, i) => Math.min(s, limit[i] as number)),
          limit,
          x.shape.map(() => 1 + below(2)),
        )
      },
      (x) =>
        pad(
          x,
          x.shape.map(() => below(2)),
          x.shape.map(() => below(2)),
          x.shape.map(() => below(2)),
        ),
      (x) => (x.shape.length ? concatenate([x, x.dtype === 'bool' ? not(x) : neg(x), x], axisOf(x)) : x),
    ]
    const reductions: ((x: Value) => Value)[] = [
      (x) =>
        reduceSum(
          x,
          range(x.shape.length).filter(() => random() < 0.6),
        ),
      (x) => reduceSum(mul(tame(x), x), range(x.shape.length)),
      (x) =>
        sizeOf(x.shape)
          ? pick([reduceMax, reduceMin])(
              x,
              range(x.shape.length).filter(() => random() < 0.5),
            )
          : x,
      (x) => (x.shape.length ? cumulativeSum(x, axisOf(x), random() < 0.5) : x),
    ]
    const indexed: ((x: Value) => Value)[] = [
      (x) => {
        if (!sizeOf(x.shape) || !x.shape.length) return x
        const axis = axisOf(x)
        const indices = new Tensor(
          Int32Array.from(range(3), () => below(x.shape[axis] as number)),
          [3],
        )
        const taken = gather(x, indices, axis)
        return random() < 0.5 ? taken : scatterAdd(taken, indices, x.shape, axis)
      },
      (x) => {
        if (!sizeOf(x.shape) || !x.shape.length) return x
        const sorted = argTopK(x, x.shape.at(-1) as number)
        return gather(x, sorted, x.shape.length - 1, x.shape.length - 1)
      },
      (x) => (sizeOf(x.shape) && x.shape.length ? cast(argMax(x, axisOf(x)), main) : x),
    ]
    const product = (): Value => {
      const [x, y] = [tame(numeric()), tame(numeric())]
      const pairs = x.shape.flatMap((n, i) => y.shape.flatMap((m, j) => (n === m ? [[i, j] as const] : [])))
      if (!pairs.length) return x.shape.length + y.shape.length < 4 ? dot(x, y, [[], []]) : x
      const [i, j] = pick(pairs)
      const others = pairs.filter(([a, b]) => a !== i && b !== j)
      if (!others.length || random() < 0.5) return dot(x, y, [[i], [j]])
      const [a, b] = pick(others)
      return random() < 0.5
        ? dot(x, y, [
            [i, a],
            [j, b],
          ])
        : dot(x, y, [[i], [j]], [[a], [b]])
    }
    const length = 5 + below(30)
    for (let tries = 0; tries < 60 && pool.length < length; tries++) {
      const family = below(12)
      const x = numeric()
      const partners = of((y) => y.dtype === main && fits(x, y))
      let made: Value
      if (family < 4)
        made = pick(isFloat(main) ? [...elementwise, ...floatsOnly] : elementwise)(x, pick(partners))
      else if (family < 5) made = pick(comparisons)()
      else if (family < 8) made = pick(views)(random() < 0.85 ? x : mask())
      else if (family < 10) made = pick(reductions)(x)
      else if (family < 11) made = product()
      else made = random() < 0.7 ? pick(indexed)(x) : add(indicator(mask(), x), pick([0, 1]))
      if (made.shape.length < 5 && sizeOf(made.shape) < 2000)
        pool.push(isFloat(made.dtype) || made.dtype === 'bool' ? made : cast(tame(made), main))
    }
    return [...pool.slice(-3), pick(pool), ...pool.filter(() => random() < 0.2)]
  }, types)
  return { program, inputs: program.inputs.map((x) => randomTensor(x, random)) }
}
