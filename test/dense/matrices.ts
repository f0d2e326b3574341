import { uniform } from '../helpers/random.js'

export type Entry = (i: number, j: number) => number

export const matrix = (n: number, entry: Entry, columns = n) =>
  Float64Array.from({ length: n * columns }, (_, k) => entry(Math.floor(k / columns), k % columns))

const noise = uniform(101)
const table = Float64Array.from({ length: 150 * 150 }, () => 2 * noise() - 1)

/** Uniform in [-1, 1), for indices below 150. */
export const random: Entry = (i, j) => table[i * 150 + j]!
export const randomSymmetric: Entry = (i, j) => random(Math.max(i, j), Math.min(i, j))
