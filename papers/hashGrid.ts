import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, hessian, vmap } from 'evolute/transforms'
import { initialWeights, network, type Weights } from './digitNetwork.js'

/**
 * A hybrid neural field on the unit cube, float32: features at the corners of grids of several resolutions, interpolated
 * linearly, and a small ReLU network of them. Grids with more corners than rows in the table share rows by a hash
 * (Müller et al. 2022, "Instant neural graphics primitives", equation 4).
 */
export interface HashField {
  /** [levels * rows, features]. */
  readonly table: Tensor
  readonly weights: Weights
}

const resolutions = [4, 8, 16, 32, 64]
const [rows, features] = [2 ** 13, 2]
const corners = Array.from({ length: 8 }, (_, k) => [k & 1, (k >> 1) & 1, k >> 2] as const)

export function initialField(random: Random): HashField {
  const size = resolutions.length * rows * features
  return {
    table: new Tensor(
      Float32Array.from({ length: size }, () => 2e-4 * (random.uniform() - 0.5)),
      [size / features, features],
    ),
    weights: initialWeights(random, [resolutions.length * features, 32, 32, 1]),
  }
}

/** Points [n, 3] with the cells that they lie in, which derivatives take as fixed. */
export interface Located {
  readonly points: Tensor
  /** The cell's least corner, in units of the grid [n, levels, 3]. */
  readonly origins: Tensor
  /** Rows of the table, of the eight corners [n, levels, 8]. */
  readonly indices: Tensor
}

export function locate(points: ArrayLike<number>): Located {
  const n = points.length / 3
  const origins = new Float32Array(n * resolutions.length * 3)
  const indices = new Int32Array(n * resolutions.length * 8)
  let at = 0
  for (let i = 0; i < n; i++)
    for (const [level, resolution] of resolutions.entries()) {
      for (let axis = 0; axis < 3; axis++)
        origins[3 * at + axis] = clamp(Math.floor(points[3 * i + axis]! * resolution), resolution - 1)
      const [x, y, z] = [origins[3 * at]!, origins[3 * at + 1]!, origins[3 * at + 2]!]
      for (let k = 0; k < 8; k++) {
        const [a, b, c] = corners[k]!
        indices[8 * at + k] = level * rows + rowOf(x + a, y + b, z + c, resolution)
      }
      at++
    }
  return {
    points: new Tensor(Float32Array.from(points), [n, 3]),
    origins: new Tensor(origins, [n, resolutions.length, 3]),
    indices: new Tensor(indices, [n, resolutions.length, 8]),
  }
}

const clamp = (x: number, most: number) => Math.max(0, Math.min(most, x))

function rowOf(x: number, y: number, z: number, resolution: number): number {
  const side = resolution + 1
  if (side ** 3 <= rows) return x + side * (y + side * z)
  return ((x ^ Math.imul(y, 2654435761) ^ Math.imul(z, 805459861)) >>> 0) % rows
}

const scales = new Tensor(Float32Array.from(resolutions), [resolutions.length, 1])
/** A share along an axis is a + b t: 1 - t for the near corners, t for the far ones. */
const shares = [0, 1, 2].map((axis) => ({
  a: Float32Array.from(corners, (corner) => 1 - corner[axis]!),
  b: Float32Array.from(corners, (corner) => 2 * corner[axis]! - 1),
}))

/** Values [n]. */
export function field({ table, weights }: HashField, { points, origins, indices }: Located): Tensor {
  const within = np.subtract(np.multiply(np.expandDims(points, 1), scales), origins)
  const share = np
    .split(within, 3, { axis: -1 })
    .map((t, axis) => np.add(shares[axis]!.a, np.multiply(shares[axis]!.b, t)))
    .reduce((product, along) => np.multiply(product, along))
  const entries = np.take(table, indices, { axis: 0 })
  const mixed = np.sum(np.multiply(np.expandDims(share, -1), entries), { axis: 2 })
  const encoded = np.reshape(mixed, [points.shape[0]!, resolutions.length * features])
  return np.squeeze(network(weights, encoded, np.relu), { axis: -1 })
}

/** The gradient of the field at each point [n, 3], exact inside cells. */
export function fieldGradient(f: HashField, at: Located): Tensor {
  return grad((points: Tensor) => np.sum(field(f, { ...at, points })))(at.points)
}

/** The Hessian of the field at each point [n, 3, 3]: the jumps of the gradient between cells are not in it. */
export function fieldHessian(f: HashField, { points, origins, indices }: Located): Tensor {
  const one = (x: Tensor) => np.expandDims(x, 0)
  return vmap((point: Tensor, origin: Tensor, index: Tensor) =>
    hessian((point: Tensor) =>
      np.sum(field(f, { points: one(point), origins: one(origin), indices: one(index) })),
    )(point),
  )(points, origins, indices)
}
