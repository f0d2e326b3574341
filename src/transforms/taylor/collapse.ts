import { add, div, mul, neg, select, sub } from '../../ops/arithmetic.js'
import { broadcastTo, reduceSum } from '../../ops/broadcast.js'
import { sumOf } from '../../ops/define.js'
import { dot } from '../../ops/dot.js'
import { bind, traceFlat } from '../../program/builder.js'
import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import type { MaybeZero, Params, Primitive } from '../../program/primitive.js'
import type { Equation, Program } from '../../program/program.js'
import { type Value, Var } from '../../program/value.js'
import { fullTensor } from '../../tensor/tensor.js'
import { applyToSeries, seriesOf } from './taylor.js'

/** R curves through one point: coefficient K enters linearly, so only its weighted sum is carried. */
export interface Bundle {
  readonly value: Value
  /** Coefficients 1 to K - 1, each [R, ...shape]. */
  readonly lower: readonly MaybeZero[]
  /** sum_r w_r of the coefficients K. */
  readonly top: MaybeZero
}

/** The curves' number, weights [R] (null: all 1) and order K. */
export interface Directions {
  readonly count: number
  readonly weights: Value | null
  readonly order: number
}

/**
 * Collapsed Taylor mode (Dangel et al., Collapsing Taylor Mode Automatic Differentiation, 2025, arXiv 2505.13644): the
 * value once, coefficients 1 to K - 1 of every curve, the sum of coefficients K once: R (K - 1) + 2 instead of R K + 1.
 */
export function collapseProgram(
  program: Program,
  inputs: readonly Bundle[],
  directions: Directions,
): Bundle[] {
  const environment = new Map<Value, Bundle>()
  const none = Array.from({ length: directions.order - 1 }, () => null)
  const bundleOf = (value: Value) => environment.get(value) ?? { value, lower: none, top: null }
  program.inputs.forEach((variable, i) => {
    environment.set(variable, inputs[i] as Bundle)
  })
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const results = collapseOne(primitive, inputs.map(bundleOf), params, directions)
    outputs.forEach((variable, i) => {
      environment.set(variable, results[i] as Bundle)
    })
  }
  return program.outputs.map(bundleOf)
}

function collapseOne(
  primitive: Primitive,
  bundles: readonly Bundle[],
  params: Params,
  directions: Directions,
): Bundle[] {
  const inputs = bundles.map((x) => x.value)
  const outputs = bind(primitive, inputs, params)
  const tops = bundles.map((x) => x.top)
  const moved = tops.some((t) => t !== null)
    ? primitive.derivative({ tangents: tops, inputs, outputs, params })
    : outputs.map(() => null)
  const rest = eachCurve(primitive, bundles, outputs, params, directions)
  return outputs.map((value, i) => ({
    value,
    lower: rest[i]!.lower,
    top: sumOf([moved[i] ?? null, rest[i]!.top], add),
  }))
}

/** Coefficients 1 to K - 1 of every curve's outputs, and the sum of what these contribute to coefficient K. */
function eachCurve(
  primitive: Primitive,
  bundles: readonly Bundle[],
  outputs: readonly Value[],
  params: Params,
  { count, weights, order }: Directions,
): Omit<Bundle, 'value'>[] {
  const given = bundles.flatMap((x) => x.lower.filter((c) => c !== null))
  if (given.length === 0) return outputs.map(() => ({ lower: bundles[0]?.lower ?? [], top: null }))
  const values = [...bundles.map((x) => x.value), ...outputs]
  const found: (number | null)[][] = []
  const { program, captured } = traceFlat(
    (x) => {
      let next = values.length
      const curves = bundles.map(({ lower }, i) =>
        seriesOf(
          x[i] as Value,
          lower.map((c) => c && (x[next++] as Value)),
        ),
      )
      const own = x.slice(bundles.length, values.length)
      const results = applyToSeries(primitive, curves, params, order, undefined, own)
      const kept: Value[] = []
      for (const result of results)
        found.push(
          Array.from({ length: order }, (_, k) => {
            const c = result.coefficient(k + 1)
            return c && kept.push(c) - 1
          }),
        )
      return kept
    },
    [...values, ...given.map(({ dtype, shape }) => ({ dtype, shape: shape.slice(1) }))],
  )
  const known = [...captured, ...values]
  const over = overBatch(eliminateDeadCode(program), known, given, count, weights)
  return found.map((places) => {
    const at = (place: number | null) => (place === null ? null : (program.outputs[place] as Value))
    const lower = places.slice(0, -1).map(at)
    const top = at(places.at(-1) ?? null)
    return { lower: lower.map((c) => c && over.each(c)), top: top && over.sum(top) }
  })
}

/** sum_r w_r x_r over axis 0. */
export const sumCurves = (x: Value, weights: Value | null): Value =>
  weights ? dot(weights, x, [[0], [0]]) : reduceSum(x, [0])

/** Values of a program over a batch of some of its inputs, or their weighted sum, computed when asked for. */
function overBatch(
  program: Program,
  shared: readonly Value[],
  given: readonly Value[],
  size: number,
  weights: Value | null,
) {
  const values = new Map<Value, Value>()
  const made = new Map<Value, Equation>()
  const varies = new Set<Value>(program.inputs.slice(shared.length))
  program.inputs.forEach((variable, i) => {
    values.set(variable, (i < shared.length ? shared[i] : given[i - shared.length]) as Value)
  })
  for (const equation of program.equations)
    for (const output of equation.outputs) {
      made.set(output, equation)
      if (equation.inputs.some((input) => varies.has(input))) varies.add(output)
    }

  /** With the batch as axis 0, if it varies. */
  function get(v: Value): Value {
    const known = v instanceof Var ? values.get(v) : v
    if (known) return known
    const { primitive, inputs, params, outputs } = made.get(v) as Equation
    const at = inputs.map(get)
    const batched = inputs.map((input) => varies.has(input))
    const results = varies.has(v)
      ? primitive.batch({ inputs: at, batched, size, params })
      : bind(primitive, at, params)
    outputs.forEach((variable, i) => {
      values.set(variable, results[i] as Value)
    })
    return values.get(v) as Value
  }

  const reduce = (x: Value) => sumCurves(x, weights)

  /** The sum over the batch, taken as early as the operations are linear in what varies. */
  function sum(v: Value): Value {
    if (!varies.has(v)) return weights ? mul(get(v), reduceSum(weights, [0])) : mul(get(v), size)
    const equation = made.get(v)
    const inputs = equation?.inputs ?? []
    const [x, y, z] = inputs as [Value, Value, Value]
    const varying = inputs.filter((input) => varies.has(input)).length
    switch (equation?.primitive.name) {
      case 'add':
        return add(sum(x), sum(y))
      case 'sub':
        return sub(sum(x), sum(y))
      case 'select':
        if (!varies.has(x)) return select(get(x), sum(y), sum(z))
        break
      case 'dot':
      case 'convolution':
        if (varying === 1)
          return bind(
            equation.primitive,
            inputs.map((input) => (varies.has(input) ? sum(input) : get(input))),
            equation.params,
          )[0] as Value
        break
      case 'mul':
      case 'div':
      case 'neg': {
        const { outer, factors } = factorsOf(v)
        const [only] = factors
        const inner =
          factors.length === 1 && only !== v
            ? sum(only as Value)
            : reduce(factors.map(batchedOf).reduce(multiply).value)
        return outer ? mul(inner, outer) : inner
      }
    }
    return reduce(get(v))
  }

  const one = ({ dtype }: Value) => fullTensor([], 1, dtype)

  /** A product's factors that vary, and the product of the others. */
  function factorsOf(v: Value): { outer: Value | null; factors: Value[] } {
    const equation = made.get(v)
    const [x, y] = (equation?.inputs ?? []) as [Value, Value]
    const name = equation?.primitive.name
    if (name === 'neg') {
      const { outer, factors } = factorsOf(x)
      return { outer: neg(outer ?? one(v)), factors }
    }
    if (name === 'div' && !varies.has(y)) {
      const { outer, factors } = factorsOf(x)
      return { outer: div(outer ?? one(v), get(y)), factors }
    }
    if (name !== 'mul') return { outer: null, factors: [v] }
    const parts = [x, y].map((input) =>
      varies.has(input) ? factorsOf(input) : { outer: get(input), factors: [] },
    )
    const outers = parts.flatMap(({ outer }) => outer ?? [])
    return {
      outer: outers.length ? outers.reduce(mul) : null,
      factors: parts.flatMap(({ factors }) => factors),
    }
  }

  interface Ranked {
    readonly value: Value
    readonly shape: Value['shape']
  }

  const batchedOf = (v: Value): Ranked => ({ value: get(v), shape: v.shape })

  /** A product of batched values that broadcast against each other behind the batch. */
  function multiply(a: Ranked, b: Ranked): Ranked {
    const of = (x: Ranked) => ({ dtype: x.value.dtype, shape: x.shape })
    const { program } = traceFlat(([x, y]) => [mul(x as Value, y as Value)], [of(a), of(b)])
    const [equation] = program.equations
    const [value] = (equation as Equation).primitive.batch({
      inputs: [a.value, b.value],
      batched: [true, true],
      size,
      params: {},
    })
    return { value: value as Value, shape: (program.outputs[0] as Value).shape }
  }

  return {
    each: (v: Value) => (varies.has(v) ? get(v) : broadcastTo(get(v), [size, ...v.shape])),
    sum,
  }
}
