import { broadcastStrides, gatherStrided } from '../../ops/broadcast.js'
import { evaluateElementwise } from '../../ops/elementwise.js'
import { traceFlat } from '../../program/builder.js'
import { inlineCalls } from '../../program/passes/inlineCalls.js'
import { Unknown } from '../../program/primitive.js'
import type { Equation, Program } from '../../program/program.js'
import type { Type, Value, Var } from '../../program/value.js'
import { type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { merge, type Reach, throughControl } from './control.js'
import { type Indices, none, union, unionAll } from './sets.js'

export type { Reach } from './control.js'

/**
 * Which elements of a linear program's inputs reach which elements of its outputs, whatever the values of
 * its residuals: a superset of what they reach at any of them. Zeros of constants are taken into account.
 */
export function propagate(program: Program, inputs: readonly Reach[]): Reach[] {
  return propagateFlat(inlineCalls(program), inputs)
}

function propagateFlat(program: Program, inputs: readonly Reach[]): Reach[] {
  const reaches = new Map<Value, Reach>()
  program.inputs.forEach((variable, i) => {
    reaches.set(variable, inputs[i])
  })
  for (const equation of program.equations) {
    const given = equation.inputs.map((input) => reaches.get(input))
    if (given.every((reach) => reach === undefined)) continue
    const several = throughControl(equation, given, propagate)
    const reach = several ? undefined : throughEquation(equation, given)
    equation.outputs.forEach((output, i) => {
      reaches.set(output, several ? several[i] : (reach ?? everywhere(given, sizeOf(output.shape))))
    })
  }
  return program.outputs.map((output) => reaches.get(output))
}

/** The conservative answer: everything reaches all of it. */
function everywhere(given: readonly Reach[], size: number): Reach {
  const all = unionAll(given.flatMap((reach) => reach ?? []))
  return new Array<Indices>(size).fill(all)
}

/** What reaches the only output of an equation; undefined when its primitive does not say. */
function throughEquation(equation: Equation, given: readonly Reach[]): Reach {
  const { primitive, inputs, outputs } = equation
  if (outputs.length !== 1) return undefined
  if (primitive.scalar) return throughElementwise(equation, given)
  if (typeof primitive.pattern === 'function') return throughComposition(equation, given)
  const known = inputs.every((input, i) => given[i] || input instanceof Tensor)
  if (!known || !primitive.pattern) return undefined
  return primitive.pattern === 'moves' ? throughMoves(equation, given) : throughSums(equation, given)
}

function throughElementwise(equation: Equation, given: readonly Reach[]): Reach {
  const { shape } = equation.outputs[0] as Type
  const result = new Array<Indices>(sizeOf(shape)).fill(none)
  given.forEach((reach, of) => {
    if (!reach) return
    const source = numbered((equation.inputs[of] as Value).shape, shape)
    const weights = weightsOf(equation, given, of)
    for (let i = 0; i < result.length; i++)
      if (weights?.[i] !== 0)
        result[i] = union(result[i] as Indices, reach[source ? (source[i] as number) : i] as Indices)
  })
  return result
}

/** For each element of a broadcast shape, the number of the element that it copies. */
function numbered(from: Shape, to: Shape): ArrayLike<number> | undefined {
  if (sameShape(from, to)) return undefined
  const own = new Tensor(
    Int32Array.from({ length: sizeOf(from) }, (_, i) => i),
    from,
  )
  return gatherStrided(own, to, broadcastStrides(from, to)).data
}

/** What a linear elementwise equation with constants multiplies one of its inputs by. */
function weightsOf({ primitive, inputs, outputs }: Equation, given: readonly Reach[], of: number) {
  const isKnown = (input: Value, i: number) => given[i] !== undefined || input instanceof Tensor
  if (!inputs.some((input) => input instanceof Tensor) || !inputs.every(isKnown)) return undefined
  const probe = inputs.map((input, i) =>
    given[i] ? fullTensor([], i === of ? 1 : 0, input.dtype) : (input as Tensor),
  )
  return evaluateElementwise(primitive.scalar as (...x: number[]) => number, probe, outputs[0] as Type).data
}

function throughComposition(
  { primitive, inputs, params, outputs }: Equation,
  given: readonly Reach[],
): Reach {
  const pattern = primitive.pattern
  if (typeof pattern !== 'function') return undefined
  const parts = given.flatMap((reach, of) => {
    if (!reach) return []
    const { program } = traceFlat(
      ([x]) => [pattern(x as Var, of, { inputs, outputs, params })],
      [inputs[of] as Value],
    )
    return propagate(program, [reach])
  })
  return parts.reduce((sum, part) => merge(sum, part), undefined)
}

const integers = ({ shape }: Type): Type => ({ dtype: 'int32', shape })

/** The elements of a value numbered from `first`; 0 stands for a zero. */
function numbers({ shape }: Type, first: number): Tensor {
  return new Tensor(
    Int32Array.from({ length: sizeOf(shape) }, (_, i) => first + i),
    shape,
  )
}

function throughMoves({ primitive, inputs, params, outputs }: Equation, given: readonly Reach[]): Reach {
  const sets: Indices[] = [none]
  const elements = inputs.map((input, i) => {
    const reach = given[i]
    if (!reach) return input as Tensor
    const numbered = numbers(input, sets.length)
    for (const set of reach) sets.push(set)
    return numbered
  })
  const [moved] = primitive.evaluate(elements, params, outputs.map(integers))
  return Array.from((moved as Tensor).data, (number) => sets[number] as Indices)
}

function throughSums({ primitive, inputs, params, outputs }: Equation, given: readonly Reach[]): Reach {
  const [output] = outputs as readonly [Var]
  const targets = primitive.transpose?.({
    cotangents: [numbers(output, 1)],
    inputs: inputs.map((input, i) => (given[i] ? new Unknown(integers(input)) : input)),
    outputs: outputs.map(integers),
    params,
  })
  const members = Array.from({ length: sizeOf(output.shape) }, (): Indices[] => [])
  given.forEach((reach, i) => {
    const target = targets?.[i]
    if (reach && target instanceof Tensor)
      reach.forEach((set, k) => {
        members[(target.data[k] as number) - 1]?.push(set)
      })
  })
  return members.map(unionAll)
}
