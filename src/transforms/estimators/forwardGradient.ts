import { Random } from '../../linalg/random.js'
import * as np from '../../numpy/index.js'
import { castTensor, type Tensor, tensor } from '../../tensor/tensor.js'
import { rebuild, scalarOutput } from '../call.js'
import { type Likes, linearize } from '../derivatives.js'
import { ravel } from '../ravel.js'
import {
  type Arguments,
  flattenLike,
  flattenValues,
  type Like,
  type Tensored,
  type TensorFunction,
} from '../stage.js'
import { vmap } from '../vmap.js'

export interface ForwardGradientOptions<X> {
  /** Random directions for each gradient. Default 1; 0 only with guesses. */
  readonly samples?: number
  readonly seed?: number | string
  /**
   * Trees like the first argument that the gradient is thought to lie near the span of, such as the last
   * gradient or one of a local loss: the part in their span is then exact, one product each.
   */
  readonly guesses?: readonly Like<X>[]
}

/**
 * The function from the arguments of `f`, which returns one number, to an estimate of its gradient in the
 * first by forward mode alone: the memory of one evaluation, no backward pass (Baydin et al. 2022,
 * arXiv 2202.08587). With U an orthonormal basis of the span of the guesses, g the gradient and v normal,
 *
 *   estimate = U U^T g + (1/samples) sum_v (g . v') v',   v' = (I - U U^T) v.
 *
 * Unbiased for samples >= 1. With n - k dimensions outside the span of k guesses and r = |(I - U U^T) g|, the
 * expected squared error |estimate - g|^2 is (n - k + 1) r^2 / samples. With samples = 0 it is the projection
 * on the guesses (Fournier et al. 2023, arXiv 2306.06968), biased by r.
 *
 * Each call draws further directions from the seed; traced calls keep those drawn while tracing.
 * @throws when f does not return one number, or there are neither samples nor guesses.
 */
export function forwardGradient<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  { samples = 1, seed = 0, guesses = [] }: ForwardGradientOptions<A[0]> = {},
): (...args: Likes<A>) => Tensored<A[0]> {
  if (!Number.isInteger(samples) || samples < 0 || samples + guesses.length === 0)
    throw new Error(
      `forwardGradient: samples is ${samples} with ${guesses.length} guesses, expected at least one of them`,
    )
  const random = new Random(seed)
  return (...args) => {
    const [x, ...rest] = args as readonly unknown[]
    const given = rest.map((tree) => rebuild(flattenValues(tree).structure, flattenValues(tree).values))
    const [point, unravel] = ravel<Tensored<A[0]>>(x as Like<Tensored<A[0]>>)
    const [value, push] = linearize((v: Tensor) => (f as TensorFunction<Tensor>)(unravel(v), ...given), point)
    scalarOutput('forwardGradient', [np.asarray(value)])
    const along = vmap((v: Tensor) => np.reshape(push(v), []))
    const { values, structure } = flattenValues(x)
    const vectors = guesses.map((guess, i) =>
      Float64Array.from(
        np.concatenate(
          flattenLike(`forwardGradient: guess ${i}`, guess, structure, values).map((leaf) =>
            np.reshape(leaf as Tensor, [-1]),
          ),
        ).data,
      ),
    )
    const known = orthonormal(vectors)
    const unknown = Array.from({ length: samples }, () => {
      const v = random.normals(point.size)
      for (const u of known) subtractAlong(v, u)
      return v
    })
    const part = (rows: readonly Float64Array[], scale: number): Tensor[] => {
      if (rows.length === 0) return []
      const directions = castTensor(tensor(rows.map((row) => [...row])), point.dtype)
      return [np.multiply(np.matmul(along(directions), directions), scale)]
    }
    const parts = [...part(known, 1), ...part(unknown, 1 / samples)]
    if (parts.length === 0) throw new Error('forwardGradient: all guesses are zero, and samples is 0')
    return unravel(parts.reduce((sum, term) => np.add(sum, term)))
  }
}

/** x -= (x . u) u. */
function subtractAlong(x: Float64Array, u: Float64Array): number {
  const along = x.reduce((sum, value, i) => sum + value * u[i]!, 0)
  x.forEach((value, i) => {
    x[i] = value - along * u[i]!
  })
  return along
}

/** Gram-Schmidt, twice, which is enough (Kahan); vectors that depend on earlier ones are left out. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = []
  for (const vector of vectors) {
    const x = vector.slice()
    const before = Math.hypot(...x)
    for (const u of [...basis, ...basis]) subtractAlong(x, u)
    const length = Math.hypot(...x)
    if (length > 1e-10 * before) basis.push(x.map((value) => value / length))
  }
  return basis
}
