import type { Random } from 'evolute/linalg'
import { Tensor } from 'evolute/tensor'
import { subset } from '../../src/transforms/stde/sample.js'

/**
 * Points [count, d] of the unit ball as the paper draws them, float32: a uniform radius times the direction of d standard
 * normals, which `fill` writes.
 */
function pointsAlong(
  random: Random,
  count: number,
  dimension: number,
  fill: (row: Float32Array) => void,
): Tensor {
  const data = new Float32Array(count * dimension)
  for (let start = 0; start < data.length; start += dimension) {
    const row = data.subarray(start, start + dimension)
    fill(row)
    let square = 0
    for (let i = 0; i < dimension; i++) square += row[i]! * row[i]!
    const scale = random.uniform() / Math.sqrt(square)
    for (let i = 0; i < dimension; i++) row[i]! *= scale
  }
  return new Tensor(data, [count, dimension])
}

/** Independent points [count, d] of the unit ball. */
export function ballPoints(random: Random, count: number, dimension: number): Tensor {
  return pointsAlong(random, count, dimension, (row) => {
    for (let i = 0; i < dimension; i++) row[i] = random.normal()
  })
}

/**
 * Points of the unit ball whose normals are windows, at random places, of one long row of them: each point is
 * distributed as an independent one, without drawing a hundred million numbers for a hundred points in a million
 * dimensions.
 */
export function ballSampler(random: Random, dimension: number): (count: number) => Tensor {
  const pool = Float32Array.from(random.split('pool').normals(Math.max(4 * dimension, 2 ** 20)))
  const places = pool.length - dimension + 1
  return (count) =>
    pointsAlong(random, count, dimension, (row) => {
      const start = Math.floor(random.uniform() * places)
      row.set(pool.subarray(start, start + dimension))
    })
}

/** Different axes, in which a Laplacian is sampled. @throws when there are not as many. */
export function randomAxes(random: Random, count: number, dimension: number): Tensor {
  if (!(Number.isInteger(count) && count > 0 && count <= dimension))
    throw new Error(
      `randomAxes: count is ${count}, expected a whole number from 1 to the dimension, ${dimension}`,
    )
  return new Tensor(Int32Array.from(subset(dimension, count, random)), [count])
}
