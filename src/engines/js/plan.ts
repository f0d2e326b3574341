import type { Equation, Program } from '../../program/program.js'
import { type Type, type Value, Var } from '../../program/value.js'
import { range, type Shape, sizeOf, stridesOf } from '../../tensor/shape.js'
import { type Affine, broadcastAffine, contiguous, isContiguous, squeeze } from './affine.js'
import { isElementwise } from './element.js'
import { asOneAxis, matrixAxes } from './matrix.js'
import { type Access, Reader } from './reader.js'
import { type Item, Schedule, type Step } from './schedule.js'

export interface Plan {
  readonly steps: readonly Step[]
  readonly reader: Reader
  readonly stored: ReadonlySet<Var>
}

interface Context {
  readonly reader: Reader
  readonly schedule: Schedule
  /** Values that must be whole arrays: outputs, and what `evaluate` is called with. */
  readonly wanted: ReadonlySet<Value>
}

type Kind = 'view' | 'map' | 'reduce' | 'place' | 'dot' | 'call'

/** Equations that are neither views nor elementwise and for which code is generated. */
const generated: Readonly<Record<string, Kind>> = {
  reduceSum: 'reduce',
  reduceMax: 'reduce',
  reduceMin: 'reduce',
  pad: 'place',
  concatenate: 'place',
  dot: 'dot',
}

function kindOf(equation: Equation, reader: Reader): Kind {
  if (reader.isView(equation)) return 'view'
  return isElementwise(equation) ? 'map' : (generated[equation.primitive.name] ?? 'call')
}

/** Groups the equations that the outputs need into fused loops, matrix products and calls, in order. */
export function makePlan(program: Program): Plan {
  const reader = new Reader()
  const schedule = new Schedule()
  const equations = liveEquations(program)
  const kinds = equations.map((equation) => kindOf(equation, reader))
  const called = equations.filter((_, i) => kinds[i] === 'call')
  const wanted = new Set([...program.outputs, ...called.flatMap(({ inputs }) => inputs)])
  equations.forEach((equation, i) => {
    planners[kinds[i] as Kind](equation, { reader, schedule, wanted })
  })
  for (const output of program.outputs) schedule.store(reader.access(output).root)
  return { steps: schedule.steps, reader, stored: schedule.stored }
}

const planners: Readonly<Record<Kind, (equation: Equation, context: Context) => void>> = {
  /** Views are read through; one gets an array when it is wanted whole or is not affine in what it reads. */
  view(equation, { reader, schedule, wanted }) {
    const [input, output] = [equation.inputs[0] as Value, equation.outputs[0] as Var]
    if (!reader.addView(equation)) {
      schedule.add(input.shape, place(output, along(reader, input, input.shape), input.shape))
      return
    }
    const { root, at } = reader.access(output)
    const isWhole = sizeOf(root.shape) === sizeOf(output.shape) && isContiguous(at, output.shape)
    if (!wanted.has(output) || isWhole) return
    const operand = along(reader, output, output.shape)
    reader.own(output)
    schedule.add(output.shape, place(output, operand, output.shape))
  },

  map(equation, { reader, schedule }) {
    const output = equation.outputs[0] as Var
    const operands = equation.inputs.map((x) => along(reader, x, output.shape))
    schedule.add(output.shape, { kind: 'map', equation, output, operands })
  },

  reduce(equation, { reader, schedule }) {
    const [input, output] = [equation.inputs[0] as Value, equation.outputs[0] as Var]
    const operands = [along(reader, input, input.shape)]
    const axes = equation.params.axes as readonly number[]
    const isTrivial = axes.every((axis) => input.shape[axis] === 1)
    const at = squeeze(input.shape, keptAffine(input.shape, axes))
    schedule.add(input.shape, { kind: isTrivial ? 'map' : 'reduce', equation, output, operands, at })
  },

  place(equation, { reader, schedule }) {
    const isPad = equation.primitive.name === 'pad'
    const places = isPad ? [padAffine(equation)] : concatenateAffines(equation)
    places.forEach((at, k) => {
      const { shape } = equation.inputs[k] as Value
      const operand = along(reader, equation.inputs[k] as Value, shape)
      schedule.add(shape, place(equation.outputs[0] as Var, operand, shape, at, isPad))
    })
  },

  dot(equation, context) {
    const output = equation.outputs[0] as Var
    const groups = matrixAxes(equation)
    const operands = equation.inputs.map((x, side) =>
      matrixOperand(x, groups[side] as number[][], output, context),
    )
    const reads = operands.map(({ root }) => root)
    context.schedule.append({ kind: 'dot', equation, output, operands }, reads, [output])
  },

  call(equation, { reader, schedule }) {
    const reads = equation.inputs.map((x) => reader.access(x).root)
    schedule.append({ kind: 'call', equation }, reads, equation.outputs)
  },
}

/** An operand broadcast along the axes of a loop. */
function along(reader: Reader, value: Value, shape: Shape): Access {
  const { root, at } = reader.access(value)
  return { root, at: squeeze(shape, broadcastAffine(at, value.shape, shape)) }
}

function place(output: Var, operand: Access, shape: Shape, at = contiguous(shape), clear = false): Item {
  return { kind: 'place', output, operands: [operand], at: squeeze(shape, at), clear }
}

/** An operand of a matrix product: read where it lies if its axes run as a matrix's do, else copied. */
function matrixOperand(
  value: Value,
  groups: readonly number[][],
  { builder }: Var,
  { reader, schedule }: Context,
): Access {
  const { root, at } = reader.access(value)
  const { dtype, shape } = value
  if (schedule.isNumber(root)) {
    const copy = new Var({ dtype, shape: [1] }, builder)
    schedule.add([], place(copy, { root, at: contiguous([]) }, []))
    return { root: copy, at }
  }
  if (groups.every((axes) => asOneAxis(shape, at, axes))) return { root, at }
  const order = groups.flat()
  const ordered = order.map((axis) => shape[axis] as number)
  const copy = new Var({ dtype, shape: ordered }, builder)
  const source = { offset: at.offset, strides: order.map((axis) => at.strides[axis] as number) }
  schedule.add(ordered, place(copy, { root, at: squeeze(ordered, source) }, ordered))
  const packed = stridesOf(ordered)
  return { root: copy, at: { offset: 0, strides: shape.map((_, i) => packed[order.indexOf(i)] as number) } }
}

/** Where the elements of a reduction go, along the axes of its operand. */
function keptAffine(shape: Shape, axes: readonly number[]): Affine {
  const strides = stridesOf(shape.map((n, axis) => (axes.includes(axis) ? 1 : n)))
  return { offset: 0, strides: strides.map((stride, axis) => (axes.includes(axis) ? 0 : stride)) }
}
function padAffine({ params, outputs }: Equation): Affine {
  const { low, interior } = params as { low: number[]; interior: number[] }
  const strides = stridesOf((outputs[0] as Type).shape)
  return {
    offset: strides.reduce((sum, stride, axis) => sum + stride * (low[axis] as number), 0),
    strides: strides.map((stride, axis) => stride * ((interior[axis] as number) + 1)),
  }
}

function concatenateAffines({ inputs, params, outputs }: Equation): Affine[] {
  const axis = params.axis as number
  const strides = stridesOf((outputs[0] as Type).shape)
  let start = 0
  return inputs.map((x) => {
    const offset = start * (strides[axis] as number)
    start += x.shape[axis] as number
    return { offset, strides }
  })
}

/** The equations that the outputs depend on. */
function liveEquations(program: Program): Equation[] {
  const needed = new Set<Value>(program.outputs)
  const live: Equation[] = []
  for (const i of range(program.equations.length).reverse()) {
    const equation = program.equations[i] as Equation
    if (!equation.outputs.some((output) => needed.has(output))) continue
    live.push(equation)
    for (const input of equation.inputs) needed.add(input)
  }
  return live.reverse()
}
