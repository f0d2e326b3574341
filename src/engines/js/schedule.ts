import type { Equation } from '../../program/program.js'
import { type Value, Var } from '../../program/value.js'
import { type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import { type Affine, isContiguous } from './affine.js'
import type { Access } from './reader.js'

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

/** What makes a value. */
interface Source {
  /** The step that completes it. */
  readonly step: number
  /** Whether later items of the same loop can read its element as a local. */
  readonly isLocal: boolean
  /** Whether it is a JavaScript number, with no array. */
  readonly isNumber: boolean
}

/** Longer loop bodies than this are not optimised well. */
const mostItems = 300

/** The steps of a program, in order, as they are gathered. */
export class Schedule {
  readonly steps: Step[] = []
  /** Elements of loops that are read outside the loop that makes them, and so need an array. */
  readonly stored = new Set<Var>()
  private readonly sources = new Map<Value, Source>()

  /** Puts an item in the first loop over `shape` that comes after all that it reads. */
  add(shape: Shape, item: Item): void {
    const axes = shape.filter((n) => n !== 1)
    let at = this.earliest(axes, item)
    const hasRoom = (step: Step) => isLoopOver(step, axes) && step.items.length < mostItems
    while (at < this.steps.length && !hasRoom(this.steps[at] as Step)) at++
    if (at === this.steps.length) this.steps.push({ kind: 'loop', shape: axes, items: [] })
    ;(this.steps[at] as LoopStep).items.push(item)
    for (const { root } of item.operands) if (this.sources.get(root)?.step !== at) this.store(root)
    this.sources.set(item.output, {
      step: Math.max(at, this.sources.get(item.output)?.step ?? 0),
      isLocal: item.kind === 'map',
      isNumber: item.kind !== 'place' && sizeOf(item.output.shape) === 1,
    })
  }

  /** Appends a step that reads arrays. */
  append(step: DotStep | CallStep, reads: readonly Value[], outputs: readonly Var[]): void {
    for (const root of reads) this.store(root)
    for (const output of outputs)
      this.sources.set(output, { step: this.steps.length, isLocal: false, isNumber: false })
    this.steps.push(step)
  }

  /** Notes that a value is read outside its loop. */
  store(root: Value): void {
    if (root instanceof Var && this.sources.get(root)?.isLocal) this.stored.add(root)
  }

  isNumber(root: Value): boolean {
    return this.sources.get(root)?.isNumber === true
  }

  /** The first step that an item over `axes` can be part of. */
  private earliest(axes: Shape, item: Item): number {
    let first = 0
    for (const { root, at } of item.operands) {
      const source = this.sources.get(root)
      if (!source) continue
      const isElement = sizeOf(root.shape) === sizeOf(axes) && isContiguous(at, axes)
      const isFused = source.isLocal && isElement && isLoopOver(this.steps[source.step] as Step, axes)
      first = Math.max(first, source.step + (isFused ? 0 : 1))
    }
    return first
  }
}

function isLoopOver(step: Step, axes: Shape): step is LoopStep {
  return step.kind === 'loop' && sameShape(step.shape, axes)
}
