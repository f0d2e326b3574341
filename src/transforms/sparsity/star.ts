import { find, type Indices } from './sets.js'

/**
 * Greedy star colouring (Gebremedhin, Tarafdar, Manne, Pothen, "New acyclic and star coloring algorithms",
 * SIAM J. Sci. Comput. 2007, algorithm 4.1): two-coloured stars are kept with their hubs, so that a vertex
 * sees at once which colours would make a two-coloured path of four. Time of the order of the sum of squared degrees.
 */
export function starColor(adjacent: readonly Indices[], order: readonly number[]): Int32Array {
  const colors = new Int32Array(adjacent.length).fill(-1)
  const edges = numberEdges(adjacent)
  const star = new Int32Array(edges.count).fill(-1)
  const hub: number[] = []
  const forbidden: number[] = []
  const treated = new Int32Array(adjacent.length).fill(-1)
  /** For a colour: the last vertex that met it among its neighbours, and where first. */
  const metBy: number[] = []
  const metAt: number[] = []
  const colored = (v: number) => (adjacent[v] as Indices).filter((w) => w !== v && (colors[w] as number) >= 0)
  const colorOf = (v: number) => colors[v] as number
  const starOf = (v: number, w: number) => star[edges.at(v, w)] as number

  const forbidAround = (v: number, w: number) => {
    for (const x of adjacent[w] as Indices)
      if (x !== v && colorOf(x) >= 0 && x !== w) forbidden[colorOf(x)] = v
    treated[w] = v
  }

  for (const v of order) {
    const neighbours = colored(v)
    for (const w of neighbours) {
      forbidden[colorOf(w)] = v
      if (metBy[colorOf(w)] === v) {
        const first = metAt[colorOf(w)] as number
        if (treated[first] !== v) forbidAround(v, first)
        forbidAround(v, w)
        continue
      }
      metBy[colorOf(w)] = v
      metAt[colorOf(w)] = w
      const around = adjacent[w] as Indices
      for (let k = 0; k < around.length; k++) {
        const x = around[k] as number
        if (x === v || x === w || colorOf(x) < 0) continue
        if (hub[star[edges.ids[(edges.offset[w] as number) + k] as number] as number] === x)
          forbidden[colorOf(x)] = v
      }
    }
    const color = smallestNot(forbidden, v)
    colors[v] = color
    for (const w of neighbours) {
      const edge = edges.at(v, w)
      const x = (adjacent[w] as Indices).find((x) => x !== v && x !== w && colorOf(x) === color)
      const first = metAt[colorOf(w)] as number
      if (x !== undefined) {
        star[edge] = starOf(w, x)
        hub[star[edge] as number] = w
      } else if (first !== w) {
        star[edge] = starOf(v, first)
        hub[star[edge] as number] = v
      } else star[edge] = hub.push(-1) - 1
    }
  }
  return colors
}

/** The first colour that is not forbidden to `vertex`. */
export function smallestNot(forbidden: readonly number[], vertex: number): number {
  let color = 0
  while (forbidden[color] === vertex) color++
  return color
}

/** One number for each undirected edge, whichever end it is looked up from. */
function numberEdges(adjacent: readonly Indices[]) {
  const offset = new Int32Array(adjacent.length + 1)
  adjacent.forEach((row, v) => {
    offset[v + 1] = (offset[v] as number) + row.length
  })
  const ids = new Int32Array(offset[adjacent.length] as number)
  const position = (v: number, w: number) => (offset[v] as number) + find(adjacent[v] as Indices, w)
  let count = 0
  adjacent.forEach((row, v) => {
    row.forEach((w, k) => {
      ids[(offset[v] as number) + k] = w < v ? (ids[position(w, v)] as number) : count++
    })
  })
  return { count, ids, offset, at: (v: number, w: number) => ids[position(v, w)] as number }
}
