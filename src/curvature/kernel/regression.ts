import * as np from '../../numpy/index.js'
import { showShape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'

/**
 * Kernel (ridge) regression: K(x, X) (K(X, X) + ridge I)^-1 Y, what a network of infinite width predicts after training on
 * the mean of squares from outputs 0 (Jacot, Gabriel, Hongler 2018). For a network that starts elsewhere, give
 * Y less its first outputs on X and add those on x.
 *
 * @param kernel of the N training samples: [N, N], the same for every output, or [N, N, C, C].
 * @param cross of the M samples asked for with the training samples: [M, N] or [M, N, C, C].
 * @param targets [N, C].
 * @returns predictions [M, C].
 * @throws when the shapes do not fit.
 */
export function kernelRegression(kernel: Tensor, cross: Tensor, targets: Tensor, ridge = 0): Tensor {
  const [n, c] = targets.shape as [number, number]
  const m = cross.shape[0]!
  const expected = kernel.shape.length === 4 ? [n, n, c, c] : [n, n]
  for (const [name, x, shape] of [
    ['kernel', kernel, expected],
    ['cross', cross, [m, ...expected.slice(1)]],
  ] as const)
    if (showShape(x.shape) !== showShape(shape))
      throw new Error(
        `kernelRegression: ${name} has shape ${showShape(x.shape)}, expected ${showShape(shape)} for targets ${showShape(targets.shape)}`,
      )
  const [square, wide, y] =
    kernel.shape.length === 4
      ? [asMatrix(kernel), asMatrix(cross), np.reshape(targets, [n * c, 1])]
      : [kernel, cross, targets]
  const damped = np.add(square, np.multiply(ridge, np.eye(square.shape[0]!, { dtype: square.dtype })))
  return np.reshape(np.matmul(wide, np.solve(damped, y)), [m, c])
}

/** [N, M, C, C] as the matrix [N C, M C]. */
function asMatrix(kernel: Tensor): Tensor {
  const [n, m, c] = kernel.shape as [number, number, number, number]
  return np.reshape(np.transpose(kernel, [0, 2, 1, 3]), [n * c, m * c])
}
