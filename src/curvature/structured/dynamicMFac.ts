import type { StructuredOperator } from '../../linalg/index.js'
import { once } from '../../linalg/once.js'
import { blockSize } from '../../linalg/operators/operator.js'
import { requireCount, requirePositive } from '../../linalg/products.js'
import { axpy, dot, norm, type Vector } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/index.js'
import { structuredLowRank } from './lowRank.js'
import { asDType, type Float, sum, sumOfLogs, vectorOf } from './values.js'

export interface DynamicMFacOptions {
  /** Gradients that are kept, m. Default 512. */
  readonly window?: number
  /** Default 1e-5. */
  readonly damping?: number
  /** How gradients are kept, and the dtype of products. Default float64. */
  readonly dtype?: Float
}

/** The empirical Fisher of the last gradients. An inverse is that of the gradients at the time it was made. */
export interface DynamicMFac extends StructuredOperator {
  /** Gradients held, at most the window. */
  readonly count: number
  /** Takes in a gradient, in place of the oldest when the window is full. */
  push(gradient: Vector): void
}

/**
 * F = damping I + (1/m) sum_i g_i g_i^T of the last m gradients of `size` elements, sliding (Frantar, Kurtic, Alistarh
 * 2021, section 3.2), at the paper's cost: O(d m) for `push`, O(m^3) for `inverse()`, then O(d m + m^2) for a product
 * with it. The matrix of inner products g_i . g_j is kept and factored by Cholesky, in place of the paper's LU: by
 * Woodbury's identity F^-1 = I / damping - G^T (I + G G^T / (m damping))^-1 G / (m damping^2).
 */
export function dynamicMFac(size: number, options: DynamicMFacOptions = {}): DynamicMFac {
  const where = 'dynamicMFac'
  const { window = 512, damping = 1e-5, dtype = 'float64' } = options
  requireCount(size, 'size', where)
  requireCount(window, 'window', where)
  requirePositive(damping, 'damping', where)
  const gradients: Vector[] = []
  const gram = new Float64Array(window * window)
  let oldest = 0

  /** G G^T / m. */
  const inner = (): Tensor => {
    const m = gradients.length
    const scaled = Float64Array.from(
      { length: m * m },
      (_, at) => gram[Math.floor(at / m) * window + (at % m)]! / m,
    )
    return new Tensor(scaled, [m, m])
  }
  /** L of I + G G^T / (m total). */
  const factor = (total: number) => {
    requirePositive(total, 'the sum of dampings', where)
    return np.cholesky(np.add(np.eye(gradients.length), np.multiply(inner(), 1 / total)))
  }
  const diagonal = () => {
    const values = new Float64Array(size).fill(damping)
    for (const g of gradients)
      for (let i = 0; i < size; i++) values[i] = values[i]! + g[i]! ** 2 / gradients.length
    return values
  }
  const apply = eachVector(size, where, (x, y) => {
    axpy(damping, x, y)
    for (const g of gradients) axpy(dot(g, x) / gradients.length, g, y)
  })
  return {
    rows: size,
    columns: size,
    dtype,
    get count() {
      return gradients.length
    },
    push(gradient) {
      if (gradient.length !== size || !Number.isFinite(norm(gradient)))
        throw new Error(
          `${where}: the gradient has ${gradient.length} elements and norm ${norm(gradient)}, expected ${size} finite numbers`,
        )
      const at = oldest
      oldest = (oldest + 1) % window
      gradients[at] = vectorOf(gradient, dtype)
      gradients.forEach((other, i) => {
        const product = dot(gradients[at]!, other)
        gram[at * window + i] = product
        gram[i * window + at] = product
      })
    },
    apply,
    applyTranspose: apply,
    trace: () => size * damping + np.trace(inner()).item(),
    logDeterminant: (extra = 0) =>
      size * Math.log(damping + extra) +
      2 * sumOfLogs(np.diagonal(factor(damping + extra)).data as Float64Array),
    inverse: (extra = 0) => inverseOf([...gradients], factor(damping + extra), damping + extra, size, dtype),
    diagonal,
    frobeniusNorm() {
      const between = inner()
      const cross = 2 * damping * np.trace(between).item()
      return Math.sqrt(size * damping ** 2 + cross + sum((between.data as Float64Array).map((x) => x * x)))
    },
  }
}

/** F^-1, whose products need only L; the rest is asked of its low-rank form, which takes O(d m^2) to make. */
function inverseOf(
  gradients: readonly Vector[],
  lower: Tensor,
  damping: number,
  size: number,
  dtype: Float,
): StructuredOperator {
  const m = gradients.length
  const scale = 1 / (Math.sqrt(m) * damping)
  const form = once(() => {
    const rows = new Float64Array(m * size)
    gradients.forEach((g, i) => {
      axpy(scale, g, rows.subarray(i * size, (i + 1) * size))
    })
    const w = np.solveTriangular(lower, new Tensor(rows, [m, size]), { lower: true })
    return structuredLowRank(new Float64Array(size).fill(1 / damping), asDType(w, dtype), -1)
  })
  const apply = eachVector(size, 'dynamicMFac: inverse', (x, y) => {
    axpy(1 / damping, x, y)
    const along = Float64Array.from(gradients, (g) => scale * dot(g, x))
    const half = np.solveTriangular(lower, along, { lower: true })
    const solved = np.solveTriangular(lower, half, { lower: true, transpose: true })
    gradients.forEach((g, i) => {
      axpy(-scale * solved.data[i]!, g, y)
    })
  })
  return {
    rows: size,
    columns: size,
    dtype,
    apply,
    applyTranspose: apply,
    trace: () => form().trace(),
    logDeterminant: (extra) => form().logDeterminant(extra),
    inverse: (extra) => form().inverse(extra),
    diagonal: () => form().diagonal(),
    frobeniusNorm: () => form().frobeniusNorm(),
  }
}

/** A product of each vector x of a block, added to a vector y of zeros. */
function eachVector(size: number, where: string, product: (x: Vector, y: Float64Array) => void) {
  return (vectors: Tensor): Tensor => {
    const k = blockSize(vectors, size, where)
    const images = new Float64Array(k * size)
    for (let v = 0; v < k; v++) {
      const part = [v * size, (v + 1) * size] as const
      product(vectors.data.subarray(...part) as Vector, images.subarray(...part))
    }
    return new Tensor(vectorOf(images, vectors.dtype as Float), [k, size])
  }
}
