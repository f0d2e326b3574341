import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzip } from 'evolute/io'
import * as np from 'evolute/numpy'
import type { BlockProblem } from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'

/** The text of a file that may be compressed by gzip, or by bzip2 where that command is installed. */
export function readText(path: string): string {
  if (path.endsWith('.bz2'))
    return execFileSync('bzip2', ['-dc', path], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const bytes = readFileSync(path)
  return new TextDecoder().decode(path.endsWith('.gz') ? gunzip(bytes) : bytes)
}

/**
 * A problem of Bundle Adjustment in the Large (Agarwal, Snavely, Seitz, Szeliski 2010): counts, then observations
 * (camera, point, x, y), then cameras of 9 parameters, then points of 3.
 */
export function parseBundle(text: string): BlockProblem {
  const numbers = Float64Array.from(text.trim().split(/\s+/), Number)
  const [cameras, points, count] = numbers as unknown as [number, number, number]
  const rows = Array.from({ length: count }, (_, k) => 3 + 4 * k)
  const camerasAt = 3 + 4 * count
  const pointsAt = camerasAt + 9 * cameras
  if (numbers.length !== pointsAt + 3 * points)
    throw new Error(`bundle: got ${numbers.length} numbers, expected ${pointsAt + 3 * points}`)
  return {
    residual: reprojection,
    cameras: new Tensor(numbers.slice(camerasAt, pointsAt), [cameras, 9]),
    points: new Tensor(numbers.slice(pointsAt), [points, 3]),
    observations: {
      camera: rows.map((k) => numbers[k]!),
      point: rows.map((k) => numbers[k + 1]!),
      data: new Tensor(Float64Array.from(rows.flatMap((k) => [numbers[k + 2]!, numbers[k + 3]!])), [
        count,
        2,
      ]),
    },
  }
}

const dot = (x: Tensor, y: Tensor) => np.sum(np.multiply(x, y))

function cross(x: Tensor, y: Tensor): Tensor {
  const [[a, b, c], [d, e, f]] = [np.unstack(x), np.unstack(y)] as [Tensor[], Tensor[]]
  const minor = (p: Tensor, q: Tensor, r: Tensor, s: Tensor) =>
    np.subtract(np.multiply(p, s), np.multiply(q, r))
  return np.stack([minor(b!, c!, e!, f!), minor(c!, a!, f!, d!), minor(a!, b!, d!, e!)])
}

/** A point rotated about an axis by an angle, the axis' length (Rodrigues); to first order where that is 0. */
function rotate(axis: Tensor, point: Tensor): Tensor {
  const square = dot(axis, axis)
  const isSmall = np.less(square, 1e-30)
  const angle = np.sqrt(np.where(isSmall, 1, square))
  const unit = np.divide(axis, angle)
  const [cos, sin] = [np.cos(angle), np.sin(angle)]
  const along = np.multiply(np.multiply(np.subtract(1, cos), dot(unit, point)), unit)
  const turned = np.add(np.add(np.multiply(cos, point), np.multiply(sin, cross(unit, point))), along)
  return np.where(isSmall, np.add(point, cross(axis, point)), turned)
}

/** Where a camera of rotation, translation, focal length and two radial distortions sees a point, less the pixel. */
export function reprojection(camera: Tensor, point: Tensor, pixel: Tensor): Tensor {
  const seen = np.add(rotate(np.slice(camera, [0, 3]), point), np.slice(camera, [3, 6]))
  const [focal, k1, k2] = np.unstack(np.slice(camera, [6, 9])) as [Tensor, Tensor, Tensor]
  const image = np.negative(np.divide(np.slice(seen, [0, 2]), np.slice(seen, 2)))
  const square = dot(image, image)
  const distortion = np.add(1, np.multiply(square, np.add(k1, np.multiply(k2, square))))
  return np.subtract(np.multiply(np.multiply(focal, distortion), image), pixel)
}
