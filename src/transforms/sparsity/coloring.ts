import { type SparsityPattern, transposePattern } from './pattern.js'
import type { Indices } from './sets.js'
import { smallestNot, starColor } from './star.js'

/** A number 0, 1, ... for each vertex, and how many numbers there are. */
export interface Coloring {
  readonly colors: Int32Array
  readonly count: number
}

type Order = readonly number[]

/**
 * Colours the columns of a matrix so that columns which share a row differ: greedy distance-2 colouring of
 * the bipartite graph (Gebremedhin, Manne, Pothen, "What color is your Jacobian?", SIAM Review 2005,
 * algorithm 3.1). Columns of one colour are then found by one product.
 */
export function colorColumns(pattern: SparsityPattern): Coloring {
  const columns = transposePattern(pattern)
  return bestOrder(columns.rows, (order) => {
    const colors = new Int32Array(pattern.columns).fill(-1)
    const forbidden: number[] = []
    for (const j of order) {
      for (const i of columns.rows[j] as Indices)
        for (const other of pattern.rows[i] as Indices) {
          const color = colors[other] as number
          if (color >= 0) forbidden[color] = j
        }
      colors[j] = smallestNot(forbidden, j)
    }
    return colors
  })
}

/**
 * Colours the vertices of a symmetric pattern so that neighbours differ and no path of four vertices has
 * two colours: then every entry of the matrix can be read off a product with the sum of a colour's columns.
 * Acyclic colourings need fewer colours, but their entries follow from each other along trees that may be as deep as
 * the matrix is large: one after another, each with the rounding of those before it.
 */
export function colorStars({ rows }: SparsityPattern): Coloring {
  return bestOrder(rows, (order) => starColor(rows, order))
}

/** Colours in the given order and in that of falling degree; keeps the one with fewer colours. */
function bestOrder(adjacent: readonly Indices[], color: (order: Order) => Int32Array): Coloring {
  const natural = adjacent.map((_, i) => i)
  const degree = (i: number) => (adjacent[i] as Indices).length
  const byDegree = [...natural].sort((i, j) => degree(j) - degree(i))
  const [first, second] = [natural, byDegree].map((order) => {
    const colors = color(order)
    return { colors, count: colors.reduce((most, c) => Math.max(most, c + 1), 0) }
  }) as [Coloring, Coloring]
  return second.count < first.count ? second : first
}
