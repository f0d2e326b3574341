import { expect, test } from 'vitest'
import { add, div, mul, neg, select, stopGradient, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { less } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { abs, relu } from '../../src/ops/kinks.js'
import { optimize } from '../../src/ops/optimize.js'
import { concatenate, pad, sliceAxis } from '../../src/ops/slice.js'
import { tanh } from '../../src/ops/smooth.js'
import { cos } from '../../src/ops/trigonometric.js'
import { bind } from '../../src/program/builder.js'
import { check } from '../../src/program/check.js'
import { forecast } from '../../src/program/forecast.js'
import { print } from '../../src/program/print.js'
import { evaluate, type Program } from '../../src/program/program.js'
import type { Value } from '../../src/program/value.js'
import { range, sizeOf } from '../../src/tensor/shape.js'
import { fullTensor, Tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'
import { float, program } from './programs.js'

type Random = () => number
const pick = <T>(random: Random, items: readonly T[]) => items[Math.floor(random() * items.length)] as T

const shuffled = (random: Random, n: number) =>
  range(n)
    .map((axis) => ({ axis, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ axis }) => axis)

/** Any two values made to fit: equal shapes as they are, else the second summed and spread. */
function fitted(x: Value, y: Value): Value {
  const total = reduceSum(y, range(y.shape.length))
  return x.shape.join() === y.shape.join() ? y : broadcastTo(total, x.shape)
}

const constants = [0, 1, -1, 2, 0.5, -4, 3]

/** One random step from a pool of values; `exact` allows only what integers pass through without rounding. */
function step(random: Random, pool: readonly Value[], exact: boolean): Value {
  const x = pick(random, pool)
  const y = pick(random, pool)
  const { shape } = x
  const rank = shape.length
  const axis = Math.floor(random() * rank)
  const number = pick(random, constants)
  const c = random() < 0.5 ? number : fullTensor(shape, number, 'float64')
  const size = shape[axis] ?? 0
  const moves: (() => Value)[] = [
    () => transpose(x, pick(random, [range(rank).reverse(), range(rank)])),
    () => bind(identityReshape(x), [x], { shape })[0] as Value,
    () => reshape(x, pick(random, [[sizeOf(shape)], [1, ...shape], [...shape, 1]])),
    () =>
      broadcastTo(
        x,
        pick(random, [
          [1, ...shape],
          [2, ...shape],
        ]),
      ),
    () => reduceSum(x, rank ? [axis] : []),
    () => (rank ? concatenate([x, x, neg(x)], axis) : x),
    () => (rank ? sliceAxis(x, axis, Math.floor(size / 3), size) : x),
    () => (rank ? sliceAxis(x, axis, 0, Math.ceil(size / 3)) : x),
    () => stopGradient(x),
    () => {
      const cut = Math.floor(random() * (size + 1))
      const other = random() < 0.8 ? cut : Math.floor(random() * (size + 1))
      const at = (n: number) => shape.map((_, i) => (i === axis ? n : 0))
      const head = pad(sliceAxis(neg(x), axis, 0, cut), at(0), at(size - cut))
      return rank ? add(pad(sliceAxis(x, axis, other, size), at(other), at(0)), head) : x
    },
    () => {
      if (size === 0) return x
      const third = Math.floor(random() * 3) * size
      const from = third + Math.floor(random() * size)
      const to = random() < 0.8 ? third + size : 3 * size
      return sliceAxis(concatenate([neg(x), x, add(x, 1)], axis), axis, from, to)
    },
  ]
  const sums: (() => Value)[] = [
    () => add(x, c),
    () => sub(x, c),
    () => sub(c, x),
    () => mul(x, c),
    () => neg(x),
    () => neg(x),
    () => add(x, fitted(x, y)),
    () => sub(fitted(x, y), x),
    () => select(less(x, fitted(x, y)), x, number),
    () => abs(x),
    () => relu(x),
  ]
  const rounded: (() => Value)[] = [
    () => div(x, c === 0 || number === 0 ? 7 : c),
    () => cos(x),
    () => tanh(mul(x, fitted(x, y))),
    () => {
      if (rank < 2 || sizeOf(shape) > 30) return x
      const [p, q] = [shuffled(random, rank), shuffled(random, rank)]
      const left = Math.floor(random() * rank)
      const right = q.indexOf(p[left] as number)
      const [i, j] = [(left + 1) % rank, q.indexOf(p[(left + 1) % rank] as number)]
      const batch: [number[], number[]] = random() < 0.5 ? [[i], [j]] : [[], []]
      return dot(transpose(x, p), transpose(x, q), [[left], [right]], batch)
    },
  ]
  const made = pick(random, exact ? [...moves, ...sums] : [...moves, ...sums, ...rounded])()
  if (made.shape.length > 4 || sizeOf(made.shape) > 200) return x
  return made
}

const reshapeEquation = program([float(2)], (x) => reshape(x, [2, 1])).equations[0]
const identityReshape = (_: Value) => (reshapeEquation as NonNullable<typeof reshapeEquation>).primitive

const inputTypes = [float(2, 3), float(3), float(), float(0, 2), float(1, 3, 1)]

function randomProgram(random: Random, exact: boolean): Program {
  return program(inputTypes, (...inputs) => {
    const pool: Value[] = [...inputs]
    for (let i = 0; i < 40; i++) pool.push(step(random, pool, exact))
    return pool.slice(-4)
  })
}

const flat = (values: readonly Value[]) => values.flatMap((value) => [...(value as Tensor).data])

test.each(range(150))(
  'random program with seed %i means the same, and costs no more, after optimize',
  (seed) => {
    const random = uniform(seed)
    const exact = seed % 2 === 0
    const before = randomProgram(random, exact)
    const listing = `seed ${seed}\n${print(before)}`
    check(before)
    const after = optimize(before)
    check(after)
    const inputs = inputTypes.map(({ shape }) => {
      const draw = () => (exact ? Math.floor(random() * 7) - 3 : random() * 2 - 1)
      return new Tensor(Float64Array.from({ length: sizeOf(shape) }, draw), shape)
    })
    const [expected, got] = [evaluate(before, inputs), evaluate(after, inputs)]
    expect(got.map((x) => x.shape)).toEqual(expected.map((x) => x.shape))
    const [a, b] = [flat(expected), flat(got)]
    const scale = Math.max(1, ...a.map(Math.abs))
    a.forEach((x, i) => {
      const same = exact ? x === b[i] : Math.abs(x - (b[i] as number)) <= 1e-12 * scale
      expect(same, `element ${i}: ${x} became ${b[i]}\n${listing}\n${print(after)}`).toBe(true)
    })
    const [cost, less] = [forecast(before), forecast(after)]
    expect(less.flops, listing).toBeLessThanOrEqual(cost.flops)
    expect(less.bytes, listing).toBeLessThanOrEqual(cost.bytes)
    expect(optimize(after), `not a fixed point: ${listing}\n${print(after)}`).toBe(after)
  },
)
