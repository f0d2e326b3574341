import { type LinearOperator, operatorDType } from '../operators/operator.js'
import type { Products } from '../products.js'
import { dot, orthogonalize } from '../vector.js'

/**
 * A sketch of the range of A by its images A w_1, ..., A w_k of test vectors: their QR factorisation, and the images
 * of Q's columns. Extending it keeps what is there.
 */
export interface Sketch {
  /** Orthonormal q_1, ..., q_k, each [n]. */
  readonly basis: readonly Float64Array[]
  /** A q_1, ..., A q_k. */
  readonly images: readonly Float64Array[]
  /** Column i of R, [i + 1]: A w_i = sum_j columns[i][j] q_j. */
  readonly columns: readonly Float64Array[]
  /** w_i^T A w_i. */
  readonly quadratics: readonly number[]
  /**
   * Set where the basis spans the range of A and the sketch ends: the length of what was left of a further image, which
   * lay in the span of the others to rounding, or 0 where the basis spans the whole space.
   */
  readonly remainder?: number
}

export const emptySketch: Sketch = { basis: [], images: [], columns: [], quadratics: [] }

/** The sketch with `tests` added, two products each: one for the test vector, one for its basis vector. */
export async function extendSketch(
  products: Products,
  operator: LinearOperator,
  sketch: Sketch,
  tests: readonly Float64Array[],
): Promise<Sketch> {
  const n = operator.rows
  const negligible = operatorDType(operator) === 'float32' ? 1e-6 : 1e-13
  const block = await products.apply(tests)
  const basis = [...sketch.basis]
  const columns = [...sketch.columns]
  const quadratics = [...sketch.quadratics]
  let remainder: number | undefined
  for (const [i, test] of tests.entries()) {
    const image = block.subarray(i * n, (i + 1) * n)
    const direction = image.slice()
    const left = orthogonalize(direction, basis)
    if (left <= negligible * Math.sqrt(dot(image, image))) {
      remainder = left
      break
    }
    columns.push(Float64Array.from([...basis.map((q) => dot(q, image)), left]))
    quadratics.push(dot(test, image))
    basis.push(direction.map((x) => x / left))
  }
  if (basis.length === n) remainder = 0
  const added = basis.slice(sketch.basis.length)
  const images = [...sketch.images]
  if (added.length > 0) {
    const further = await products.apply(added)
    added.forEach((_, i) => {
      images.push(further.slice(i * n, (i + 1) * n))
    })
  }
  return { basis, images, columns, quadratics, ...(remainder !== undefined && { remainder }) }
}

/** tr(Q^T A Q). */
export function sketchTrace({ basis, images }: Sketch): number {
  return basis.reduce((sum, q, i) => sum + dot(q, images[i]!), 0)
}

/**
 * Per test vector i, the unit s_i such that Q (I - s_i s_i^T) Q^T projects onto the images of the other test vectors:
 * the normalised columns of R^-T (Epperly, Tropp, Webber 2024).
 */
export function leaveOneOut({ columns }: Sketch): Float64Array[] {
  const k = columns.length
  return columns.map((_, i) => {
    const s = new Float64Array(k)
    s[i] = 1
    for (let a = i + 1; a < k; a++) {
      let sum = 0
      for (let b = i; b < a; b++) sum += columns[a]![b]! * s[b]!
      s[a] = -sum / columns[a]![a]!
    }
    const length = Math.sqrt(dot(s, s))
    return s.map((x) => x / length)
  })
}

/**
 * What the standard error of a mean of leave-one-out estimates is multiplied by. They share test vectors, so that
 * their spread alone, sqrt(sum_i (t_i - t)^2 / (k (k - 1))), is too small: by 1 to 1.6 as measured on flat, decaying,
 * indefinite and clustered spectra.
 */
export const sharedVectors = Math.SQRT2
