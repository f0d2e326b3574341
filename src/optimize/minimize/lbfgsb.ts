import { axpy, dot } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/tensor.js'
import { type Box, clamp } from '../box.js'
import type { Descent } from '../descent.js'
import { largestRatio } from '../elementwise.js'
import { factor, solveFactored } from '../leastSquares/dense/qr.js'
import { grownPairs, type LimitedMemoryOptions, lineStep, type Pairs } from './limitedMemory.js'
import type { FunctionModel } from './model.js'
import { projectedGradient } from './projectedGradient.js'

/**
 * Limited-memory BFGS within a box (Byrd, Lu, Nocedal and Zhu 1995, L-BFGS-B): to the first minimum of the quadratic
 * model along the gradient bent at the bounds, then to its minimum in the parameters that are still free; for line
 * searches.
 */
export function boundedLimitedMemory(
  box: Box,
  { memory = 10 }: LimitedMemoryOptions = {},
): Descent<FunctionModel, Pairs> {
  return {
    name: 'L-BFGS-B',
    estimated: true,
    remember: (model, point, before) => grownPairs(model, point, before, memory),
    prepare(model, point, pairs) {
      const { gradient } = model
      const full =
        fullStep(point, gradient, compact(pairs), box) ?? fullStep(point, gradient, compact(), box)!
      const slope = -dot(gradient, full)
      const room = roomAlong(point, full, box)
      return {
        decrement: slope / 2,
        relative: largestRatio(full, point),
        optimality: projectedGradient(model, point, box),
        initialSize: 1,
        step(asked) {
          const size = Math.min(asked, Math.max(room, 1))
          return lineStep(full, size, size * slope, point)
        },
      }
    },
  }
}

/** The Hessian B = theta I - W M W^T, W given by its columns (Byrd, Nocedal and Schnabel 1994). */
interface Compact {
  readonly theta: number
  readonly w: readonly Float64Array[]
  /** M, row by row. */
  readonly m: readonly Float64Array[]
}

function compact(pairs?: Pairs): Compact {
  const { moves, changes } = pairs ?? { moves: [], changes: [] }
  const k = moves.length
  if (k === 0) return { theta: 1, w: [], m: [] }
  const theta = dot(changes[k - 1]!, changes[k - 1]!) / dot(moves[k - 1]!, changes[k - 1]!)
  const entry = (i: number, j: number): number => {
    if (i < k && j < k) return i === j ? -dot(moves[i]!, changes[i]!) : 0
    if (i >= k && j >= k) return theta * dot(moves[i - k]!, moves[j - k]!)
    const [row, column] = i >= k ? [i - k, j] : [j - k, i]
    return row > column ? dot(moves[row]!, changes[column]!) : 0
  }
  const inverse = Array.from({ length: 2 * k }, (_, i) =>
    Float64Array.from({ length: 2 * k }, (_, j) => entry(i, j)),
  )
  const w = [...changes, ...moves.map((s) => s.map((x) => theta * x))]
  return { theta, w, m: rowsOf(np.inv(matrixOf(inverse))) }
}

const matrixOf = (rows: readonly Float64Array[]) =>
  new Tensor(Float64Array.from(rows.flatMap((row) => Array.from(row))), [rows.length, rows.length])
const rowsOf = (matrix: Tensor) => {
  const n = matrix.shape[0]!
  return Array.from({ length: n }, (_, i) => (matrix.data as Float64Array).slice(i * n, (i + 1) * n))
}
const times = (rows: readonly Float64Array[], x: Float64Array) =>
  Float64Array.from(rows, (row) => dot(row, x))

/** From the point to the model's minimum, or nothing where that does not lead down. */
function fullStep(
  point: Float64Array,
  gradient: Float64Array,
  b: Compact,
  box: Box,
): Float64Array | undefined {
  const cauchy = cauchyPoint(point, gradient, b, box)
  const free = [...point.keys()].filter(
    (i) => cauchy.point[i]! > box.lower[i]! && cauchy.point[i]! < box.upper[i]!,
  )
  const beyond = freeMinimum(point, gradient, b, cauchy, free)
  const to = (target: Float64Array) => clamp(target, box).map((x, i) => x - point[i]!)
  const candidates = [to(add(cauchy.point, beyond, 1)), to(cauchy.point)]
  const descends = (move: Float64Array) => dot(gradient, move) < 0
  return candidates.find(descends) ?? (b.w.length === 0 ? candidates[1]! : undefined)
}

interface Cauchy {
  readonly point: Float64Array
  /** W^T (point - x). */
  readonly c: Float64Array
}

/** The first minimum of the model along P(x - t g), interval by interval (algorithm CP). */
function cauchyPoint(
  point: Float64Array,
  gradient: Float64Array,
  { theta, w, m }: Compact,
  box: Box,
): Cauchy {
  const breaks = Array.from(gradient, (g, i) => {
    if (g === 0) return Infinity
    return (point[i]! - (g > 0 ? box.lower[i]! : box.upper[i]!)) / g
  })
  const d = gradient.map((g, i) => (breaks[i]! > 0 ? -g : 0))
  const at = point.slice()
  const p = Float64Array.from(w, (column) => dot(column, d))
  const c = new Float64Array(w.length)
  const order = [...point.keys()].filter((i) => d[i] !== 0).sort((i, j) => breaks[i]! - breaks[j]!)
  let slope = -dot(d, d)
  let curvature = -theta * slope - dot(p, times(m, p))
  let before = 0
  for (const i of order) {
    const length = breaks[i]! - before
    if (!(-slope / curvature > length)) break
    axpy(length, p, c)
    at[i] = d[i]! > 0 ? box.upper[i]! : box.lower[i]!
    before = breaks[i]!
    const g = gradient[i]!
    const row = Float64Array.from(w, (column) => column[i]!)
    const mRow = times(m, row)
    slope += length * curvature + g * g + theta * g * (at[i]! - point[i]!) - g * dot(mRow, c)
    curvature -= theta * g * g + 2 * g * dot(mRow, p) + g * g * dot(mRow, row)
    axpy(g, row, p)
    d[i] = 0
  }
  const last = slope < 0 && curvature > 0 ? -slope / curvature : 0
  axpy(last, p, c)
  const end = before + last
  return { point: at.map((x, i) => (d[i] === 0 ? x : point[i]! + end * d[i]!)), c }
}

/** From the Cauchy point to the model's minimum in the free parameters, which may lie outside the box. */
function freeMinimum(
  point: Float64Array,
  gradient: Float64Array,
  { theta, w, m }: Compact,
  { point: at, c }: Cauchy,
  free: readonly number[],
): Float64Array {
  const mc = times(m, c)
  const r = new Float64Array(point.length)
  for (const i of free) {
    let sum = gradient[i]! + theta * (at[i]! - point[i]!)
    w.forEach((column, k) => {
      sum -= column[i]! * mc[k]!
    })
    r[i] = sum
  }
  if (w.length === 0) return r.map((x) => -x / theta)
  const parts = w.map((column) => Float64Array.from(free, (i) => column[i]!))
  const v = times(
    m,
    Float64Array.from(w, (column) => dot(column, r)),
  )
  const gram = parts.map((a) => Float64Array.from(parts, (b) => dot(a, b) / theta))
  const columns = gram.flatMap((column, j) => m.map((row, i) => Number(i === j) - dot(row, column)))
  const solution = solveFactored(factor(Float64Array.from(columns), v, w.length))
  return r.map((x, i) => {
    if (x === 0) return 0
    let sum = x
    w.forEach((column, k) => {
      sum += (column[i]! * solution[k]!) / theta
    })
    return -sum / theta
  })
}

const add = (x: Float64Array, y: Float64Array, t: number) => x.map((xi, i) => xi + t * y[i]!)

/** The largest t for which point + t along is in the box. */
function roomAlong(point: Float64Array, along: Float64Array, { lower, upper }: Box): number {
  return point.reduce((room, x, i) => {
    const a = along[i]!
    return a === 0 ? room : Math.min(room, ((a > 0 ? upper[i]! : lower[i]!) - x) / a)
  }, Infinity)
}
