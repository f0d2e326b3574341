import { mul } from '../../ops/arithmetic.js'
import { constantSeries, series } from '../../ops/taylor.js'
import { bind, traceFlat } from '../../program/builder.js'
import type { MaybeZero, Params, Primitive, Series } from '../../program/primitive.js'
import type { Program } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import { instantiate, jvpProgram } from '../jvp.js'

/** Series that were made of another by operations without parameters, so that sin and cos share theirs. */
type Made = WeakMap<Series, Map<Primitive, Series[]>>

/**
 * Taylor mode: runs a program on curves. Coefficients are computed when asked for, so a rule may state a series by
 * an equation that it solves (Griewank and Walther, Evaluating Derivatives, 2008, chapter 13).
 */
export function seriesProgram(
  program: Program,
  inputs: readonly Series[],
  order: number,
  made: Made = new WeakMap(),
): Series[] {
  const environment = new Map<Value, Series>()
  const seriesOf = (value: Value) => environment.get(value) ?? constantSeries(value)
  program.inputs.forEach((variable, i) => {
    environment.set(variable, inputs[i] as Series)
  })
  for (const { primitive, inputs, params, outputs } of program.equations) {
    const results = applyToSeries(primitive, inputs.map(seriesOf), params, order, made)
    outputs.forEach((variable, i) => {
      environment.set(variable, results[i] as Series)
    })
  }
  return program.outputs.map(seriesOf)
}

/** One operation on curves. */
export function applyToSeries(
  primitive: Primitive,
  inputs: readonly Series[],
  params: Params,
  order: number,
  made: Made = new WeakMap(),
  values?: readonly Value[],
): Series[] {
  const [x] = inputs
  const shared = inputs.length === 1 && Object.keys(params).length === 0 && x ? x : undefined
  const known = shared && made.get(shared)?.get(primitive)
  if (known) return known
  const at = inputs.map((input) => input.value)
  const outputs = values ?? bind(primitive, at, params)
  if (inputs.every((input) => input.constant)) return outputs.map(constantSeries)
  const lift = (f: (...x: Value[]) => Value, ...given: Series[]): Series => {
    const types = given.map(({ value }) => value)
    const { program, captured } = traceFlat((x) => [f(...x)], types)
    return seriesProgram(program, [...captured.map(constantSeries), ...given], order, made)[0] as Series
  }
  const results = primitive.taylor
    ? primitive.taylor({ series: inputs, outputs, params, order, lift })
    : byDerivative(primitive, inputs, outputs, params, order, made)
  if (shared) {
    if (!made.has(shared)) made.set(shared, new Map())
    made.get(shared)?.set(primitive, results)
  }
  return results
}

/** The coefficients that follow from the derivative; see `taylor` in {@link Primitive}. */
function byDerivative(
  primitive: Primitive,
  inputs: readonly Series[],
  outputs: readonly Value[],
  params: Params,
  order: number,
  made: Made,
): Series[] {
  const rule = derivativeProgram(primitive, inputs, outputs, params)
  if (rule.linear) {
    const at = inputs.map((input) => input.value)
    const moved = remember((k) => {
      const tangents = inputs.map((input) => input.coefficient(k))
      if (tangents.every((t) => t === null)) return outputs.map(() => null)
      return primitive.derivative({ tangents, inputs: at, outputs, params })
    })
    return outputs.map((out, i) =>
      rule.moves[i] ? series(out, (k) => moved(k)[i] ?? null) : constantSeries(out),
    )
  }
  let rates: Series[] | undefined
  const results: Series[] = outputs.map((out, i) =>
    rule.moves[i]
      ? series(out, (k) => {
          rates ??= seriesProgram(
            rule.program,
            [...rule.captured, ...inputs, ...results, ...inputs.filter((x) => !x.constant).map(velocity)],
            order - 1,
            made,
          )
          const rate = rates[rule.moves.slice(0, i).filter(Boolean).length] as Series
          const c = rate.coefficient(k - 1)
          return c && (k === 1 ? c : mul(c, 1 / k))
        })
      : constantSeries(out),
  )
  return results
}

/** u' of u. */
function velocity(u: Series): Series {
  return series(instantiate(u.coefficient(1), u.value), (k) => {
    const c = u.coefficient(k + 1)
    return c && mul(c, k + 1)
  })
}

interface DerivativeProgram {
  /** Inputs, outputs and tangents of the inputs that move, to tangents of the outputs that do. */
  readonly program: Program
  readonly captured: readonly Series[]
  readonly moves: readonly boolean[]
  /** Whether it does not vary with the inputs and outputs. */
  readonly linear: boolean
}

function derivativeProgram(
  primitive: Primitive,
  series: readonly Series[],
  outputs: readonly Value[],
  params: Params,
): DerivativeProgram {
  const inputs = series.map((x) => x.value)
  const moving = inputs.filter((_, i) => !series[i]?.constant)
  let moves: boolean[] = []
  const { program, captured } = traceFlat(
    (x) => {
      const at = x.slice(0, inputs.length)
      const out = x.slice(inputs.length, inputs.length + outputs.length)
      let next = inputs.length + outputs.length
      const tangents = series.map((s): MaybeZero => (s.constant ? null : (x[next++] as Value)))
      const moved = primitive.derivative({ tangents, inputs: at, outputs: out, params })
      moves = outputs.map((_, i) => Boolean(moved[i]))
      return moved.filter((t) => t !== null)
    },
    [...inputs, ...outputs, ...moving],
  )
  return {
    program,
    captured: captured.map(constantSeries),
    moves,
    linear: isConstantIn(
      program,
      [...series.map((s) => !s.constant), ...outputs.map((_, i) => Boolean(moves[i]))],
      captured.length,
    ),
  }
}

/** Whether the derivative of a program in some of its inputs is known to be zero. */
function isConstantIn(program: Program, wrt: readonly boolean[], first: number): boolean {
  let still = true
  traceFlat((x) => {
    const at = x.slice(0, program.inputs.length)
    const tangents = program.inputs.map((_, i) => (wrt[i - first] ? (at[i] as Value) : null))
    still = jvpProgram(program, at, tangents).tangents.every((t) => t === null)
    return []
  }, program.inputs)
  return still
}

function remember<T>(f: (k: number) => T): (k: number) => T {
  const known = new Map<number, T>()
  return (k) => {
    if (!known.has(k)) known.set(k, f(k))
    return known.get(k) as T
  }
}

/**
 * The outputs of a program along a curve, up to an order: `coefficients[i][k - 1]` is coefficient k of input i.
 */
export function jetProgram(
  program: Program,
  inputs: readonly Value[],
  coefficients: readonly (readonly MaybeZero[])[],
  order: number,
): { outputs: Value[]; coefficients: MaybeZero[][] } {
  const curves = inputs.map((value, i) => seriesOf(value, coefficients[i] ?? []))
  const results = seriesProgram(program, curves, order)
  return {
    outputs: results.map((result) => result.value),
    coefficients: results.map((result) => Array.from({ length: order }, (_, k) => result.coefficient(k + 1))),
  }
}

/** The series with the given coefficients from the first, zero after them. */
export function seriesOf(value: Value, coefficients: readonly MaybeZero[]): Series {
  if (coefficients.every((c) => c === null)) return constantSeries(value)
  return series(value, (k) => coefficients[k - 1] ?? null)
}
