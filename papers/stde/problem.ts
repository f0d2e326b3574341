import * as np from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'

/** A function b at points x [..., d], with x . grad b and its Laplacian. */
interface ClosedForm {
  readonly value: Tensor
  readonly radial: Tensor
  readonly laplacian: Tensor
}

const { add, multiply, subtract, square } = np
const total = (...terms: Tensor[]) => terms.reduce(add)
const product = (...factors: Tensor[]) => factors.reduce(multiply)
const overLast = (x: Tensor) => np.sum(x, { axis: -1 })

/** x_i, x_{i+1}, ... of points [..., d], as many as `count`, each for all i at which the last of them exists. */
function neighbours(x: Tensor, count: number): Tensor[] {
  const d = x.shape.at(-1)!
  const leading = x.shape.slice(0, -1).map(() => null)
  return Array.from({ length: count }, (_, k) => np.slice(x, ...leading, [k, d - count + 1 + k]))
}

/** sum_i c_i sin(x_i + cos x_{i+1} + x_{i+1} cos x_i), c [d - 1]. */
function twoBody(c: Tensor, points: Tensor): ClosedForm {
  const [x, y] = neighbours(points, 2) as [Tensor, Tensor]
  const [cosX, cosY] = neighbours(np.cos(points), 2) as [Tensor, Tensor]
  const [sinX, sinY] = neighbours(np.sin(points), 2) as [Tensor, Tensor]
  const phase = total(x, cosY, multiply(y, cosX))
  const [alongX, alongY] = [subtract(1, multiply(y, sinX)), subtract(cosX, sinY)]
  const bend = np.negative(add(multiply(y, cosX), cosY))
  const [wave, slope] = [product(c, np.sin(phase)), product(c, np.cos(phase))]
  return {
    value: overLast(wave),
    radial: overLast(multiply(slope, add(multiply(x, alongX), multiply(y, alongY)))),
    laplacian: overLast(subtract(multiply(slope, bend), multiply(wave, add(square(alongX), square(alongY))))),
  }
}

/** sum_i c_i exp(x_i x_{i+1} x_{i+2}), c [d - 2]. */
function threeBody(c: Tensor, points: Tensor): ClosedForm {
  const [x, y, z] = neighbours(points, 3) as [Tensor, Tensor, Tensor]
  const exponent = product(x, y, z)
  const wave = multiply(c, np.exp(exponent))
  const squares = [product(x, y), product(y, z), product(x, z)].map(square)
  return {
    value: overLast(wave),
    radial: overLast(multiply(wave, multiply(3, exponent))),
    laplacian: overLast(multiply(wave, total(...squares))),
  }
}

/** The part of each operator beside the Laplacian. */
const reactions = {
  Poisson: (u: Tensor) => np.zerosLike(u),
  'Allen-Cahn': (u: Tensor) => subtract(u, product(u, u, u)),
  'sine-Gordon': (u: Tensor) => np.sin(u),
}

const interactions = { 'two-body': twoBody, 'three-body': threeBody }

export type Equation = keyof typeof reactions
export type Interaction = keyof typeof interactions

/** L u = f in the unit ball, u = 0 on the sphere, with a solution that is known. Points are [..., d]. */
export interface Problem {
  readonly dimension: number
  /** What L u has beside the Laplacian of u. */
  readonly reaction: (u: Tensor) => Tensor
  readonly solution: (x: Tensor) => Tensor
  /** f = L of the solution, in closed form. */
  readonly source: (x: Tensor) => Tensor
}

/** |x|^2 of points [..., d]. */
export const squaredNorm = (x: Tensor) => overLast(square(x))

/**
 * The test problems of Shi et al. 2024 (arXiv 2412.00088): the solution is (1 - |x|^2) b(x), where b couples neighbouring
 * coordinates with weights c [d - 1], or [d - 2] for three, so that the Laplacian is (1 - |x|^2) lap b - 4 x . grad b - 2 d b.
 */
export function ballProblem(equation: Equation, interaction: Interaction, c: Tensor): Problem {
  const dimension = c.size + (interaction === 'two-body' ? 1 : 2)
  const reaction = reactions[equation]
  const inner = (x: Tensor) => interactions[interaction](c, x)
  return {
    dimension,
    reaction,
    solution: (x) => multiply(subtract(1, squaredNorm(x)), inner(x).value),
    source(x) {
      const { value, radial, laplacian } = inner(x)
      const room = subtract(1, squaredNorm(x))
      const bent = subtract(multiply(room, laplacian), multiply(4, radial))
      return add(subtract(bent, multiply(2 * dimension, value)), reaction(multiply(room, value)))
    },
  }
}
