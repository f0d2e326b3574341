import { type EigenpairsCheckpoint, topEigenpairs } from '../../linalg/index.js'
import { countProducts, requireCount } from '../../linalg/products.js'
import { dot } from '../../linalg/vector.js'
import { checkProblem } from '../check.js'
import { lossAndGradient, lossHessian, type OperatorOptions } from '../operators/index.js'
import type { Problem } from '../problem.js'
import { stagesFor } from '../stages/fingerprint.js'
import type { Stages, StagesOptions } from '../stages/stages.js'
import { type Direction, type FilterNormOptions, randomDirections } from './directions.js'
import { type LossSurface, lossSurface, mean } from './sampleLosses.js'

export interface LandscapeOptions
  extends Omit<OperatorOptions, 'moves' | 'onStep' | 'signal'>,
    FilterNormOptions,
    StagesOptions {
  /** Default 'eigenvectors': those of the largest eigenvalues of the Hessian. One or two directions may be given instead. */
  readonly along?: 'eigenvectors' | 'random' | readonly Direction[]
  /** Points of a slice, made odd so that one is 0. Default 41. */
  readonly points?: number
  /** Points along each side of the plane of two directions, made odd; 0 for no plane. Default 15. */
  readonly planePoints?: number
  /**
   * How far slices reach on both sides of 0, in units of the direction. Default 1 for random directions; else
   * sqrt(2 / |curvature|), where the quadratic model says that the loss rises by 1.
   */
  readonly range?: number
  readonly seed?: number
}

/** The loss along one direction d: at theta + t d for each t, with the quadratic model L + t slope + t^2 curvature / 2. */
export type Slice = {
  name: string
  /** g^T d and d^T H d. */
  slope: number
  curvature: number
  /** |d|. */
  length: number
  t: number[]
  loss: number[]
  quadratic: number[]
}

/** The loss over the plane of the two directions, `loss[i][j]` at x[j] and y[i]. */
export type Plane = { x: number[]; y: number[]; loss: number[][]; quadratic: number[][] }

/** Slices through a loss surface. */
export type Landscape = {
  along: 'eigenvectors' | 'filter-normalised random directions' | 'given directions'
  /** The mean loss at theta. */
  loss: number
  slices: Slice[]
  plane: Plane | null
  /** Passes over the data, and the samples of one. */
  evaluations: number
  samples: number
}

type Point = readonly [number, number]

/**
 * The mean loss along one or two directions from the parameters and over their plane, beside the quadratic model that
 * gradient and Hessian give. Slices along eigenvectors show curvature; random ones, normalised by filters, compare models
 * (Li, Xu, Taylor, Studer, Goldstein 2018).
 * @throws on bad options and data; the signal's reason when aborted.
 */
export async function landscape(problem: Problem, options: LandscapeOptions = {}): Promise<Landscape> {
  const { along = 'eigenvectors', seed = 0, signal } = options
  const { points = 41, planePoints = 15 } = options
  requireOptions(options)
  await checkProblem(problem)
  const name = typeof along === 'string' ? along : 'given directions'
  const settings = { along: name, points, planePoints, seed }
  const stages = await stagesFor('landscape', problem, settings, options)
  const surface = await lossSurface(problem, { ...operatorOptions(options), ...(signal && { signal }) })
  try {
    const directions =
      along === 'random'
        ? randomDirections(surface.theta, surface.blocks, seed, options)
        : along === 'eigenvectors'
          ? await eigenvectors(problem, options, stages)
          : along
    const local = await stages.run('quadratic model', {}, () =>
      quadraticModel(problem, directions, surface.dtype, options),
    )
    const ranges = local.curvatures.map((row, i) =>
      along === 'random' ? (options.range ?? 1) : (options.range ?? rangeOf(row[i]!)),
    )
    const axes = ranges.map((range) => grid(points, range))
    const sides = planePoints > 0 && directions.length > 1 ? ranges.map((r) => grid(planePoints, r)) : []
    const onAxes = axes.flatMap((t, i) => t.map((x): Point => (i === 0 ? [x, 0] : [0, x])))
    const onPlane = sides.length > 1 ? sides[1]!.flatMap((y) => sides[0]!.map((x): Point => [x, y])) : []
    const all = [...onAxes, ...onPlane]
    const losses = await stages.run<number[], number[]>(
      'loss values',
      { range: ranges.join(' ') },
      async (run) => {
        const found = [...(run.checkpoint ?? [])]
        while (found.length < all.length) {
          found.push(mean((await surface.at(moved(surface, directions, all[found.length]!))).losses))
          run.onCheckpoint([...found])
          run.onStep({ done: found.length, total: all.length })
        }
        return found
      },
    )
    const next = losses.values()
    const take = (count: number) => Array.from({ length: count }, () => next.next().value as number)
    const model = (x: number, y: number) => quadraticAt(local, [x, y])
    const slices = axes.map(
      (t, i): Slice => ({
        name: directions[i]!.name,
        slope: local.slopes[i]!,
        curvature: local.curvatures[i]![i]!,
        length: local.lengths[i]!,
        t,
        loss: take(t.length),
        quadratic: t.map((x) => (i === 0 ? model(x, 0) : model(0, x))),
      }),
    )
    const [x, y] = sides
    return {
      along: along === 'random' ? 'filter-normalised random directions' : (name as 'eigenvectors'),
      loss: local.loss,
      slices,
      plane:
        x && y
          ? { x, y, loss: y.map(() => take(x.length)), quadratic: y.map((b) => x.map((a) => model(a, b))) }
          : null,
      evaluations: all.length,
      samples: problem.inputs.shape[0]!,
    }
  } finally {
    await surface.dispose()
  }
}

function requireOptions({ along, points = 41, planePoints = 15, range }: LandscapeOptions): void {
  if (typeof along === 'object' && along.length !== 1 && along.length !== 2)
    throw new Error(`landscape: along has ${along.length} directions, expected one or two`)
  requireCount(points, 'points', 'landscape', 3)
  if (!(Number.isInteger(planePoints) && (planePoints >= 3 || planePoints === 0)))
    throw new Error(`landscape: planePoints is ${planePoints}, expected 0 or an integer >= 3`)
  if (range !== undefined && !(range > 0 && Number.isFinite(range)))
    throw new Error(`landscape: range is ${range}, expected a finite number > 0`)
}

function operatorOptions({ batch, precision, parameters, memoryBytes }: LandscapeOptions) {
  return {
    ...(batch && { batch }),
    ...(precision && { precision }),
    ...(parameters && { parameters }),
    ...(memoryBytes && { memoryBytes }),
  }
}

async function eigenvectors(
  problem: Problem,
  options: LandscapeOptions,
  stages: Stages,
): Promise<Direction[]> {
  return stages.run<Direction[], EigenpairsCheckpoint>('eigenvectors', {}, async (run) => {
    const { signal, seed = 0 } = options
    const hessian = await lossHessian(problem, { ...operatorOptions(options), ...(signal && { signal }) })
    try {
      const count = Math.min(2, hessian.rows)
      const tolerance = hessian.dtype === 'float64' ? 1e-6 : 1e-4
      const found = await topEigenpairs(hessian, { ...run, count, tolerance, seed, findRepeated: false })
      return found.eigenvalues.map((_, i) => ({
        name: `eigenvector ${i + 1}`,
        vector: found.eigenvectors.data.slice(i * hessian.rows, (i + 1) * hessian.rows) as Float64Array,
      }))
    } finally {
      await hessian.dispose()
    }
  })
}

/** The loss, and g^T d, d^T H d' and |d| of all directions. */
interface QuadraticModel {
  readonly loss: number
  readonly slopes: readonly number[]
  readonly curvatures: readonly (readonly number[])[]
  readonly lengths: readonly number[]
}

async function quadraticModel(
  problem: Problem,
  directions: readonly Direction[],
  dtype: 'float32' | 'float64',
  options: LandscapeOptions,
): Promise<QuadraticModel> {
  const signal = options.signal && { signal: options.signal }
  const common = { ...operatorOptions(options), precision: dtype, ...signal }
  const { loss, gradient } = await lossAndGradient(problem, common)
  const vectors = directions.map(({ vector }) => vector)
  const wrong = vectors.find((vector) => vector.length !== gradient.length)
  if (wrong)
    throw new Error(
      `landscape: a direction has ${wrong.length} numbers, expected one for each of ${gradient.length} parameters`,
    )
  const hessian = await lossHessian(problem, { ...common, residuals: 'recompute' })
  try {
    const images = await countProducts(hessian, 'landscape', options.signal).apply(vectors)
    const imageOf = (i: number) => images.subarray(i * gradient.length, (i + 1) * gradient.length)
    return {
      loss,
      slopes: vectors.map((v) => dot(gradient, v)),
      curvatures: vectors.map((v) => vectors.map((_, j) => dot(v, imageOf(j)))),
      lengths: vectors.map((v) => Math.sqrt(dot(v, v))),
    }
  } finally {
    await hessian.dispose()
  }
}

function quadraticAt({ loss, slopes, curvatures }: QuadraticModel, t: Point): number {
  let value = loss
  slopes.forEach((slope, i) => {
    value += slope * t[i]!
    slopes.forEach((_, j) => {
      value += (curvatures[i]![j]! * t[i]! * t[j]!) / 2
    })
  })
  return value
}

/** theta + x d_1 + y d_2. */
function moved({ theta }: LossSurface, directions: readonly Direction[], at: Point): Float64Array {
  const point = theta.slice()
  directions.forEach(({ vector }, k) => {
    const t = at[k]!
    if (t !== 0) for (let i = 0; i < point.length; i++) point[i] = point[i]! + t * vector[i]!
  })
  return point
}

/** Where the quadratic model has risen by 1; 1 where nothing curves. */
function rangeOf(curvature: number): number {
  return Math.abs(curvature) > 1e-12 ? Math.sqrt(2 / Math.abs(curvature)) : 1
}

/** An odd number of equally spaced points from -range to range. */
function grid(points: number, range: number): number[] {
  const half = Math.floor(points / 2)
  return Array.from({ length: 2 * half + 1 }, (_, i) => (range * (i - half)) / half)
}
