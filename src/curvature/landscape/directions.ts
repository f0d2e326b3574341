import { Random } from '../../linalg/random.js'
import { norm } from '../../linalg/vector.js'
import type { ParameterBlock } from '../parameters.js'

/** A direction in the space of parameters. */
export interface Direction {
  readonly name: string
  readonly vector: Float64Array
}

export interface FilterNormOptions {
  /**
   * What random directions do with tensors of one axis (biases, scales of a normalisation): `ignore` leaves them where
   * they are, as Li et al. do; `scale` takes each as one filter. Default `ignore`.
   */
  readonly biases?: 'ignore' | 'scale'
}

/**
 * A random direction scaled filter by filter to the parameters: d_f = z_f |theta_f| / |z_f| with z standard normal, so
 * that steps mean the same whatever the scale of the weights (Li, Xu, Taylor, Studer, Goldstein 2018, section 4). A filter
 * is one slice along the first axis of a parameter tensor: an output channel of a convolution's weights [out, in, ...], a
 * row of a matrix.
 */
export function filterNormalizedDirection(
  theta: Float64Array,
  blocks: readonly ParameterBlock[],
  random: Random,
  { biases = 'ignore' }: FilterNormOptions = {},
): Float64Array {
  const direction = new Float64Array(theta.length)
  for (const { name, shape, offset, size } of blocks) {
    if (shape.length < 2 && biases === 'ignore') continue
    const filters = shape.length < 2 ? 1 : shape[0]!
    const length = size / filters
    const z = random.split(name).normals(size)
    for (let f = 0; f < filters; f++) {
      const from = f * length
      const scale =
        norm(theta.subarray(offset + from, offset + from + length)) / norm(z.subarray(from, from + length))
      for (let i = from; i < from + length; i++) direction[offset + i] = scale * z[i]!
    }
  }
  if (norm(direction) === 0)
    throw new Error(
      "landscape: the random direction is zero, since every parameter is a bias or 0; biases: 'scale' moves biases too",
    )
  return direction
}

/** Two random directions. */
export function randomDirections(
  theta: Float64Array,
  blocks: readonly ParameterBlock[],
  seed: number,
  options: FilterNormOptions,
): Direction[] {
  const random = new Random(seed).split('landscape')
  return [1, 2].map((i) => ({
    name: `random direction ${i}`,
    vector: filterNormalizedDirection(theta, blocks, random.split(i), options),
  }))
}
