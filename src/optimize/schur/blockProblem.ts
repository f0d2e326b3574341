import { type ArrayLike, toValue } from '../../numpy/convert.js'
import { Var } from '../../program/value.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { bucketOrder, bucketPointers } from '../sparse/bucketOrder.js'

/**
 * A sum over observations that each depend on one block of either of two groups. The groups are called as in bundle
 * adjustment: `points` are many and small and never meet in an observation, `cameras` are few.
 */
export interface BlockProblem {
  /** The residuals of one observation: a function of its camera [a], its point [b] and its data. */
  readonly residual: (camera: Tensor, point: Tensor, data: Tensor) => Tensor
  /** Where to start: [cameras, a]. */
  readonly cameras: ArrayLike
  /** [points, b] */
  readonly points: ArrayLike
  readonly observations: {
    /** Which camera each observation is by, and of which point. */
    readonly camera: globalThis.ArrayLike<number>
    readonly point: globalThis.ArrayLike<number>
    /** What was observed, one row for each: [observations, ...]. */
    readonly data: ArrayLike
  }
}

/** Blocks of parameters of one size. */
export interface Group {
  readonly count: number
  readonly size: number
}

/** A problem's numbers, with observations ordered by point and, for one point, by camera. */
export interface Observations {
  readonly cameras: Group
  readonly points: Group
  readonly camera: Int32Array
  readonly point: Int32Array
  /** Where the observations of each point begin, and those of the last end. */
  readonly pointers: Int32Array
  readonly data: Tensor
  /** All parameters: cameras, then points. */
  readonly start: Float64Array
}

/** @throws on blocks that are not matrices, wrong lengths, and indices that name no block. */
export function observationsOf({ cameras, points, observations }: BlockProblem): Observations {
  const kept = blocks('cameras', cameras)
  const eliminated = blocks('points', points)
  const data = float64('observations.data', observations.data)
  const count = data.shape[0] ?? 0
  if (count === 0) throw new Error('observations.data: got none, expected a row for each observation')
  const camera = indices('camera', observations.camera, count, kept.group)
  const point = indices('point', observations.point, count, eliminated.group)
  const order = bucketOrder(point, eliminated.group.count, bucketOrder(camera, kept.group.count))
  const start = new Float64Array(kept.data.length + eliminated.data.length)
  start.set(kept.data)
  start.set(eliminated.data, kept.data.length)
  return {
    cameras: kept.group,
    points: eliminated.group,
    camera: order.map((k) => camera[k]!),
    point: order.map((k) => point[k]!),
    pointers: bucketPointers(point, eliminated.group.count),
    data: rowsOf(data, order),
    start,
  }
}

function blocks(name: string, given: ArrayLike): { readonly group: Group; readonly data: Float64Array } {
  const { data, shape } = float64(name, given)
  const [count, size] = shape
  if (shape.length !== 2 || !count || !size)
    throw new Error(`${name}: got shape [${shape.join(', ')}], expected [blocks, parameters of each], none 0`)
  const bad = data.findIndex((x) => !Number.isFinite(x))
  if (bad >= 0)
    throw new Error(
      `${name}: parameter ${bad % size} of block ${Math.floor(bad / size)} is ${data[bad]}, expected a finite number`,
    )
  return { group: { count, size }, data }
}

function float64(name: string, given: ArrayLike): { readonly data: Float64Array } & Pick<Tensor, 'shape'> {
  const value = toValue(given)
  if (value instanceof Var)
    throw new Error(`${name}: got a traced value, expected numbers; to differentiate a solver see implicit`)
  const { data, shape } = castTensor(value, 'float64')
  return { data: data as Float64Array, shape }
}

function indices(
  name: 'camera' | 'point',
  given: globalThis.ArrayLike<number>,
  count: number,
  { count: blocks }: Group,
): Int32Array {
  if (given.length !== count)
    throw new Error(
      `observations.${name}: got ${given.length} indices, expected ${count}, one for each row of data`,
    )
  const checked = new Int32Array(count)
  for (let k = 0; k < count; k++) {
    const index = given[k]!
    if (!(Number.isInteger(index) && index >= 0 && index < blocks))
      throw new Error(
        `observations.${name}: index ${k} is ${index}, expected from 0 to ${blocks - 1} for ${blocks} blocks`,
      )
    checked[k] = index
  }
  return checked
}

/** x[order] along the first axis. */
function rowsOf(
  { data, shape }: { readonly data: Float64Array } & Pick<Tensor, 'shape'>,
  order: Int32Array,
): Tensor {
  const width = data.length / order.length
  const rows = new Float64Array(data.length)
  for (let k = 0; k < order.length; k++)
    rows.set(data.subarray(order[k]! * width, (order[k]! + 1) * width), k * width)
  return new Tensor(rows, shape)
}
