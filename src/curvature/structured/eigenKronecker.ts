import { compile, compileJs } from '../../engines/index.js'
import type { StructuredOperator } from '../../linalg/index.js'
import { blockSize, requireFloat } from '../../linalg/operators/operator.js'
import { norm } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { type Tensor, tensor } from '../../tensor/index.js'
import { showShape } from '../../tensor/shape.js'
import { type Factor, sideOf, timesLeft, timesRight, transposed } from './factor.js'
import { asDType, damped, float64, sum, sumOfLogs } from './values.js'

/** Q_L^T X Q_R. */
const turn = (left: Factor, x: Tensor, right: Factor) => timesRight(timesLeft(transposed(left), x), right)

/** L X R, at once. */
const timesBoth = compileJs((left: Factor, x: Tensor, right: Factor) => timesRight(timesLeft(left, x), right))

const product = compile((left: Factor, right: Factor, eigenvalues: Tensor, x: Tensor) =>
  turn(transposed(left), np.multiply(turn(left, x, right), eigenvalues), transposed(right)),
)

const meanSquares = compile((left: Factor, x: Tensor, right: Factor) =>
  np.mean(np.square(turn(left, x, right)), { axis: 0 }),
)

/**
 * (Q_L (x) Q_R) diag(Lambda) (Q_L (x) Q_R)^T for orthonormal eigenvectors as the columns of Q_L [p, p] and Q_R [q, q],
 * and eigenvalues Lambda [p, q]: EK-FAC's block of a weight [p, q] laid out row by row (George et al. 2018). Ones of shape
 * [p] stand for the identity. In the dtype of Q_L; products are Q_L ((Q_L^T X Q_R) * Lambda) Q_R^T.
 */
export function structuredEigenKronecker(
  left: Factor,
  right: Factor,
  eigenvalues: Tensor,
): StructuredOperator {
  const where = 'structuredEigenKronecker'
  const dtype = requireFloat(left.dtype, `${where}: left`)
  const [p, q] = requireSides(left, right, where)
  if (showShape(eigenvalues.shape) !== showShape([p, q]))
    throw new Error(
      `${where}: eigenvalues has shape ${showShape(eigenvalues.shape)}, expected ${showShape([p, q])}`,
    )
  const exact = float64(eigenvalues).data as Float64Array
  const held = [left, asDType(right, dtype), asDType(eigenvalues, dtype)] as const
  const apply = async (vectors: Tensor) => {
    const k = blockSize(vectors, p * q, where)
    return np.reshape(await product(...held, np.reshape(vectors, [k, p, q])), [k, p * q])
  }
  return {
    rows: p * q,
    columns: p * q,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => sum(exact),
    logDeterminant: (damping = 0) => sumOfLogs(damped(exact, damping, where)),
    inverse(damping = 0) {
      const inverse = damped(exact, damping, where).map((value) => 1 / value)
      return structuredEigenKronecker(left, right, tensor(inverse, { shape: [p, q] }))
    },
    diagonal() {
      const [l, r] = [np.square(float64(left)), np.square(float64(right))]
      return timesBoth(l, float64(eigenvalues), transposed(r)).data as Float64Array
    },
    frobeniusNorm: () => norm(exact),
  }
}

/**
 * EK-FAC's eigenvalues: the mean over gradients G_n of the squares of Q_L^T G_n Q_R, from `gradients` [N, p, q]. Of all
 * eigenvalues in this basis these are nearest to the gradients' second moment in the Frobenius norm.
 */
export async function correctedEigenvalues(left: Factor, right: Factor, gradients: Tensor): Promise<Tensor> {
  const where = 'correctedEigenvalues'
  const [p, q] = requireSides(left, right, where)
  const [samples, ...shape] = gradients.shape
  if (!samples || showShape(shape) !== showShape([p, q]))
    throw new Error(
      `${where}: gradients has shape ${showShape(gradients.shape)}, expected [N, ${p}, ${q}] with N >= 1`,
    )
  return meanSquares(asDType(left, 'float64'), float64(gradients), float64(right))
}

function requireSides(left: Factor, right: Factor, where: string): [p: number, q: number] {
  for (const [name, { shape }] of Object.entries({ left, right }))
    if (shape.length > 2 || shape[0] !== (shape[1] ?? shape[0]) || !shape[0])
      throw new Error(
        `${where}: ${name} has shape ${showShape(shape)}, expected a square matrix [n, n] or a diagonal [n]`,
      )
  return [sideOf(left), sideOf(right)]
}
