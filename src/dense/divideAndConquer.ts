import { addProduct, type Block, blockOf, partOf, rotateRows, rowOf } from './block.js'
import { implicitQL } from './implicitQL.js'
import { rankOneEigen } from './secular.js'

/** Up to this order QL takes less time than halves. */
const leaf = 32

/**
 * Makes `d` [n] the eigenvalues, in no order, of the symmetric tridiagonal matrix with diagonal d and e_i between rows i
 * and i + 1, elements near 1 at most, and returns its unit eigenvectors as rows [n, n]. Halves are solved without what
 * connects them, which is then a change of rank one. `e` [n] is overwritten; its last element is not read.
 *
 * Source: Cuppen, A divide and conquer method for the symmetric tridiagonal eigenproblem (1981); Gu, Eisenstat (1995),
 * same title.
 */
export function divideAndConquer(d: Float64Array, e: Float64Array): Block {
  const n = d.length
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * (n + 1)] = 1
  solve(d, e, blockOf(vectors, n, n))
  return blockOf(vectors, n, n)
}

function solve(d: Float64Array, e: Float64Array, vectors: Block): void {
  const n = d.length
  if (n <= leaf) {
    implicitQL(d, e, vectors)
    return
  }
  const half = n >> 1
  const connection = e[half - 1] as number
  d[half - 1] = (d[half - 1] as number) - Math.abs(connection)
  d[half] = (d[half] as number) - Math.abs(connection)
  solve(d.subarray(0, half), e.subarray(0, half), partOf(vectors, [0, half], [0, half]))
  solve(d.subarray(half), e.subarray(half), partOf(vectors, [half, n], [half, n]))
  merge(d, vectors, half, connection)
}

/** Which half of the components of an eigenvector is not 0. */
const first = 0
const both = 1
const second = 2

/**
 * Makes d and the rows of `vectors` the eigenvalues and eigenvectors of diag(d) + 2 |connection| z z^T in the basis of
 * these rows, where z is the unit vector along their components beside the connection.
 */
function merge(d: Float64Array, vectors: Block, half: number, connection: number): void {
  const n = d.length
  const sign = Math.sign(connection)
  const z = d.map((_, i) => {
    const [at, factor] = i < half ? [half - 1, 1] : [half, sign]
    return factor * Math.SQRT1_2 * (rowOf(vectors, i)[at] as number)
  })
  const sides = new Uint8Array(n).fill(first, 0, half).fill(second, half)
  const rho = 2 * Math.abs(connection)
  const coupled = deflate(d, z, rho, vectors, sides)
  const { values, vectors: turned } = rankOneEigen(pick(d, coupled), pick(z, coupled), rho)
  const changed = combineRows(vectors, half, coupled, sides, turned)
  coupled.forEach((i, j) => {
    d[i] = values[j] as number
    rowOf(vectors, i).set(changed.subarray(j * n, (j + 1) * n))
  })
}

const pick = (x: Float64Array, indices: Int32Array) => Float64Array.from(indices, (i) => x[i] as number)

/**
 * Finds the eigenvectors that the change of rank one leaves as they are, to rounding: those with z_i near 0, and, after a
 * rotation that makes z_i = 0, one of two with nearly equal eigenvalues. Returns the others, by ascending eigenvalue.
 */
function deflate(
  d: Float64Array,
  z: Float64Array,
  rho: number,
  vectors: Block,
  sides: Uint8Array,
): Int32Array {
  const tolerance = 8 * Number.EPSILON * d.reduce((largest, x) => Math.max(largest, Math.abs(x)), rho)
  const ascending = Int32Array.from(d.keys()).sort((i, j) => (d[i] as number) - (d[j] as number))
  const coupled: number[] = []
  for (const i of ascending) {
    if (rho * Math.abs(z[i] as number) <= tolerance) continue
    const last = coupled.at(-1)
    if (last !== undefined && rotateAway(last, i, d, z, tolerance, vectors)) {
      coupled.pop()
      if (sides[i] !== sides[last]) sides[i] = sides[last] = both
    }
    coupled.push(i)
  }
  return Int32Array.from(coupled)
}

/** Rotates eigenvectors i and j so that z_i = 0, if what that leaves between them is below the tolerance. */
function rotateAway(
  i: number,
  j: number,
  d: Float64Array,
  z: Float64Array,
  tolerance: number,
  vectors: Block,
): boolean {
  const [di, dj, zi, zj] = [d[i] as number, d[j] as number, z[i] as number, z[j] as number]
  const length = Math.hypot(zi, zj)
  const [c, s] = [zj / length, -zi / length]
  if (Math.abs((dj - di) * c * s) > tolerance) return false
  z[i] = 0
  z[j] = length
  d[i] = di * c * c + dj * s * s
  d[j] = di * s * s + dj * c * c
  rotateRows(vectors, i, j, c, s)
  return true
}

/** `turned` [k, k] times the coupled rows of `vectors`, without the halves of rows that are 0. */
function combineRows(
  vectors: Block,
  half: number,
  coupled: Int32Array,
  sides: Uint8Array,
  turned: Float64Array,
): Float64Array {
  const [k, n] = [coupled.length, vectors.columns]
  const sideOf = (at: number) => sides[coupled[at] as number] as number
  const bySide = Array.from(coupled.keys()).sort((a, b) => sideOf(a) - sideOf(b))
  const rows = new Float64Array(k * n)
  const factors = new Float64Array(k * k)
  bySide.forEach((from, to) => {
    rows.set(rowOf(vectors, coupled[from] as number), to * n)
    for (let j = 0; j < k; j++) factors[j * k + to] = turned[j * k + from] as number
  })
  const changed = new Float64Array(k * n)
  const add = (from: number, to: number, column: number, width: number) => {
    addProduct(
      blockOf(changed, k, width, { at: column, stride: n }),
      blockOf(factors, k, to - from, { at: from, stride: k }),
      blockOf(rows, to - from, width, { at: from * n + column, stride: n }),
    )
  }
  add(0, bySide.filter((at) => sideOf(at) !== second).length, 0, half)
  add(bySide.filter((at) => sideOf(at) === first).length, k, half, n - half)
  return changed
}
