import { solveCholesky, sparseCholesky } from '../sparse/sparseCholesky.js'
import { factorBlock, solveLower, solveUpper } from './blockCholesky.js'
import type { Observations } from './blockProblem.js'
import type { NormalEquations } from './normalEquations.js'
import type { ReducedPattern } from './reducedPattern.js'

/**
 * The solution s of (J^T J + diag(damping)) s = -J^T r by elimination of the points: the cameras' from the Schur
 * complement U - W V^-1 W^T, then each point's from its observations' (Brown 1958; Triggs, McLauchlan, Hartley,
 * Fitzgibbon 2000, section 6.1). Nothing where rounding leaves no positive definite matrix.
 */
export function solveByElimination(
  observations: Observations,
  equations: NormalEquations,
  reduced: ReducedPattern,
  damping: Float64Array,
): Float64Array | undefined {
  const { cameras, points, camera, pointers } = observations
  const { gradient, couplings } = equations
  const [a, b] = [cameras.size, points.size]
  const offset = cameras.count * a
  const blocks = new Float64Array(reduced.blocks.rows.length * a * a)
  placeDiagonal(reduced, equations, damping, a, blocks)
  const factors = equations.pointBlocks.slice()
  const step = gradient.map((g) => -g)
  const rest = step.subarray(0, offset)

  let pair = 0
  let scratch = new Float64Array(16 * a * b)
  for (let p = 0; p < points.count; p++) {
    const at = p * b * b
    for (let i = 0; i < b; i++) factors[at + i * b + i]! += damping[offset + p * b + i]!
    if (!factorBlock(factors, at, b)) return undefined
    const own = offset + p * b
    solveLower(factors, at, b, step, own)
    const [first, last] = [pointers[p]!, pointers[p + 1]!]
    if ((last - first) * a * b > scratch.length) scratch = new Float64Array(2 * (last - first) * a * b)
    // Z = W L^-T, of which the products Z Z^T are taken off.
    scratch.set(couplings.subarray(first * a * b, last * a * b))
    for (let row = 0; row < (last - first) * a; row++) solveLower(factors, at, b, scratch, row * b)
    for (let k = 0; k < last - first; k++) {
      const c = camera[first + k]!
      for (let i = 0; i < a; i++)
        for (let t = 0; t < b; t++) rest[c * a + i]! -= scratch[(k * a + i) * b + t]! * step[own + t]!
      for (let i = 0; i <= k; i++) {
        const block = reduced.blockOfPair[pair++]! * a * a
        subtractProduct(blocks, block, scratch, i * a * b, k * a * b, a, b)
        if (i < k && camera[first + i] === c)
          subtractProduct(blocks, block, scratch, k * a * b, i * a * b, a, b)
      }
    }
  }

  const values = new Float64Array(reduced.positions.length)
  for (let k = 0; k < values.length; k++) values[k] = blocks[reduced.positions[k]!]!
  const factor = sparseCholesky({ ...reduced.pattern, values }, reduced.symbolic)
  if (!factor) return undefined
  rest.set(solveCholesky(factor, rest))

  // L^-1 (-g) - L^-1 W^T s of the cameras, then L^-T of that.
  const coupled = new Float64Array(b)
  for (let p = 0; p < points.count; p++) {
    const own = offset + p * b
    coupled.fill(0)
    for (let k = pointers[p]!; k < pointers[p + 1]!; k++)
      for (let i = 0; i < a; i++) {
        const moved = rest[camera[k]! * a + i]!
        for (let t = 0; t < b; t++) coupled[t]! += couplings[(k * a + i) * b + t]! * moved
      }
    solveLower(factors, p * b * b, b, coupled, 0)
    for (let t = 0; t < b; t++) step[own + t]! -= coupled[t]!
    solveUpper(factors, p * b * b, b, step, own)
  }
  return step
}

/** The cameras' own blocks, damped, which are the last of their columns. */
function placeDiagonal(
  { blocks: { size, columnPointers } }: ReducedPattern,
  { cameraBlocks }: NormalEquations,
  damping: Float64Array,
  a: number,
  blocks: Float64Array,
): void {
  for (let c = 0; c < size; c++) {
    const at = (columnPointers[c + 1]! - 1) * a * a
    blocks.set(cameraBlocks.subarray(c * a * a, (c + 1) * a * a), at)
    for (let i = 0; i < a; i++) blocks[at + i * a + i]! += damping[c * a + i]!
  }
}

/** blocks -= Z_1 Z_2^T of two a by b matrices. */
function subtractProduct(
  blocks: Float64Array,
  at: number,
  z: Float64Array,
  first: number,
  second: number,
  a: number,
  b: number,
): void {
  for (let i = 0; i < a; i++)
    for (let j = 0; j < a; j++) {
      let sum = 0
      for (let t = 0; t < b; t++) sum += z[first + i * b + t]! * z[second + j * b + t]!
      blocks[at + i * a + j]! -= sum
    }
}
