import { norm } from '../../linalg/vector.js'
import type { Descent, Step, Steps } from '../descent.js'
import { divided, largestRatio } from '../elementwise.js'
import type { LeastSquaresModel } from './model.js'
import { type Factors, factor, reusedMemory, solveFactored } from './qr.js'

/** What parameters are measured in. */
export interface Scale {
  /** The greatest length that each column of the Jacobian has had so far. */
  readonly lengths: Float64Array
  /** The greatest magnitude that each parameter has had so far. */
  readonly sizes: Float64Array
}

/** The least-squares problem min |A z - b| of a step, in scaled parameters z = unit x. */
export interface ScaledProblem {
  readonly factors: Factors
  /** -A^T b. */
  readonly gradient: Float64Array
  /** |unit x| of the point itself. */
  readonly size: number
  readonly residualSize: number
  /** The full step, of Gauss and Newton. */
  readonly full: Float64Array
  readonly measures: Pick<Steps, 'decrement' | 'relative' | 'optimality'>
  /** The step that moves z by this much; `size` is what it used of the search's. */
  step(z: Float64Array, size: number, full: boolean): Step
}

/**
 * A descent that chooses z for a size. Scales only ever grow (More 1978, section 4), so that steps do not depend on the
 * units of the parameters.
 */
export function scaledDescent(
  name: string,
  steps: (problem: ScaledProblem) => Pick<Steps, 'initialSize' | 'step'>,
): Descent<LeastSquaresModel, Scale> {
  return {
    name,
    remember: grownScale,
    prepare(model, point, scale, spare) {
      const problem = scaledProblem(model, point, unitsAt(model, scale), { spare })
      const { decrement, relative, optimality } = problem.measures
      const { initialSize, step } = steps(problem)
      return { initialSize, decrement, relative, optimality, step, problem }
    },
  }
}

export function grownScale(
  { lengths }: LeastSquaresModel,
  point: Float64Array,
  before: Scale | undefined,
): Scale {
  if (before && isWithin(before, lengths, point)) return before
  const n = point.length
  const scale = { lengths: new Float64Array(n), sizes: new Float64Array(n) }
  for (let j = 0; j < n; j++) {
    scale.lengths[j] = Math.max(lengths[j]!, before ? before.lengths[j]! : 0)
    scale.sizes[j] = Math.max(Math.abs(point[j]!), before ? before.sizes[j]! : 0)
  }
  return scale
}

function isWithin({ lengths, sizes }: Scale, others: Float64Array, point: Float64Array): boolean {
  for (let j = 0; j < point.length; j++)
    if (others[j]! > lengths[j]! || Math.abs(point[j]!) > sizes[j]!) return false
  return true
}

/**
 * A change of a parameter by as much as its size counts at least as this part of the residuals' length, so that none that
 * has little effect here runs away; its scale is raised by this factor at most.
 */
const leastEffect = 0.1
const mostRaise = 1e6

/** What each parameter is multiplied by. */
export function unitsAt({ residual }: LeastSquaresModel, { lengths, sizes }: Scale): Float64Array {
  const least = leastEffect * norm(residual)
  const units = new Float64Array(lengths.length)
  for (let j = 0; j < units.length; j++) {
    const [length, size] = [lengths[j]!, sizes[j]!]
    units[j] = Math.max(length, size > 0 ? Math.min(least / size, mostRaise * length) : 0) || 1
  }
  return units
}

const matrixMemory = reusedMemory()
const vectorMemory = reusedMemory()

/** Steps that know the problem that they solve. */
export interface ScaledSteps extends Steps {
  readonly problem: ScaledProblem
}

interface ScaledOptions {
  /** |weights z|^2 is added to the sum of squares. */
  readonly weights?: Float64Array
  /** Steps of a problem of the same size, whose memory is overwritten. */
  readonly spare?: Steps | undefined
}

export function scaledProblem(
  model: LeastSquaresModel,
  point: Float64Array,
  unit: Float64Array,
  { weights, spare }: ScaledOptions = {},
): ScaledProblem {
  const { residual, columns } = model
  const [m, n] = [residual.length, point.length]
  const before = (spare as ScaledSteps | undefined)?.problem
  const rows = weights ? m + n : m
  const a = matrixMemory(rows * n)
  const b = vectorMemory(rows)
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < m; i++) a[j * rows + i] = columns[j * m + i]! / unit[j]!
    if (weights) for (let i = 0; i < n; i++) a[j * rows + m + i] = i === j ? weights[j]! : 0
  }
  for (let i = 0; i < rows; i++) b[i] = i < m ? -residual[i]! : 0
  const factors = factor(a, b, n, before?.factors)
  const { rank, rhs } = factors
  let squares = 0
  for (let j = 0; j < n; j++) squares += (point[j]! * unit[j]!) ** 2
  const size = Math.sqrt(squares)
  const full = solveFactored(factors, before?.full)
  let decrement = 0
  for (let k = 0; k < rank; k++) decrement += rhs[k]! ** 2 / 2
  return {
    factors,
    gradient: divided(model.gradient, unit, before?.gradient),
    size,
    residualSize: norm(residual),
    full,
    measures: {
      decrement,
      relative: rank < n ? Number.POSITIVE_INFINITY : largestRatio(full, point, unit),
      optimality: optimality(model, point),
    },
    step(z, used, isFull) {
      const predicted = isFull ? decrement : predictedReduction(factors, z)
      return { move: divided(z, unit), predicted, size: used, full: isFull, relative: norm(z) / size }
    },
  }
}

/** Residuals below this many units in the last place of what parameters contribute are rounding alone. */
const rounding = 8 * Number.EPSILON

/**
 * The largest cosine between the residuals and a column of their Jacobian, each times its weight; 0 for residuals that
 * are rounding alone.
 */
export function optimality(
  { residual, lengths, gradient }: LeastSquaresModel,
  point: Float64Array,
  weights?: ArrayLike<number>,
): number {
  const size = norm(residual)
  let [largest, contributed] = [0, 0]
  for (let j = 0; j < gradient.length; j++) {
    contributed = Math.max(contributed, lengths[j]! * Math.abs(point[j]!))
    if (gradient[j] !== 0)
      largest = Math.max(largest, ((weights?.[j] ?? 1) * Math.abs(gradient[j]!)) / lengths[j]!)
  }
  return size <= rounding * contributed ? 0 : largest / size
}

/** R P^T z, of the length of A z. */
export function imageOf({ columns, r, order }: Factors, z: Float64Array): Float64Array {
  const image = new Float64Array(columns)
  for (let k = 0; k < columns; k++)
    for (let i = 0; i <= k; i++) image[i] = image[i]! + r[k * columns + i]! * z[order[k]!]!
  return image
}

/** |b|^2 / 2 - |A z - b|^2 / 2 = (R P^T z)^T (Q^T b - R P^T z / 2). */
export function predictedReduction(factors: Factors, z: Float64Array): number {
  const image = imageOf(factors, z)
  let sum = 0
  for (let i = 0; i < image.length; i++) sum += image[i]! * (factors.rhs[i]! - image[i]! / 2)
  return sum
}
