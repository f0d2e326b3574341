import { traceFlat } from '../../program/builder.js'
import type { Program } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'

/** Records `f` of several groups of values as a closed program. */
export function traceGroups(
  types: readonly (readonly Type[])[],
  f: (...groups: Value[][]) => readonly Value[],
): Program {
  return traceFlat((inputs) => f(...cutLike(types, inputs)), types.flat()).program
}

/** A list cut into pieces as long as those of `groups`. */
export function cutLike<T>(groups: readonly (readonly unknown[])[], list: readonly T[]): T[][] {
  let next = 0
  return groups.map(({ length }) => {
    next += length
    return list.slice(next - length, next)
  })
}

/** The values in order where the flags are set, null elsewhere. */
export function spread<T>(flags: readonly boolean[], values: readonly T[]): (T | null)[] {
  let next = 0
  return flags.map((set) => (set ? (values[next++] as T) : null))
}

/** The items whose flag is set, or not set. */
export function chosen<T>(items: readonly T[], flags: readonly boolean[], set = true): T[] {
  return items.filter((_, i) => Boolean(flags[i]) === set)
}

/**
 * The least fixed point of flags that only ever get set: which parts of a loop's carry move, are batched or
 * are needed. `step` says which flags follow from some, and what it made for them.
 */
export function grow<T>(
  start: readonly boolean[],
  step: (flags: readonly boolean[]) => { flags: readonly boolean[]; result: T },
): { flags: readonly boolean[]; result: T } {
  let flags = start
  for (;;) {
    const { flags: next, result } = step(flags)
    if (!next.some((set, i) => set && !flags[i])) return { flags, result }
    flags = flags.map((set, i) => set || Boolean(next[i]))
  }
}

/** The variables and constants that a program reads. */
export function readsOf({ equations, outputs }: Program): Set<Value> {
  return new Set([...equations.flatMap(({ inputs }) => inputs), ...outputs])
}
