import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCsv } from 'evolute/io'
import type { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'

/** Magnitudes over the phase, from -1/2 to 1/2; the deeper eclipse is near 0, the other half a turn away. */
export interface LightCurve {
  readonly name: string
  readonly phase: Float64Array
  readonly magnitude: Float64Array
}

export function lightCurve(random: Random): LightCurve {
  const folder = process.env.EVOLUTE_DATA
  if (!folder) return drawnCurve(random)
  const { values } = readCsv(readFileSync(join(folder, 'curve', 'eclipsing_binary.csv'), 'utf8'))
  const [rows, columns] = values.shape as [number, number]
  const column = (j: number) => Float64Array.from({ length: rows }, (_, i) => values.data[i * columns + j]!)
  return {
    name: 'a star of the Kepler catalogue',
    phase: column(0),
    magnitude: column(1).map((flux) => -2.5 * Math.log10(flux)),
  }
}

/** Two discs, uniformly bright, that cover each other in turns, a wave of the stars' elongation, and noise. */
function drawnCurve(random: Random): LightCurve {
  const phase = Float64Array.from({ length: 600 }, () => random.uniform() - 0.5)
  const radii = [0.25, 0.2] as const
  const magnitude = phase.map((p) => {
    const along = Math.sin(2 * Math.PI * p)
    const covered = overlap(Math.hypot(along, 0.1), ...radii) / (Math.PI * radii[1] ** 2)
    const light = 1 - (Math.abs(p) < 0.25 ? 0.3 : 0.05) * covered - 0.03 * Math.cos(4 * Math.PI * p)
    return -2.5 * Math.log10(light) + 0.01 * random.normal()
  })
  return { name: 'two discs with noise', phase, magnitude }
}

/** The area that two discs at a distance have in common. */
function overlap(distance: number, r: number, s: number): number {
  if (distance >= r + s) return 0
  if (distance <= Math.abs(r - s)) return Math.PI * Math.min(r, s) ** 2
  const segment = (a: number, b: number) => {
    const height = (distance ** 2 + a ** 2 - b ** 2) / (2 * distance)
    return a ** 2 * Math.acos(height / a) - height * Math.sqrt(a ** 2 - height ** 2)
  }
  return segment(r, s) + segment(s, r)
}

/** The shape of an eclipse: 1 in its middle, 0 far from it. */
export interface Profile {
  readonly name: string
  /** Whether it is 0 from a distance of 1 on. */
  readonly limited: boolean
  /** What its additional parameters begin with. */
  readonly shape: readonly number[]
  readonly at: (distance: Tensor, shape: readonly Tensor[]) => Tensor
}

const one = (x: Tensor) => np.subtract(1, x)
const [power, exp] = [np.power, np.exp]

/** Families of profiles: those of the NAV method and their generalisations, and those after Gauss's curve. */
export const profiles: readonly Profile[] = [
  { name: '1 - z^2', limited: true, shape: [], at: (z) => one(np.square(z)) },
  { name: '(1 - z^b)^(3/2)', limited: true, shape: [2], at: (z, [b]) => power(one(power(z, b!)), 1.5) },
  { name: '(1 - z^2)^c', limited: true, shape: [1.5], at: (z, [c]) => power(one(np.square(z)), c!) },
  { name: '(1 - z)^c', limited: true, shape: [1.5], at: (z, [c]) => power(one(z), c!) },
  { name: '(1 - z^b)^c', limited: true, shape: [2, 1.5], at: (z, [b, c]) => power(one(power(z, b!)), c!) },
  {
    name: '(cos z)^c',
    limited: true,
    shape: [1.5],
    at: (z, [c]) => power(np.cos(np.multiply(Math.PI / 2, z)), c!),
  },
  { name: 'exp(-z^2)', limited: false, shape: [], at: (z) => exp(np.negative(np.square(z))) },
  { name: 'exp(-z^b)', limited: false, shape: [2], at: (z, [b]) => exp(np.negative(power(z, b!))) },
  {
    name: '1 - (1 - exp(-z^2))^c',
    limited: false,
    shape: [1.1],
    at: (z, [c]) => one(power(one(exp(np.negative(np.square(z)))), c!)),
  },
  {
    name: '1 - (1 - exp(1 - cosh z))^c',
    limited: false,
    shape: [1.1],
    at: (z, [c]) => one(power(one(exp(one(np.cosh(z)))), c!)),
  },
  {
    name: '1 / (1 + z^b)',
    limited: false,
    shape: [3],
    at: (z, [b]) => np.divide(1, np.add(1, power(z, b!))),
  },
]

/** What is fitted; widths and shapes by their logarithms, so that they stay positive. */
export interface CurveParameters<T> {
  /** The light outside of eclipses: a constant, and cosine and sine of one and two waves. */
  readonly waves: T
  readonly depths: T
  readonly centre: T
  readonly logWidth: T
  /** Those of the deeper eclipse, then those of the other. */
  readonly logShapes: T
}

/** Nearer than this to the middle of an eclipse, powers of the distance lose their derivatives to rounding. */
const nearest = 1e-4

/** Columns 1, cos 2 pi p, sin 2 pi p, cos 4 pi p, ... */
export function waveColumns(phase: Float64Array, waves: number): Tensor {
  const width = 2 * waves + 1
  const columns = Float64Array.from({ length: phase.length * width }, (_, i) => {
    const [p, k] = [phase[Math.floor(i / width)]!, i % width]
    const angle = 2 * Math.PI * Math.ceil(k / 2) * p
    return k % 2 === 0 && k > 0 ? Math.sin(angle) : Math.cos(angle)
  })
  return new Tensor(columns, [phase.length, width])
}

/** The deviations of a light curve from two waves and two eclipses. */
export function deviations({ phase, magnitude }: LightCurve, profile: Profile) {
  const columns = waveColumns(phase, 2)
  const half = phase.map((p) => (p < 0 ? p + 0.5 : p - 0.5))
  const each = profile.shape.length
  return ({ waves, depths, centre, logWidth, logShapes }: CurveParameters<Tensor>): Tensor => {
    const shapes = exp(logShapes)
    const eclipse = (place: Float64Array, k: number) => {
      const z = np.divide(np.abs(np.subtract(place, centre)), exp(logWidth))
      const inside = np.less(z, 1)
      const safe = np.maximum(profile.limited ? np.where(inside, z, 0.5) : z, nearest)
      const shape = profile.shape.map((_, i) => np.slice(shapes, [k * each + i, k * each + i + 1]))
      const value = profile.at(safe, shape)
      return np.multiply(np.slice(depths, [k, k + 1]), profile.limited ? np.where(inside, value, 0) : value)
    }
    const model = np.add(np.matmul(columns, waves), np.add(eclipse(phase, 0), eclipse(half, 1)))
    return np.subtract(model, magnitude)
  }
}
