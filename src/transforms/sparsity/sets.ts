/** Sorted distinct integers. Sets are shared between elements and never changed. */
export type Indices = Int32Array

export const none: Indices = new Int32Array(0)

export function single(index: number): Indices {
  return Int32Array.of(index)
}

/** The union of two sets; one of them itself where it holds the other. */
export function union(a: Indices, b: Indices): Indices {
  if (a === b || b.length === 0) return a
  if (a.length === 0) return b
  const [large, small] = a.length >= b.length ? [a, b] : [b, a]
  if (holds(large, small)) return large
  const merged = new Int32Array(a.length + b.length)
  let count = 0
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = i < a.length ? (a[i] as number) : Number.POSITIVE_INFINITY
    const y = j < b.length ? (b[j] as number) : Number.POSITIVE_INFINITY
    merged[count++] = Math.min(x, y)
    if (x <= y) i++
    if (y <= x) j++
  }
  return merged.slice(0, count)
}

/** The union of many sets, in time proportional to their sizes (and a sort). */
export function unionAll(sets: readonly Indices[]): Indices {
  const distinct = [...new Set(sets)].filter((set) => set.length > 0)
  if (distinct.length <= 2) return union(distinct[0] ?? none, distinct[1] ?? none)
  const seen = new Set<number>()
  for (const set of distinct) for (const index of set) seen.add(index)
  return Int32Array.from(seen).sort()
}

export function intersection(a: Indices, b: Indices): Indices {
  return a.filter((index) => has(b, index))
}

function holds(large: Indices, small: Indices): boolean {
  if (large[0]! > small[0]! || large.at(-1)! < small.at(-1)!) return false
  return small.every((index) => has(large, index))
}

/** Whether a set holds `index`. */
export function has(set: Indices, index: number): boolean {
  return find(set, index) >= 0
}

/** The place of `index` in a set, or -1. */
export function find(set: Indices, index: number): number {
  let [low, high] = [0, set.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const value = set[middle] as number
    if (value === index) return middle
    if (value < index) low = middle + 1
    else high = middle - 1
  }
  return -1
}
