import type { Equation, Program } from '../../program/program.js'
import { type Type, type Value, Var } from '../../program/value.js'
import { range, type Shape, sameShape, sizeOf, stridesOf } from '../../tensor/shape.js'
import { type Affine, broadcastAffine, contiguous, isContiguous, squeeze } from './affine.js'
import { isElementwise } from './element.js'
import { asOneAxis, matrixAxes } from './matrix.js'
import { type Access, Reader } from './reader.js'

/** One statement of a loop's body. Operands are placed along the loop's axes. */
export type Item =
  /** output[i] = f(operands[i]) */
  | { kind: 'map'; equation: Equation; output: Var; operands: readonly Access[] }
  /** output[at i] = fold of operand[i] */
  | { kind: 'reduce'; equation: Equation; output: Var; operands: readonly Access[]; at: Affine }
  /** output[at i] = operand[i]; `clear` fills the output with zeros first */
  | { kind: 'place'; output: Var; operands: readonly Access[]; at: Affine; clear: boolean }

/** A loop over every index of `shape` (no axes of length one); a shape without axes is straight-line code. */
export interface LoopStep {
  readonly kind: 'loop'
  readonly shape: Shape
  readonly items: Item[]
}

/** A product of matrices; operands are placed along their own axes. */
export interface DotStep {
  readonly kind: 'dot'
  readonly equation: Equation
  readonly output: Var
  readonly operands: readonly Access[]
}

/** The row's `evaluate` on tensors. */
export interface CallStep {
  readonly kind: 'call'
  readonly equation: Equation
}

export type Step = LoopStep | DotStep | CallStep

interface Source {
  /** The step that completes the value. */
  readonly step: number
  /** Whether later items of the same loop can read its element as a local. */
  readonly local: boolean
  /** Whether it is a JavaScript number, with no array. */
  readonly isNumber: boolean
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly reader: Reader
  /** Values of loops that are read outside the loop that makes them, and so need an array. */
  readonly stored: ReadonlySet<Var>
}

type Kind = 'view' | 'map' | 'reduce' | 'place' | 'dot' | 'call'

const reductions = ['reduceSum', 'reduceMax', 'reduceMin']

function kindOf(equation: Equation, reader: Reader): Kind {
  const { name } = equation.primitive
  if (reader.isView(equation)) return 'view'
  if (isElementwise(equation)) return 'map'
  if (reductions.includes(name)) return 'reduce'
  if (name === 'dot') return 'dot'
  return name === 'pad' || name === 'concatenate' ? 'place' : 'call'
}

/** Groups the equations that the outputs need into fused loops, matrix products and calls, in order. */
export function makePlan(program: Program): Plan {
  const reader = new Reader()
  const equations = liveEquations(program)
  const kinds = equations.map((equation) => kindOf(equation, reader))
  const wanted = new Set<Value>(program.outputs)
  equations.forEach((equation, i) => {
    if (kinds[i] === 'call') for (const input of equation.inputs) wanted.add(input)
  })

  const steps: Step[] = []
  const stored = new Set<Var>()
  /** What makes each value. */
  const made = new Map<Value, Source>()
  const localIn = (access: Access, shape: Shape): boolean =>
    made.get(access.root)?.local === true &&
    sizeOf(access.root.shape) === sizeOf(shape) &&
    isContiguous(access.at, shape)

  /** Puts an item in the first loop of its shape that comes after all that it reads. */
  const addItem = (whole: Shape, item: Item) => {
    const shape = whole.filter((n) => n !== 1)
    const isFused = (access: Access, step: number) => {
      const loop = steps[step]
      return loop?.kind === 'loop' && sameShape(loop.shape, shape) && localIn(access, shape)
    }
    let earliest = 0
    for (const operand of item.operands) {
      const source = made.get(operand.root)
      if (source) earliest = Math.max(earliest, source.step + (isFused(operand, source.step) ? 0 : 1))
    }
    let step = earliest
    while (step < steps.length && !isLoopOf(steps[step] as Step, shape)) step++
    if (step === steps.length) steps.push({ kind: 'loop', shape, items: [] })
    ;(steps[step] as LoopStep).items.push(item)
    for (const operand of item.operands) if (made.get(operand.root)?.step !== step) store(operand.root)
    const complete = Math.max(step, made.get(item.output)?.step ?? 0)
    const local = item.kind === 'map' || (item.kind === 'reduce' && shape.length === 0)
    const isNumber = item.kind !== 'place' && sizeOf(item.output.shape) === 1
    made.set(item.output, { step: complete, local, isNumber })
  }
  const store = (root: Value) => {
    if (made.get(root)?.local && root instanceof Var) stored.add(root)
  }
  const along = (value: Value, shape: Shape): Access => {
    const { root, at } = reader.access(value)
    return { root, at: squeeze(shape, broadcastAffine(at, value.shape, shape)) }
  }

  /** An operand of a matrix product: read in place where its axes run as a matrix does, else copied. */
  const matrixOperand = (value: Value, groups: readonly number[][], output: Var): Access => {
    const access = reader.access(value)
    if (made.get(access.root)?.isNumber) {
      const copy = new Var({ dtype: value.dtype, shape: [1] }, output.builder)
      addItem([], placed(copy, { root: access.root, at: { offset: 0, strides: [] } }, []))
      return { root: copy, at: access.at }
    }
    if (groups.every((axes) => asOneAxis(value.shape, access.at, axes))) return access
    const order = groups.flat()
    const shape = order.map((axis) => value.shape[axis] as number)
    const copy = new Var({ dtype: value.dtype, shape }, output.builder)
    const source = {
      offset: access.at.offset,
      strides: order.map((axis) => access.at.strides[axis] as number),
    }
    addItem(shape, placed(copy, { root: access.root, at: squeeze(shape, source) }, shape))
    const packed = stridesOf(shape)
    return {
      root: copy,
      at: { offset: 0, strides: value.shape.map((_, axis) => packed[order.indexOf(axis)] as number) },
    }
  }

  equations.forEach((equation, i) => {
    const { primitive, inputs, params, outputs } = equation
    const output = outputs[0] as Var
    const input = inputs[0] as Value
    switch (kinds[i]) {
      case 'view': {
        const copied = !reader.addView(equation)
        const { root, at } = reader.access(output)
        const isWhole = sizeOf(root.shape) === sizeOf(output.shape) && isContiguous(at, output.shape)
        if (copied) addItem(input.shape, placed(output, along(input, input.shape), input.shape))
        else if (wanted.has(output) && !isWhole) {
          const access = along(output, output.shape)
          reader.own(output)
          addItem(output.shape, placed(output, access, output.shape))
        }
        break
      }
      case 'map': {
        const operands = inputs.map((x) => along(x, output.shape))
        addItem(output.shape, { kind: 'map', equation, output, operands })
        break
      }
      case 'reduce': {
        const operands = [along(input, input.shape)]
        const axes = params.axes as readonly number[]
        if (axes.every((axis) => input.shape[axis] === 1))
          addItem(input.shape, { kind: 'map', equation, output, operands })
        else {
          const at = squeeze(input.shape, keptAffine(input.shape, axes))
          addItem(input.shape, { kind: 'reduce', equation, output, operands, at })
        }
        break
      }
      case 'place': {
        const pieces = primitive.name === 'pad' ? [padAffine(equation)] : concatenateAffines(equation)
        pieces.forEach((at, k) => {
          const piece = inputs[k] as Value
          addItem(
            piece.shape,
            placed(output, along(piece, piece.shape), piece.shape, at, primitive.name === 'pad'),
          )
        })
        break
      }
      case 'dot': {
        const groups = matrixAxes(equation)
        const operands = inputs.map((x, side) => matrixOperand(x, groups[side] as number[][], output))
        for (const { root } of operands) store(root)
        made.set(output, { step: steps.length, local: false, isNumber: false })
        steps.push({ kind: 'dot', equation, output, operands })
        break
      }
      default: {
        for (const x of inputs) store(reader.access(x).root)
        for (const x of outputs) made.set(x, { step: steps.length, local: false, isNumber: false })
        steps.push({ kind: 'call', equation })
      }
    }
  })
  for (const output of program.outputs) store(reader.access(output).root)
  return { steps, reader, stored }
}

function placed(output: Var, operand: Access, shape: Shape, at = contiguous(shape), clear = false): Item {
  return { kind: 'place', output, operands: [operand], at: squeeze(shape, at), clear }
}

function isLoopOf(step: Step, shape: Shape): boolean {
  return step.kind === 'loop' && sameShape(step.shape, shape)
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
