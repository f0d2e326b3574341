import { symmetricEigen } from '../../dense/symmetricEigen.js'
import { Random } from '../../linalg/random.js'
import { axpy, dot, norm } from '../../linalg/vector.js'
import { breathing } from '../solver.js'
import {
  type DenseKkt,
  denseKkt,
  type KktSolver,
  madeCurvature,
  type Penalties,
  rightHandSide,
} from './kkt.js'
import { armijo } from './merit.js'

export interface SketchedOptions {
  /** A Gaussian vector, or one equation at a time as Kaczmarz's. Default `gaussian`. */
  readonly sketch?: 'gaussian' | 'kaczmarz'
  /** Default 0. */
  readonly seed?: number | string
  /** Sketches at most at one point; then the direction found is taken if it descends. Default 1e5. */
  readonly maxSketches?: number
}

const sketchesPerBreath = 256
/** Of the bound on the inverse of the equations' matrix. */
const inverseFactor = 20
/** Accuracies that theory asks for beyond this one are taken for it. */
const bestAccuracy = 1e-6

/**
 * Solves by sketch-and-project (Gower and Richtarik 2015): with a random vector s, d goes to the nearest solution of the one
 * equation s^T K d = s^T b. Ends as Hong, Na, Mahoney and Kolar (2023) do, where |K| psi |K d - b| <= accuracy |b|, psi a
 * bound of |K^-1|.
 */
export function sketched({
  sketch = 'gaussian',
  seed = 0,
  maxSketches = 1e5,
}: SketchedOptions = {}): KktSolver {
  if (!Object.hasOwn(sketches, sketch))
    throw new Error(`sketch: got ${JSON.stringify(sketch)}, expected gaussian or kaczmarz`)
  if (!(maxSketches >= 1)) throw new Error(`maxSketches: got ${maxSketches}, expected at least 1`)
  const stream = new Random(seed).split('sketched')
  return {
    name: `sketched, ${sketch}`,
    async prepare(system) {
      const { model, iteration, signal } = system
      const dense = await denseKkt(model)
      const n = model.point.length
      const matrix = wholeMatrix(dense, n)
      const bounds = boundsOf(dense, matrix, n)
      const rest = rightHandSide(system)
      const goal = norm(rest)
      const direction = new Float64Array(rest.length)
      const [image, change] = [new Float64Array(rest.length), new Float64Array(rest.length)]
      const next = sketches[sketch](matrix, stream.split(iteration), image)
      const breathe = breathing(signal)
      let work = 0
      return {
        sufficient: ({ constraints, gradient }: Penalties) =>
          ((0.5 - armijo) * gradient) /
          ((1 + constraints + gradient) * (bounds.steepness * bounds.inverse) ** 2),
        async solve(accuracy) {
          const wanted = (Math.max(accuracy, bestAccuracy) * goal) / (bounds.size * bounds.inverse)
          for (; norm(rest) > wanted && work < maxSketches; work++) {
            const part = next(rest) / (dot(image, image) || 1)
            axpy(part, image, direction)
            multiply(matrix, image, change)
            axpy(-part, change, rest)
            if (work % sketchesPerBreath === 0) await breathe()
          }
          return { move: direction.slice(0, n), change: direction.slice(n), work }
        },
      }
    },
  }
}

/** Draws s, leaves K s in `image`, and returns s^T r. */
type Sketch = (matrix: Float64Array, random: Random, image: Float64Array) => (rest: Float64Array) => number

const sketches = {
  gaussian: (matrix, random, image) => (rest) => {
    const s = random.normals(rest.length)
    multiply(matrix, s, image)
    return dot(s, rest)
  },
  kaczmarz: (matrix, random, image) => (rest) => {
    const i = Math.floor(random.uniform() * rest.length)
    image.set(matrix.subarray(i * rest.length, (i + 1) * rest.length))
    return rest[i]!
  },
} satisfies Record<string, Sketch>

/** y = A x for a square matrix, row by row. */
function multiply(matrix: Float64Array, x: Float64Array, y: Float64Array): void {
  const n = x.length
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += matrix[i * n + j]! * x[j]!
    y[i] = sum
  }
}

/** [H + shift, J^T; J, 0]. */
function wholeMatrix({ hessian, jacobian, shift }: DenseKkt, n: number): Float64Array {
  const order = n + jacobian.length / n
  const matrix = new Float64Array(order * order)
  for (let i = 0; i < n; i++) {
    matrix.set(hessian.subarray(i * n, (i + 1) * n), i * order)
    matrix[i * (order + 1)] = matrix[i * (order + 1)]! + shift
  }
  jacobian.forEach((value, at) => {
    const [j, i] = [n + Math.floor(at / n), at % n]
    matrix[i * order + j] = value
    matrix[j * order + i] = value
  })
  return matrix
}

/** |K|, a bound psi of |K^-1|, and max(|J|, |H|, 1), in Frobenius norms. */
function boundsOf({ hessian, jacobian, shift }: DenseKkt, matrix: Float64Array, n: number) {
  const m = jacobian.length / n
  const rows = Array.from({ length: m }, (_, j) => jacobian.subarray(j * n, (j + 1) * n))
  const gram = Float64Array.from(rows.flatMap((a) => rows.map((b) => dot(a, b))))
  const leastGram = symmetricEigen(gram, m).values[0]!
  const shifted = hessian.map((h, at) => (at % (n + 1) === 0 ? h + shift : h))
  return {
    size: norm(matrix),
    inverse: (inverseFactor * Math.max(dot(shifted, shifted), 1)) / (Math.min(leastGram, 1) * madeCurvature),
    steepness: Math.max(norm(jacobian), norm(hessian), 1),
  }
}
