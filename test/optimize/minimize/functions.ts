import * as np from '../../../src/numpy/index.js'
import { Tensor } from '../../../src/tensor/index.js'

/** A function to minimise, with where to start and its least value. */
export interface TestFunction {
  readonly name: string
  readonly f: (x: Tensor) => Tensor
  readonly start: readonly number[]
  /** The values of its minima, the lowest first. */
  readonly minima: readonly number[]
}

const { add, multiply, square, subtract, sum } = np
const at = (x: Tensor, i: number) => np.reshape(np.slice(x, [i, i + 1]), [])
const sums = (...terms: Tensor[]) => terms.reduce((a, b) => add(a, b))
const part = (x: Tensor, from: number, to: number) => np.slice(x, [from, to])
const vector = (x: ArrayLike<number>) => new Tensor(Float64Array.from(Array.from(x)))

/** Rosenbrock's valley in n dimensions. */
export function rosenbrock(x: Tensor): Tensor {
  const n = x.shape[0]!
  const [a, b] = [part(x, 0, n - 1), part(x, 1, n)]
  return sum(add(multiply(100, square(subtract(b, square(a)))), square(subtract(1, a))))
}

const beale = (x: Tensor) =>
  sums(
    ...[1.5, 2.25, 2.625].map((c, i) =>
      square(add(c, multiply(at(x, 0), subtract(np.power(at(x, 1), i + 1), 1)))),
    ),
  )

function wood(x: Tensor): Tensor {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => at(x, i)) as [Tensor, Tensor, Tensor, Tensor]
  return sums(
    multiply(100, square(subtract(b, square(a)))),
    square(subtract(1, a)),
    multiply(90, square(subtract(d, square(c)))),
    square(subtract(1, c)),
    multiply(10, square(add(b, subtract(d, 2)))),
    multiply(0.1, square(subtract(b, d))),
  )
}

function powellSingular(x: Tensor): Tensor {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => at(x, i)) as [Tensor, Tensor, Tensor, Tensor]
  return sums(
    square(add(a, multiply(10, b))),
    multiply(5, square(subtract(c, d))),
    np.power(subtract(b, multiply(2, c)), 4),
    multiply(10, np.power(subtract(a, d), 4)),
  )
}

/** sum_i scale_i (x_i - 1)^2 / 2 with scales from 10^-decades to 1. */
export const scaledQuadratic =
  (n: number, decades: number) =>
  (x: Tensor): Tensor =>
    multiply(
      0.5,
      sum(
        multiply(
          vector(Array.from({ length: n }, (_, i) => 10 ** ((-decades * i) / (n - 1)))),
          square(subtract(x, 1)),
        ),
      ),
    )

/** sum_i x_i - log x_i, which is NaN for x_i < 0. */
export const barrier = (x: Tensor) => sum(subtract(x, np.log(x)))

/** Rastrigin's function with its least value 0 at `centre`. */
export const rastrigin =
  (centre: number) =>
  (x: Tensor): Tensor => {
    const y = subtract(x, centre)
    return sum(add(square(y), multiply(10, subtract(1, np.cos(multiply(2 * Math.PI, y))))))
  }

const repeated = (n: number, values: readonly number[]) =>
  Array.from({ length: n }, (_, i) => values[i % values.length]!)

export const testFunctions: readonly TestFunction[] = [
  { name: 'Rosenbrock in 2 dimensions', f: rosenbrock, start: [-1.2, 1], minima: [0] },
  // The second minimum lies near (-1, 1, ..., 1).
  {
    name: 'Rosenbrock in 10 dimensions',
    f: rosenbrock,
    start: repeated(10, [-1.2, 1]),
    minima: [0, 3.986579],
  },
  { name: 'Beale', f: beale, start: [1, 1], minima: [0] },
  { name: 'Wood', f: wood, start: [-3, -1, -3, -1], minima: [0] },
  { name: 'Powell singular', f: powellSingular, start: [3, -1, 0, 1], minima: [0] },
  { name: 'a barrier with NaN beyond', f: barrier, start: [10, 1e-3, 5], minima: [3] },
]
