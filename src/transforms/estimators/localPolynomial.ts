import { type ArrayLike, toValue } from '../../numpy/convert.js'
import { showType, Var } from '../../program/value.js'
import { Tensor } from '../../tensor/tensor.js'
import { leastSquares } from './leastSquares.js'

export interface LocalPolynomialOptions {
  /** Degree of the polynomial in all coordinates: 1 (default) or 2. */
  readonly degree?: 1 | 2
  /** How many of the nearest samples it is fitted to. Default: twice as many as it has coefficients. */
  readonly neighbours?: number
  /** Weights of samples by distance: `tricube` (default) of the distance over the farthest's, or all equal. */
  readonly kernel?: 'tricube' | 'uniform'
}

/** What a polynomial fitted around a point says of the field there. */
export interface LocalFit {
  readonly value: number
  readonly gradient: Tensor
  /** [d, d]; zeros for degree 1. */
  readonly hessian: Tensor
}

/**
 * The function from a point [d] to value, gradient and Hessian there of a field known by noisy samples:
 * `values` [n] at `points` [n, d]. A polynomial is fitted to the nearest samples by weighted least squares
 * (Cleveland 1979; Fan and Gijbels 1996), exact where the field is such a polynomial. Errors for a spacing
 * h and noise s are of the order h^2 + s/h in the gradient for degree 2, h + s/h for degree 1. One search
 * through all samples for each point.
 * @throws when sizes do not fit or there are fewer samples than coefficients.
 */
export function localPolynomial(
  points: ArrayLike,
  values: ArrayLike,
  { degree = 1, neighbours, kernel = 'tricube' }: LocalPolynomialOptions = {},
): (point: ArrayLike) => LocalFit {
  const [p, y] = [numbersOf('points', points), numbersOf('values', values)]
  const [n, d] = p.shape as [number, number]
  if (p.shape.length !== 2 || y.shape.length !== 1 || y.size !== n)
    throw new Error(
      `localPolynomial: points are ${showType(p)} and values ${showType(y)}, expected [n,d] and [n]`,
    )
  if (degree !== 1 && degree !== 2) throw new Error(`localPolynomial: degree is ${degree}, expected 1 or 2`)
  const coefficients = degree === 1 ? 1 + d : 1 + d + (d * (d + 1)) / 2
  const count = neighbours ?? Math.min(n, 2 * coefficients)
  if (!Number.isInteger(count) || count < coefficients || count > n)
    throw new Error(
      `localPolynomial: ${count} neighbours of ${n} samples, expected ${coefficients} (the coefficients of degree ${degree} in ${d} dimensions) to ${n}`,
    )
  return (point) => {
    const at = numbersOf('the point', point)
    if (at.size !== d) throw new Error(`localPolynomial: the point is ${showType(at)}, expected [${d}]`)
    const { nearest, distances } = nearestTo(p, at, count)
    const farthest = distances[nearest.at(-1)!]! || 1
    const rows = nearest.map((i) => row(p, i, at, farthest, degree))
    const weights = nearest.map((i) =>
      kernel === 'uniform' ? 1 : Math.sqrt((1 - (distances[i]! / (1.0001 * farthest)) ** 3) ** 3),
    )
    rows.forEach((terms, k) => {
      terms.forEach((term, j) => {
        terms[j] = term * weights[k]!
      })
    })
    const fit = leastSquares(
      rows,
      Float64Array.from(nearest, (i, k) => y.data[i]! * weights[k]!),
    )
    return derivativesOf(fit, d, farthest)
  }
}

/**
 * The function from a point to the gradient of the plane fitted to its `neighbours` (default d + 1) nearest
 * samples, all weighted alike: the simplest gradient of a field that is only sampled.
 */
export function nearestNeighbourGradient(
  points: ArrayLike,
  values: ArrayLike,
  { neighbours }: { readonly neighbours?: number } = {},
): (point: ArrayLike) => Tensor {
  const d = numbersOf('points', points).shape[1] ?? 0
  const fitAround = localPolynomial(points, values, {
    degree: 1,
    kernel: 'uniform',
    neighbours: neighbours ?? d + 1,
  })
  return (point) => fitAround(point).gradient
}

function numbersOf(what: string, x: ArrayLike): Tensor {
  const value = toValue(x)
  if (value instanceof Var) throw new Error(`localPolynomial: ${what} are traced, expected numbers`)
  return value
}

/** The samples nearest to a point, nearest first. */
function nearestTo(points: Tensor, at: Tensor, count: number) {
  const [n, d] = points.shape as [number, number]
  const distances = Float64Array.from({ length: n }, (_, i) => {
    let squared = 0
    for (let j = 0; j < d; j++) squared += (points.data[i * d + j]! - at.data[j]!) ** 2
    return Math.sqrt(squared)
  })
  const nearest = Array.from({ length: n }, (_, i) => i).sort((i, j) => distances[i]! - distances[j]!)
  return { nearest: nearest.slice(0, count), distances }
}

/** The terms 1, u_j, u_i u_j (i <= j) of the offset u of a sample, in units of `unit`. */
function row(points: Tensor, i: number, at: Tensor, unit: number, degree: number): Float64Array {
  const d = at.size
  const u = Array.from({ length: d }, (_, j) => (points.data[i * d + j]! - at.data[j]!) / unit)
  const squares = degree === 1 ? [] : u.flatMap((a, j) => u.slice(j).map((b) => a * b))
  return Float64Array.of(1, ...u, ...squares)
}

function derivativesOf(fit: Float64Array, d: number, unit: number): LocalFit {
  const hessian = new Float64Array(d * d)
  let next = 1 + d
  if (fit.length > next)
    for (let i = 0; i < d; i++)
      for (let j = i; j < d; j++) {
        const second = (fit[next++]! * (i === j ? 2 : 1)) / unit ** 2
        hessian[i * d + j] = second
        hessian[j * d + i] = second
      }
  const gradient = fit.slice(1, 1 + d).map((slope) => slope / unit)
  return { value: fit[0]!, gradient: new Tensor(gradient), hessian: new Tensor(hessian, [d, d]) }
}
