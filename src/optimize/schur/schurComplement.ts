import { factorBlock, invertUpper } from './blockCholesky.js'
import type { Group, Observations } from './blockProblem.js'
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
  const roots = pointRoots(observations, equations, damping)
  if (!roots) return undefined
  const step = equations.gradient.map((g) => -g)
  const blocks = cameraBlocks(observations, equations, reduced, damping)
  eliminatePoints(observations, equations, reduced, roots, blocks, step)
  if (!solveReduced(observations.cameras, reduced, blocks, step)) return undefined
  recoverPoints(observations, equations, roots, step)
  return step
}

/** R of V^-1 = R R^T for each point, damped: upper triangles. */
function pointRoots(
  { cameras, points: { count, size } }: Observations,
  { pointBlocks }: NormalEquations,
  damping: Float64Array,
): Float64Array | undefined {
  const roots = pointBlocks.slice()
  const offset = cameras.count * cameras.size
  for (let p = 0; p < count; p++) {
    const at = p * size * size
    for (let i = 0; i < size; i++) roots[at + i * size + i]! += damping[offset + p * size + i]!
    if (!factorBlock(roots, at, size)) return undefined
    invertUpper(roots, at, size)
  }
  return roots
}

/** U, damped, in the diagonal blocks of the reduced system, which are the last of their columns. */
function cameraBlocks(
  { cameras: { count, size } }: Observations,
  { cameraBlocks }: NormalEquations,
  { place, blocks: { columnPointers, rows } }: ReducedPattern,
  damping: Float64Array,
): Float64Array {
  const square = size * size
  const blocks = new Float64Array(rows.length * square)
  for (let c = 0; c < count; c++) {
    const at = (columnPointers[place[c]! + 1]! - 1) * square
    blocks.set(cameraBlocks.subarray(c * square, (c + 1) * square), at)
    for (let i = 0; i < size; i++) blocks[at + i * size + i]! += damping[c * size + i]!
  }
  return blocks
}

/**
 * Takes W V^-1 W^T = Z^T Z off `blocks` and Z^T R^T (-g) off the cameras' part of `step`, for Z = R^T W^T, and leaves
 * R^T (-g) in the points' part.
 */
function eliminatePoints(
  { cameras, points, camera, pointers }: Observations,
  { couplings }: NormalEquations,
  { place, blockOfPair }: ReducedPattern,
  roots: Float64Array,
  blocks: Float64Array,
  step: Float64Array,
): void {
  const [a, b] = [cameras.size, points.size]
  const offset = cameras.count * a
  const whiten = blockProduct('', { depth: b, rows: b, columns: a })
  const whitenGradient = blockProduct('', { depth: b, rows: b, columns: 1 })
  const subtract = blockProduct('-', { depth: b, rows: a, columns: a })
  const subtractGradient = blockProduct('-', { depth: b, rows: a, columns: 1 })
  let z = new Float64Array(0)
  let pair = 0
  for (let p = 0; p < points.count; p++) {
    const [own, root] = [offset + p * b, p * b * b]
    const [first, last] = [pointers[p]!, pointers[p + 1]!]
    if ((last - first) * a * b > z.length) z = new Float64Array(2 * (last - first) * a * b)
    whitenGradient(step, own, roots, root, step, own)
    for (let k = first; k < last; k++) {
      const at = (k - first) * a * b
      whiten(z, at, roots, root, couplings, k * a * b)
      subtractGradient(step, camera[k]! * a, z, at, step, own)
      for (let i = first; i <= k; i++) {
        const block = blockOfPair[pair++]! * a * a
        const other = (i - first) * a * b
        const isFirst = place[camera[i]!]! <= place[camera[k]!]!
        if (isFirst) subtract(blocks, block, z, other, z, at)
        // A camera that sees the point twice meets itself in both orders.
        if (!isFirst || (i < k && camera[i] === camera[k])) subtract(blocks, block, z, at, z, other)
      }
    }
  }
}

/** The cameras' part of `step` from the right-hand side to the solution; whether there is one. */
function solveReduced(
  { count, size }: Group,
  { place, cholesky }: ReducedPattern,
  blocks: Float64Array,
  step: Float64Array,
): boolean {
  if (!cholesky.factor(blocks)) return false
  const x = new Float64Array(count * size)
  for (let c = 0; c < count; c++) x.set(step.subarray(c * size, (c + 1) * size), place[c]! * size)
  cholesky.solve(blocks, x)
  for (let c = 0; c < count; c++) step.set(x.subarray(place[c]! * size, (place[c]! + 1) * size), c * size)
  return true
}

/** From R^T (-g) the points' steps V^-1 (-g - W^T s), for the cameras' s. */
function recoverPoints(
  { cameras, points, camera, pointers }: Observations,
  { couplings }: NormalEquations,
  roots: Float64Array,
  step: Float64Array,
): void {
  const [a, b] = [cameras.size, points.size]
  const coupled = new Float64Array(b)
  for (let p = 0; p < points.count; p++) {
    coupled.fill(0)
    for (let k = pointers[p]!; k < pointers[p + 1]!; k++) {
      const c = camera[k]! * a
      for (let t = 0; t < b; t++) {
        let sum = 0
        for (let j = 0; j < a; j++) sum += couplings[(k * b + t) * a + j]! * step[c + j]!
        coupled[t]! += sum
      }
    }
    const [own, root] = [cameras.count * a + p * b, p * b * b]
    for (let t = 0; t < b; t++)
      for (let s = 0; s <= t; s++) step[own + t]! -= roots[root + s * b + t]! * coupled[s]!
    for (let t = 0; t < b; t++) {
      let sum = 0
      for (let s = t; s < b; s++) sum += roots[root + t * b + s]! * step[own + s]!
      step[own + t] = sum
    }
  }
}
