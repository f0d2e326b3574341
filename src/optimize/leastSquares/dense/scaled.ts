import { norm } from '../../../linalg/vector.js'
import type { Descent, Step, Steps } from '../../descent.js'
import { divided, largestRatio } from '../../elementwise.js'
import type { LeastSquaresModel } from '../model.js'
import { type Factors, factor, factorTriangle, reusedMemory, solveFactored } from './qr.js'
import { type LinearProblem, reduced } from './reduce.js'

/** What parameters are measured in. */
export interface Scale {
  /** The greatest length that each column of the Jacobian has had so far. */
  readonly lengths: Float64Array
  /** The greatest magnitude that each parameter has had so far. */
  readonly sizes: Float64Array
}

/** What a scaled descent does at a problem: the size to begin with, and the step of a size. */
export interface ScaledRule {
  initialSize(problem: ScaledProblem): number
  step(problem: ScaledProblem, size: number): Step
}

/**
 * A descent that chooses z for a size. Scales only ever grow (More 1978, section 4), so that steps do not depend on the
 * units of the parameters.
 */
export function scaledDescent(name: string, rule: ScaledRule): Descent<LeastSquaresModel, Scale> {
  return {
    name,
    remember: grownScale,
    prepare(model, point, scale, spare) {
      const unit = unitsAt(model, scale, (spare as ScaledSteps | undefined)?.problem.unit)
      const problem = new ScaledProblem(model, point, unit, { spare })
      const { decrement, relative, optimality } = problem
      const step = (size: number) => rule.step(problem, size)
      return { initialSize: rule.initialSize(problem), decrement, relative, optimality, step, problem }
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

/** What each parameter is multiplied by, written into `units` where that is given. */
export function unitsAt(
  { residual }: LeastSquaresModel,
  { lengths, sizes }: Scale,
  units: Float64Array = new Float64Array(lengths.length),
): Float64Array {
  const least = leastEffect * norm(residual)
  for (let j = 0; j < units.length; j++) {
    const length = lengths[j]!
    const size = sizes[j]!
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

/** The least-squares problem min |A z - b| of a step, in scaled parameters z = unit x. */
export class ScaledProblem {
  readonly factors: Factors
  /** -A^T b. */
  readonly gradient: Float64Array
  /** |unit x| of the point itself. */
  readonly size: number
  readonly residualSize: number
  /** The full step, of Gauss and Newton. */
  readonly full: Float64Array
  readonly decrement: number
  readonly relative: number
  readonly optimality: number
  readonly unit: Float64Array

  constructor(
    model: LeastSquaresModel,
    point: Float64Array,
    unit: Float64Array,
    { weights, spare }: ScaledOptions = {},
  ) {
    const before = (spare as ScaledSteps | undefined)?.problem
    this.unit = unit
    this.factors = factorsOf(model, unit, weights, before?.factors)
    this.gradient = divided(model.gradient, unit, before?.gradient)
    this.size = productLength(unit, point)
    this.residualSize = norm(model.residual)
    this.full = solveFactored(this.factors, before?.full)
    this.decrement = squaresOf(this.factors.rhs, this.factors.rank) / 2
    const isComplete = this.factors.rank === point.length
    this.relative = isComplete ? largestRatio(this.full, point, unit) : Number.POSITIVE_INFINITY
    this.optimality = optimality(model, point, undefined, this.residualSize)
  }

  /** The step that moves z by this much; `size` is what it used of the search's. */
  step(z: Float64Array, size: number, full: boolean): Step {
    const predicted = full ? this.decrement : predictedReduction(this.factors, z)
    return { move: divided(z, this.unit), predicted, size, full, relative: norm(z) / this.size }
  }
}

/** The factors of the Jacobian in scaled parameters, with `weights` on the diagonal below. */
function factorsOf(
  model: LinearProblem,
  unit: Float64Array,
  weights: Float64Array | undefined,
  spare: Factors | undefined,
): Factors {
  const triangle = reduced(model)
  const { residual, columns } = triangle
  const m = residual.length
  const n = unit.length
  const rows = weights ? m + n : m
  const a = matrixMemory(rows * n)
  const b = vectorMemory(rows)
  for (let j = 0; j < n; j++) {
    const from = j * m
    const to = j * rows
    const divisor = unit[j]!
    for (let i = 0; i < m; i++) a[to + i] = columns[from + i]! / divisor
    if (weights) for (let i = 0; i < n; i++) a[to + m + i] = i === j ? weights[j]! : 0
  }
  for (let i = 0; i < m; i++) b[i] = -residual[i]!
  for (let i = m; i < rows; i++) b[i] = 0
  return triangle !== model && !weights ? factorTriangle(a, b, n, spare) : factor(a, b, n, spare)
}

function productLength(x: Float64Array, y: Float64Array): number {
  let squares = 0
  for (let j = 0; j < x.length; j++) squares += (x[j]! * y[j]!) ** 2
  return Math.sqrt(squares)
}

function squaresOf(x: Float64Array, count: number): number {
  let squares = 0
  for (let k = 0; k < count; k++) squares += x[k]! ** 2
  return squares
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
  size: number = norm(residual),
): number {
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
