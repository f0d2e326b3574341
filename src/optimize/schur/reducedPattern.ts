import { rowReader } from '../sparse/eliminationTree.js'
import { symbolicCholesky } from '../sparse/sparseCholesky.js'
import { countPairs, type SymmetricPattern, symmetricPattern } from '../sparse/symmetric.js'
import type { Observations } from './blockProblem.js'
import { type ReducedCholesky, reducedCholesky } from './reducedCholesky.js'

/** The cameras' system that is left when the points are eliminated. Two cameras meet in it that see a common point. */
export interface ReducedPattern {
  /** The place of each camera in the order of elimination. */
  readonly place: Int32Array
  /** The blocks of its upper Cholesky factor, which has all those of the system and more, in that order. */
  readonly blocks: SymmetricPattern
  /** For the pairs of observations of each point, one after another, the block where their cameras meet. */
  readonly blockOfPair: Int32Array
  readonly cholesky: ReducedCholesky
}

export function reducedPattern({ cameras: { count, size }, ...observations }: Observations): ReducedPattern {
  const { meetingOfPair, first, second } = meetings(observations, count)
  const symbolic = symbolicCholesky(symmetricPattern(count, first, second))
  const place = new Int32Array(count)
  symbolic.order.forEach((c, k) => {
    place[c] = k
  })
  const columnsOfRow = rowReader(symbolic.pattern, symbolic.parent)
  const factor = Array.from(place, (_, j) => Array.from(columnsOfRow(j), (i) => [i, j] as const)).flat()
  const { entryOf, ...blocks } = symmetricPattern(
    count,
    [...first.map((c) => place[c]!), ...factor.map(([i]) => i)],
    [...second.map((c) => place[c]!), ...factor.map(([, j]) => j)],
  )
  return {
    place,
    blocks,
    blockOfPair: meetingOfPair.map((meeting) => entryOf[meeting]!),
    cholesky: reducedCholesky(blocks, size),
  }
}

/** The cameras that meet, and for each two observations of a point, first with first, first with second, ..., which. */
function meetings({ camera, pointers }: Pick<Observations, 'camera' | 'pointers'>, cameras: number) {
  const numbers = new Map<number, number>()
  const [first, second]: [number[], number[]] = [[], []]
  const meetingOfPair = new Int32Array(countPairs(pointers))
  let next = 0
  for (let p = 0; p + 1 < pointers.length; p++)
    for (let k = pointers[p]!; k < pointers[p + 1]!; k++)
      for (let i = pointers[p]!; i <= k; i++) {
        const key = camera[i]! * cameras + camera[k]!
        let meeting = numbers.get(key)
        if (meeting === undefined) {
          meeting = first.push(camera[i]!) - 1
          second.push(camera[k]!)
          numbers.set(key, meeting)
        }
        meetingOfPair[next++] = meeting
      }
  return { meetingOfPair, first, second }
}
