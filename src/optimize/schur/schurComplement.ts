import { solveCholesky, sparseCholesky } from '../sparse/sparseCholesky.js'
import { factorBlock, solveLower, solveUpper } from './blockCholesky.js'
import type { Observations } from './blockProblem.js'
import { blockProduct } from './blockProduct.js'
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
  const factors = factorPoints(observations, equations, damping)
  if (!factors) return undefined
  const step = equations.gradient.map((g) => -g)
  const blocks = cameraBlocks(observations, equations, reduced, damping)
  eliminatePoints(observations, equations, reduced, factors, blocks, step)
  const values = new Float64Array(reduced.positions.length)
  for (let k = 0; k < values.length; k++) values[k] = blocks[reduced.positions[k]!]!
  const factor = sparseCholesky({ ...reduced.pattern, values }, reduced.symbolic)
  if (!factor) return undefined
  const cameras = step.subarray(0, reduced.pattern.size)
  cameras.set(solveCholesky(factor, cameras))
  recoverPoints(observations, equations, factors, step)
  return step
}

/** L of V = L L^T for each point, damped. */
function factorPoints(
  { cameras, points: { count, size } }: Observations,
  { pointBlocks }: NormalEquations,
  damping: Float64Array,
): Float64Array | undefined {
  const factors = pointBlocks.slice()
  const offset = cameras.count * cameras.size
  for (let p = 0; p < count; p++) {
    const at = p * size * size
    for (let i = 0; i < size; i++) factors[at + i * size + i]! += damping[offset + p * size + i]!
    if (!factorBlock(factors, at, size)) return undefined
  }
  return factors
}

/** U, damped, in the diagonal blocks of the reduced system, which are the last of their columns. */
function cameraBlocks(
  { cameras: { count, size } }: Observations,
  { cameraBlocks }: NormalEquations,
  { blocks: { columnPointers, rows } }: ReducedPattern,
  damping: Float64Array,
): Float64Array {
  const square = size * size
  const blocks = new Float64Array(rows.length * square)
  for (let c = 0; c < count; c++) {
    const at = (columnPointers[c + 1]! - 1) * square
    blocks.set(cameraBlocks.subarray(c * square, (c + 1) * square), at)
    for (let i = 0; i < size; i++) blocks[at + i * size + i]! += damping[c * size + i]!
  }
  return blocks
}

/**
 * Takes W V^-1 W^T = Z^T Z off `blocks` and Z^T L^-1 (-g) off the cameras' part of `step`, for Z = L^-1 W^T, and leaves
 * L^-1 (-g) in the points' part.
 */
function eliminatePoints(
  { cameras, points, camera, pointers }: Observations,
  { couplings }: NormalEquations,
  { blockOfPair }: ReducedPattern,
  factors: Float64Array,
  blocks: Float64Array,
  step: Float64Array,
): void {
  const [a, b] = [cameras.size, points.size]
  const offset = cameras.count * a
  const subtract = blockProduct('-', { depth: b, stride: a, rows: a, columns: a })
  let z = new Float64Array(0)
  let pair = 0
  for (let p = 0; p < points.count; p++) {
    const own = offset + p * b
    solveLower(factors, p * b * b, b, step, own)
    const [first, last] = [pointers[p]!, pointers[p + 1]!]
    if ((last - first) * a * b > z.length) z = new Float64Array(2 * (last - first) * a * b)
    for (let k = first; k < last; k++) {
      const at = (k - first) * a * b
      for (let i = 0; i < a * b; i++) z[at + i] = couplings[k * a * b + i]!
      solveLower(factors, p * b * b, b, z, at, a)
      for (let t = 0; t < b; t++)
        for (let j = 0; j < a; j++) step[camera[k]! * a + j]! -= z[at + t * a + j]! * step[own + t]!
      for (let i = first; i <= k; i++) {
        const block = blockOfPair[pair++]! * a * a
        const other = (i - first) * a * b
        subtract(blocks, block, z, other, at)
        // A camera that sees the point twice meets itself in both orders.
        if (i < k && camera[i] === camera[k]) subtract(blocks, block, z, at, other)
      }
    }
  }
}

/** From L^-1 (-g) the points' steps V^-1 (-g - W^T s), for the cameras' s. */
function recoverPoints(
  { cameras, points, camera, pointers }: Observations,
  { couplings }: NormalEquations,
  factors: Float64Array,
  step: Float64Array,
): void {
  const [a, b] = [cameras.size, points.size]
  const coupled = new Float64Array(b)
  for (let p = 0; p < points.count; p++) {
    coupled.fill(0)
    for (let k = pointers[p]!; k < pointers[p + 1]!; k++)
      for (let t = 0; t < b; t++) {
        let sum = 0
        for (let j = 0; j < a; j++) sum += couplings[(k * b + t) * a + j]! * step[camera[k]! * a + j]!
        coupled[t]! += sum
      }
    solveLower(factors, p * b * b, b, coupled, 0)
    const own = cameras.count * a + p * b
    for (let t = 0; t < b; t++) step[own + t]! -= coupled[t]!
    solveUpper(factors, p * b * b, b, step, own)
  }
}
