import type { Program } from '../../program/program.js'
import type { Value, Var } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import type { Plan } from './plan.js'
import type { Step } from './schedule.js'

/** A typed array that a compiled program keeps between calls. */
export interface Buffer {
  readonly name: string
  readonly dtype: Var['dtype']
  readonly size: number
}

export interface Storage {
  /** The array of each value that has one: a buffer, or a fresh array for what is returned. */
  readonly arrays: ReadonlyMap<Var, string>
  readonly buffers: readonly Buffer[]
  /** Values whose arrays are made afresh at every call. */
  readonly fresh: readonly Var[]
}

/** The values that a step writes to arrays. */
function written(step: Step, stored: ReadonlySet<Var>): Var[] {
  if (step.kind === 'dot') return [step.output]
  if (step.kind === 'call') return []
  return step.items
    .filter(({ kind, output }) => {
      if (kind === 'place') return true
      return sizeOf(output.shape) !== 1 && (kind === 'reduce' || stored.has(output))
    })
    .map(({ output }) => output)
}

/** The values that a step reads from arrays or elsewhere. */
function reads(step: Step, plan: Plan): Value[] {
  if (step.kind === 'call') return step.equation.inputs.map((x) => plan.reader.access(x).root)
  if (step.kind === 'dot') return step.operands.map(({ root }) => root)
  return step.items.flatMap(({ operands }) => operands.map(({ root }) => root))
}

/** Gives every stored value an array; values that are not alive together share one. */
export function allocateBuffers(program: Program, plan: Plan): Storage {
  const returned = new Set<Value>(program.outputs.map((x) => plan.reader.access(x).root))
  const last = new Map<Value, number>()
  plan.steps.forEach((step, i) => {
    for (const value of [...written(step, plan.stored), ...reads(step, plan)]) last.set(value, i)
  })
  const arrays = new Map<Var, string>()
  const fresh: Var[] = []
  const buffers: Buffer[] = []
  const free = new Map<string, Buffer[]>()
  const held: { value: Var; buffer: Buffer }[] = []
  const keyOf = ({ dtype, size }: { dtype: string; size: number }) => `${dtype}:${size}`
  plan.steps.forEach((step, i) => {
    for (const value of written(step, plan.stored)) {
      if (arrays.has(value)) continue
      if (returned.has(value)) {
        arrays.set(value, `y${fresh.length}`)
        fresh.push(value)
        continue
      }
      const wanted = { dtype: value.dtype, size: sizeOf(value.shape) }
      let buffer = free.get(keyOf(wanted))?.pop()
      if (!buffer) {
        buffer = { name: `t${buffers.length}`, ...wanted }
        buffers.push(buffer)
      }
      arrays.set(value, buffer.name)
      held.push({ value, buffer })
    }
    for (let k = held.length - 1; k >= 0; k--) {
      const { value, buffer } = held[k] as (typeof held)[0]
      if (last.get(value) !== i) continue
      held.splice(k, 1)
      free.set(keyOf(buffer), [...(free.get(keyOf(buffer)) ?? []), buffer])
    }
  })
  return { arrays, buffers, fresh }
}
