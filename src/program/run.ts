import type { Tensor } from '../tensor/tensor.js'
import type { Program } from './program.js'
import { type Value, Var } from './value.js'

const prepared = new WeakMap<Program, (inputs: readonly Tensor[]) => Tensor[]>()

/** A program made ready to be evaluated many times, operation by operation. Its inputs are not checked. */
export function prepareProgram(program: Program): (inputs: readonly Tensor[]) => Tensor[] {
  const known = prepared.get(program)
  if (known) return known
  const made = numbered(program)
  prepared.set(program, made)
  return made
}

/**
 * Variables are numbered once, so that a step reads and writes an array instead of a map; each is dropped after
 * its last use, since what a loop keeps of its steps may be most of the memory.
 */
function numbered({ inputs, equations, outputs }: Program): (inputs: readonly Tensor[]) => Tensor[] {
  const places = new Map<Value, number>()
  const constants: Tensor[] = []
  const place = (value: Value): number => {
    const found = places.get(value)
    if (found !== undefined) return found
    const next = places.size
    places.set(value, next)
    if (!(value instanceof Var)) constants[next] = value
    return next
  }
  const given = inputs.map(place)
  const steps = equations.map(({ primitive, inputs, params, outputs }) => {
    return { primitive, params, outputs, from: inputs.map(place), to: outputs.map(place) }
  })
  const results = outputs.map(place)
  const used = new Set(results)
  const dying = [...steps]
    .reverse()
    .map(({ from, to }) => {
      const last = [...new Set([...from, ...to])].filter((slot) => !used.has(slot))
      for (const slot of last) used.add(slot)
      return last
    })
    .reverse()
  return (values) => {
    const slots: (Tensor | undefined)[] = constants.slice()
    given.forEach((slot, i) => {
      slots[slot] = values[i]
    })
    const read = (slot: number) => slots[slot] as Tensor
    steps.forEach(({ primitive, params, outputs, from, to }, step) => {
      const made = primitive.evaluate(from.map(read), params, outputs)
      to.forEach((slot, i) => {
        slots[slot] = made[i]
      })
      for (const slot of dying[step] as number[]) slots[slot] = undefined
    })
    return results.map(read)
  }
}
