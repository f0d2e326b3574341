import type { BlockProblem } from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'
import { uniform } from '../helpers/random.js'
import { reprojection } from './bundleProblem.js'

export interface SceneOptions {
  readonly cameras: number
  readonly points: number
  /** The chance that a camera sees a point; each point is seen by two at least. */
  readonly visibility: number
  /** Pixels, the largest error of an observation. */
  readonly noise: number
  /** The largest relative error of the start. */
  readonly disturbance: number
  readonly seed: number
}

/** Cameras in a row before a cloud of points, what they see, and a start near the truth. */
export function bundleScene(options: SceneOptions): BlockProblem {
  const { cameras, points, visibility, noise, disturbance, seed } = options
  const random = uniform(seed)
  const around = (center: number, radius: number) => center + radius * (2 * random() - 1)
  const camera = Array.from({ length: cameras }, (_, c) => [
    ...[around(0, 0.2), around(0, 0.2), around(0, 0.2)],
    ...[(2 * c) / cameras - 1, around(0, 0.3), around(-6, 0.5)],
    ...[around(500, 50), around(-0.05, 0.02), around(0.01, 0.005)],
  ])
  const point = Array.from({ length: points }, () => [around(0, 1), around(0, 1), around(0, 1)])
  const seenBy: number[] = []
  const seen: number[] = []
  const pixels: number[][] = []
  for (let p = 0; p < points; p++)
    for (let c = 0; c < cameras; c++) {
      if (c !== p % cameras && c !== (p + 1) % cameras && random() > visibility) continue
      seenBy.push(c)
      seen.push(p)
      const exact = reprojection(row(camera[c]!), row(point[p]!), new Tensor(new Float64Array(2)))
      pixels.push(Array.from(exact.data, (x) => around(x, noise)))
    }
  const disturbed = (rows: number[][]) =>
    rows.map((xs) => xs.map((x) => around(x, disturbance * Math.abs(x))))
  return {
    residual: reprojection,
    cameras: disturbed(camera),
    points: disturbed(point),
    observations: { camera: seenBy, point: seen, data: pixels },
  }
}

const row = (xs: readonly number[]) => new Tensor(Float64Array.from(xs))
