/**
 * Eigenvalues, ascending, and unit eigenvectors as rows [k, k], of diag(poles) + rho z z^T: poles ascending and apart, no
 * z_i zero, |z| <= 1, rho > 0. The eigenvalues are the roots of 1 + rho sum_i z_i^2 / (poles_i - lambda) = 0, one behind
 * each pole. The eigenvectors are those of a z for which the computed roots are exact: so they are orthogonal.
 *
 * Source: Gu, Eisenstat, A divide-and-conquer algorithm for the symmetric tridiagonal eigenproblem (1995), section 3;
 * Li, Solving secular equations stably and efficiently (1993), the middle way.
 */
export function rankOneEigen(
  poles: Float64Array,
  z: Float64Array,
  rho: number,
): { values: Float64Array; vectors: Float64Array } {
  const k = poles.length
  const weights = z.map((x) => rho * x * x)
  const values = new Float64Array(k)
  const differences = new Float64Array(k * k)
  for (let j = 0; j < k; j++)
    values[j] = root(poles, weights, j, rho, differences.subarray(j * k, (j + 1) * k))
  toVectors(differences, poles, z)
  return { values, vectors: differences }
}

/** From poles_i - lambda_j, row j: the eigenvectors z_i / (poles_i - lambda_j) of the z that has these eigenvalues. */
function toVectors(differences: Float64Array, poles: Float64Array, z: Float64Array): void {
  const k = poles.length
  const squares = new Float64Array(k).fill(1)
  for (let j = 0; j < k; j++)
    for (let i = 0; i < k; i++) {
      const distance = i === j ? -1 : (poles[i] as number) - (poles[j] as number)
      squares[i] = ((squares[i] as number) * (differences[j * k + i] as number)) / distance
    }
  for (let j = 0; j < k; j++) {
    const vector = differences.subarray(j * k, (j + 1) * k)
    for (let i = 0; i < k; i++)
      vector[i] = (Math.sign(z[i] as number) * Math.sqrt(squares[i] as number)) / (vector[i] as number)
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
    for (let i = 0; i < k; i++) vector[i] = (vector[i] as number) / length
  }
}

/** More than bisection takes from the width of an interval down to its smallest numbers. */
const mostSteps = 1100

/**
 * Root j, and in `differences` poles_i - root. It is searched as a distance from the nearer of the poles around it:
 * f is replaced by a function c + a / (left - x) + b / (right - x) of equal value and slopes, whose root is the next
 * point, or by the middle of what is left where that falls outside.
 */
function root(
  poles: Float64Array,
  weights: Float64Array,
  j: number,
  rho: number,
  differences: Float64Array,
): number {
  const k = poles.length
  const pole = poles[j] as number
  // The last root is at most rho behind its pole: a pole of no weight at twice the distance stands for the next.
  const gap = j + 1 < k ? (poles[j + 1] as number) - pole : 2 * rho
  const middle = evaluate(poles, weights, j, pole, gap / 2)
  const isLeft = middle.value >= 0 || j + 1 === k
  const origin = isLeft ? pole : (poles[j + 1] as number)
  let [low, high] = isLeft ? [0, gap / 2] : [-gap / 2, 0]
  if (j + 1 === k) high = gap
  const [left, right] = isLeft ? [0, gap] : [-gap, 0]
  let x = isLeft ? gap / 2 : -gap / 2
  let f = middle
  for (let step = 0; step < mostSteps; step++) {
    if (f.value < 0) low = x
    else high = x
    const next = x + middleWay(f, left - x, right - x)
    const moved = next > low && next < high ? next : (low + high) / 2
    if (moved === x || moved === low || moved === high) break
    const change = Math.abs(moved - x)
    x = moved
    // What a step changes in the last digits only, rounding decides.
    if (change <= 4 * Number.EPSILON * Math.abs(x)) break
    f = evaluate(poles, weights, j, origin, x)
    if (Math.abs(f.value) <= Number.EPSILON * f.size) break
  }
  for (let i = 0; i < k; i++) differences[i] = (poles[i] as number) - origin - x
  return origin + x
}

/** f, the slopes of its sums over poles up to j and behind j, and the sum of the magnitudes of its terms. */
interface Secular {
  readonly value: number
  readonly before: number
  readonly behind: number
  readonly size: number
}

function evaluate(poles: Float64Array, weights: Float64Array, j: number, origin: number, x: number): Secular {
  let [psi, before, phi, behind] = [0, 0, 0, 0]
  for (let i = 0; i <= j; i++) {
    const reciprocal = 1 / ((poles[i] as number) - origin - x)
    const term = (weights[i] as number) * reciprocal
    psi += term
    before += term * reciprocal
  }
  for (let i = poles.length - 1; i > j; i--) {
    const reciprocal = 1 / ((poles[i] as number) - origin - x)
    const term = (weights[i] as number) * reciprocal
    phi += term
    behind += term * reciprocal
  }
  return { value: 1 + psi + phi, before, behind, size: 1 - psi + phi }
}

/** The step to the root of c + a / (left - x) + b / (right - x); left < 0 < right are the distances to the two poles. */
function middleWay({ value, before, behind }: Secular, left: number, right: number): number {
  const c = value - left * before - right * behind
  const a = (left + right) * value - left * right * (before + behind)
  const b = left * right * value
  const discriminant = Math.sqrt(Math.max(a * a - 4 * b * c, 0))
  return a <= 0 ? (a - discriminant) / (2 * c) : (2 * b) / (a + discriminant)
}
