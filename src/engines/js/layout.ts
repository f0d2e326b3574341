import type { Var } from '../../program/value.js'
import { sizeOf, stridesOf } from '../../tensor/shape.js'
import { type Affine, coalesce } from './affine.js'
import type { Names } from './names.js'
import type { Item, LoopStep } from './schedule.js'

/** An array that a loop reads or writes, at offset + sum of strides x indices. */
export interface Reference {
  readonly array: string
  readonly offset: number
  readonly strides: readonly number[]
  /** The number of loops around it that its position depends on. */
  readonly depth: number
  /** How often the body mentions it. */
  readonly uses: number
}

/** An item with its operands: texts of numbers, or references into arrays. */
export interface Statement {
  readonly item: Item
  readonly operands: readonly (string | Reference)[]
  /** Where the result is written, if it is. */
  readonly target: Reference | undefined
  /** Whether the result is also read by other statements. */
  readonly isLocal: boolean
  /** Whether a float32 result must be rounded at once: elsewhere, or to a comparison, the difference shows. */
  readonly isExact: boolean
}

/** A loop nest: its extents, merged where every reference allows it, and its body. */
export interface Layout {
  readonly shape: readonly number[]
  readonly statements: readonly Statement[]
  readonly references: readonly Reference[]
}

/** Plain arithmetic on floats may keep more digits than float32 has; comparisons and steps may not. */
function isArithmetic(item: Item): boolean {
  if (item.kind !== 'map') return true
  return item.output.dtype === 'float32' && item.equation.primitive.expression !== undefined
}

export function layoutOf(step: LoopStep, names: Names, stored: ReadonlySet<Var>): Layout {
  const locals = new Set<unknown>()
  for (const { kind, output } of step.items) if (kind === 'map') locals.add(output)
  const read = new Set<unknown>()
  const exact = new Set<unknown>()
  const found = new Map<string, { array: string; at: Affine; uses: number }>()
  const refer = (array: string, at: Affine): string => {
    const key = `${array} ${at.offset} ${at.strides}`
    const known = found.get(key)
    if (known) known.uses++
    else found.set(key, { array, at, uses: 1 })
    return key
  }
  const targetOf = ({ kind, output }: Item, at: Affine | undefined): string | undefined => {
    if (at) return refer(names.hasArray(output) ? names.array(output) : names.element(output), at)
    const isStored = kind === 'map' && names.hasArray(output)
    return isStored ? refer(names.array(output), { offset: 0, strides: stridesOf(step.shape) }) : undefined
  }
  const drafts = step.items.map((item) => {
    const operands = item.operands.map(({ root, at }): { text: string } | { key: string } => {
      if (locals.has(root)) {
        read.add(root)
        if (!isArithmetic(item)) exact.add(root)
        return { text: names.element(root as Var) }
      }
      const number = names.number(root)
      return number === undefined ? { key: refer(names.array(root), at) } : { text: number }
    })
    return { item, operands, target: targetOf(item, item.kind === 'map' ? undefined : item.at) }
  })

  const merged = coalesce(
    step.shape,
    [...found.values()].map(({ at }) => at.strides),
  )
  const references = new Map<string, Reference>()
  ;[...found].forEach(([key, { array, at, uses }], i) => {
    const strides = merged.strides[i] as number[]
    const depth = strides.reduce((last, stride, axis) => (stride === 0 ? last : axis + 1), 0)
    references.set(key, { array, offset: at.offset, strides, depth, uses })
  })
  const statements = drafts.map(({ item, operands, target }) => ({
    item,
    operands: operands.map((x) => ('text' in x ? x.text : (references.get(x.key) as Reference))),
    target: target === undefined ? undefined : references.get(target),
    isLocal: sizeOf(item.output.shape) === 1 || read.has(item.output),
    isExact: stored.has(item.output) || exact.has(item.output),
  }))
  return { shape: merged.shape, statements, references: [...references.values()] }
}
