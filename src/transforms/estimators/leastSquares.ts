/**
 * The x that minimises |A x - b| for A of m rows, m >= n, by Householder reflections with columns pivoted;
 * directions that the rows do not determine, to 1e-10 of the largest, are left 0. Overwrites its arguments.
 */
export function leastSquares(a: Float64Array[], b: Float64Array): Float64Array {
  const m = a.length
  const n = a[0]?.length ?? 0
  const order = Array.from({ length: n }, (_, j) => j)
  const lengthBelow = (j: number, from: number) => {
    let squared = 0
    for (let i = from; i < m; i++) squared += a[i]![j]! ** 2
    return Math.sqrt(squared)
  }
  let rank = 0
  let largest = 0
  for (; rank < Math.min(m, n); rank++) {
    const k = rank
    const lengths = order.map((_, j) => (j < k ? -1 : lengthBelow(j, k)))
    const pivot = lengths.indexOf(Math.max(...lengths))
    largest = Math.max(largest, lengths[pivot]!)
    if (!(lengths[pivot]! > 1e-10 * largest)) break
    for (const row of a) [row[k], row[pivot]] = [row[pivot]!, row[k]!]
    ;[order[k], order[pivot]] = [order[pivot]!, order[k]!]
    reflect(a, b, k, lengths[pivot]!)
  }
  const x = new Float64Array(n)
  for (let k = rank - 1; k >= 0; k--) {
    let rest = b[k]!
    for (let j = k + 1; j < rank; j++) rest -= a[k]![j]! * x[order[j]!]!
    x[order[k]!] = rest / a[k]![k]!
  }
  return x
}

/** Reflects column k, of the given length from row k down, onto its first element. */
function reflect(a: Float64Array[], b: Float64Array, k: number, length: number): void {
  const head = a[k]![k]! > 0 ? -length : length
  const v = a.slice(k).map((row) => row[k]!)
  v[0] = v[0]! - head
  const squared = v.reduce((sum, value) => sum + value * value, 0)
  if (squared === 0) return
  const apply = (get: (i: number) => number, set: (i: number, value: number) => void) => {
    const along = (2 * v.reduce((sum, value, i) => sum + value * get(i), 0)) / squared
    v.forEach((value, i) => {
      set(i, get(i) - along * value)
    })
  }
  for (let j = k; j < a[0]!.length; j++)
    apply(
      (i) => a[k + i]![j]!,
      (i, value) => {
        a[k + i]![j] = value
      },
    )
  apply(
    (i) => b[k + i]!,
    (i, value) => {
      b[k + i] = value
    },
  )
}
