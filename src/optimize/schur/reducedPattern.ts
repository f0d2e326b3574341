import { minimumDegree } from '../sparse/minimumDegree.js'
import { type SymbolicCholesky, symbolicCholesky } from '../sparse/sparseCholesky.js'
import { type SymmetricPattern, symmetricPattern } from '../sparse/symmetric.js'
import type { Observations } from './blockProblem.js'

/** The cameras' system that is left when the points are eliminated. Two cameras meet in it that see a common point. */
export interface ReducedPattern {
  /** Of blocks. */
  readonly blocks: SymmetricPattern
  /** For the pairs of observations of each point, one after another, the block where their cameras meet. */
  readonly blockOfPair: Int32Array
  readonly pattern: SymmetricPattern
  /** Where each entry of the pattern is among the blocks' numbers, row by row. */
  readonly positions: Int32Array
  readonly symbolic: SymbolicCholesky
}

export function reducedPattern({ cameras, camera, pointers }: Observations): ReducedPattern {
  const [rows, columns] = cameraPairs(camera, pointers)
  const { entryOf, ...blocks } = symmetricPattern(cameras.count, rows, columns)
  const expanded = expand(blocks, cameras.size)
  const order = new Int32Array(cameras.count * cameras.size)
  minimumDegree(blocks).forEach((block, k) => {
    for (let i = 0; i < cameras.size; i++) order[k * cameras.size + i] = block * cameras.size + i
  })
  return { blocks, blockOfPair: entryOf, ...expanded, symbolic: symbolicCholesky(expanded.pattern, order) }
}

/** The cameras of each two observations of a point, first with first, first with second, second with second, ... */
function cameraPairs(camera: Int32Array, pointers: Int32Array): [Int32Array, Int32Array] {
  let count = 0
  for (let p = 0; p + 1 < pointers.length; p++) {
    const seen = pointers[p + 1]! - pointers[p]!
    count += (seen * (seen + 1)) / 2
  }
  const [rows, columns] = [new Int32Array(count), new Int32Array(count)]
  let next = 0
  for (let p = 0; p + 1 < pointers.length; p++)
    for (let k = pointers[p]!; k < pointers[p + 1]!; k++)
      for (let i = pointers[p]!; i <= k; i++) {
        rows[next] = camera[i]!
        columns[next++] = camera[k]!
      }
  return [rows, columns]
}

/** The pattern of numbers for one of full blocks of a side; of those on the diagonal the upper triangles. */
function expand(
  { size, columnPointers, rows }: SymmetricPattern,
  side: number,
): { readonly pattern: SymmetricPattern; readonly positions: Int32Array } {
  const count = rows.length * side * side - (size * side * (side - 1)) / 2
  const pattern = {
    size: size * side,
    columnPointers: new Int32Array(size * side + 1),
    rows: new Int32Array(count),
  }
  const positions = new Int32Array(count)
  let next = 0
  for (let column = 0; column < size; column++)
    for (let j = 0; j < side; j++) {
      for (let block = columnPointers[column]!; block < columnPointers[column + 1]!; block++) {
        const height = rows[block] === column ? j + 1 : side
        for (let i = 0; i < height; i++) {
          pattern.rows[next] = rows[block]! * side + i
          positions[next++] = (block * side + i) * side + j
        }
      }
      pattern.columnPointers[column * side + j + 1] = next
    }
  return { pattern, positions }
}
