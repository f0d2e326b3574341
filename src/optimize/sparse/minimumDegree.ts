import { DegreeBuckets } from './degreeBuckets.js'
import { columnsOf, type SymmetricPattern } from './symmetric.js'

/**
 * An order of elimination that keeps the Cholesky factor sparse: approximate minimum degree on the quotient graph
 * (Amestoy, Davis, Duff 1996, without supervariables). Eliminated variables become elements, cliques of the variables
 * left; degrees are bounded by the sizes of elements less what they share with the newest.
 */
export function minimumDegree(pattern: SymmetricPattern): Int32Array {
  const { size } = pattern
  const variables = neighbours(pattern)
  const elements: number[][] = variables.map(() => [])
  const members: number[][] = variables.map(() => [])
  const outside = new Int32Array(size)
  const seenAt = new Int32Array(size).fill(-1)
  const inElement = new Int32Array(size).fill(-1)
  const buckets = new DegreeBuckets(variables.map((list) => list.length))
  const order = new Int32Array(size)

  for (let step = 0; step < size; step++) {
    const pivot = buckets.removeLeast()
    order[step] = pivot
    const clique: number[] = []
    inElement[pivot] = step
    for (const list of [variables[pivot]!, ...elements[pivot]!.map((e) => members[e]!)])
      for (const i of list) {
        if (inElement[i] === step) continue
        inElement[i] = step
        clique.push(i)
      }
    for (const e of elements[pivot]!) members[e] = []
    members[pivot] = clique

    for (const i of clique)
      for (const e of elements[i]!) {
        if (seenAt[e] !== step) outside[e] = members[e]!.length
        seenAt[e] = step
        outside[e]!--
      }
    for (const i of clique) {
      variables[i] = variables[i]!.filter((j) => inElement[j] !== step)
      // An element all of whose members are in the newest says nothing more: it is absorbed.
      elements[i] = elements[i]!.filter((e) => outside[e]! > 0)
      const others = clique.length - 1
      const known = elements[i]!.reduce((sum, e) => sum + outside[e]!, variables[i]!.length + others)
      elements[i]!.push(pivot)
      buckets.remove(i)
      buckets.add(i, Math.min(size - step - 2, buckets.degree(i) + others, known))
    }
  }
  return order
}

/** For each row the columns of its other entries. */
function neighbours(pattern: SymmetricPattern): number[][] {
  const lists: number[][] = Array.from({ length: pattern.size }, () => [])
  const columns = columnsOf(pattern)
  for (let k = 0; k < columns.length; k++) {
    const [i, j] = [pattern.rows[k]!, columns[k]!]
    if (i === j) continue
    lists[i]!.push(j)
    lists[j]!.push(i)
  }
  return lists
}
