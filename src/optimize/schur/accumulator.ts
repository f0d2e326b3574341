import { makeFunction } from '../../engines/js/function.js'
import { range } from '../../tensor/shape.js'
import type { BlockDerivatives } from './blockDerivatives.js'

/** What the products of all observations are added to. */
export interface Sums {
  /** [cameras, a, a], upper triangles */
  readonly cameraBlocks: Float64Array
  /** [points, b, b], upper triangles */
  readonly pointBlocks: Float64Array
  /** [observations, b, a] */
  readonly couplings: Float64Array
  readonly gradient: Float64Array
}

export type Accumulator = (batch: BlockDerivatives, camera: Int32Array, point: Int32Array, sums: Sums) => void

const known = new Map<string, Accumulator>()

/**
 * Adds the products [A B]^T [A B r] of observations of so many residuals r, A their derivatives by the a parameters of a
 * camera and B by the b of a point. Written out for each element, which is several times as fast as loops this short; made
 * once for each combination of sizes.
 */
export function accumulator(residuals: number, a: number, b: number): Accumulator {
  const key = [residuals, a, b].join()
  const made = known.get(key) ?? makeAccumulator(residuals, a, b)
  known.set(key, made)
  return made
}

function makeAccumulator(residuals: number, a: number, b: number): Accumulator {
  const width = a + b + 1
  const each = (from: number, to: number, f: (i: number) => string) =>
    range(to - from)
      .map((i) => f(from + i))
      .join('\n')
  const product = (i: number, j: number) =>
    range(residuals)
      .map((q) => `r${q * width + i} * r${q * width + j}`)
      .join(' + ')
  const triangle = (array: string, at: string, first: number, size: number) =>
    each(0, size, (i) =>
      each(i, size, (j) => `${array}[${at} + ${i * size + j}] += ${product(first + i, first + j)}`),
    )
  const body = `return function accumulate({ first, count, rows }, camera, point, sums) {
    const { cameraBlocks, pointBlocks, couplings, gradient } = sums
    const offset = cameraBlocks.length / ${a}
    for (let k = 0; k < count; k++) {
      const [at, c, p] = [k * ${residuals * width}, camera[first + k], point[first + k]]
      const [ca, cc, pb, pp, cp] = [c * ${a}, c * ${a * a}, offset + p * ${b}, p * ${b * b}, (first + k) * ${a * b}]
      ${each(0, residuals * width, (i) => `const r${i} = rows[at + ${i}]`)}
      ${triangle('cameraBlocks', 'cc', 0, a)}
      ${triangle('pointBlocks', 'pp', a, b)}
      ${each(0, b, (t) => each(0, a, (j) => `couplings[cp + ${t * a + j}] = ${product(a + t, j)}`))}
      ${each(0, a, (j) => `gradient[ca + ${j}] += ${product(j, a + b)}`)}
      ${each(0, b, (t) => `gradient[pb + ${t}] += ${product(a + t, a + b)}`)}
    }
  }`
  return (makeFunction([], body) as () => Accumulator)()
}
