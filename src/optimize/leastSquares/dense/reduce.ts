import { makeFunction } from '../../../engines/js/function.js'
import { range } from '../../../tensor/shape.js'

/** A least-squares problem min |A z - b|: A as columns one after another, and b. */
export interface LinearProblem {
  readonly columns: Float64Array
  readonly residual: Float64Array
}

/** The products of a factorisation up to which it is written out as straight code. */
const mostProducts = 600

/**
 * The same problem in as few rows as it has columns where it is small, R and the first elements of Q^T b of A = Q R by
 * Householder's reflections; else the problem itself. Holds until the next call. Loops over a dozen elements take several
 * times as long as what they compute, so each size has a function of its own without loops.
 */
export function reduced(problem: LinearProblem): LinearProblem {
  const { columns, residual } = problem
  const rows = residual.length
  const n = columns.length / rows
  if (rows <= n || rows * n * (n + 1) > mostProducts) return problem
  const { reduce, triangle } = reductionOf(rows, n)
  return reduce?.(columns, residual, triangle.columns, triangle.residual) ? triangle : problem
}

interface Reduction {
  readonly triangle: LinearProblem
  /** Writes R and Q^T b; false where squares over- or underflow, or generated code is forbidden. */
  readonly reduce?:
    | ((a: Float64Array, b: Float64Array, r: Float64Array, rhs: Float64Array) => boolean)
    | undefined
}

const reductions = new Map<number, Reduction>()

function reductionOf(rows: number, n: number): Reduction {
  const key = rows * mostProducts + n
  const known = reductions.get(key)
  if (known) return known
  const triangle = { columns: new Float64Array(n * n), residual: new Float64Array(n) }
  const made = { triangle, reduce: compiled(rows, n) }
  reductions.set(key, made)
  return made
}

function compiled(rows: number, n: number): Reduction['reduce'] {
  try {
    return makeFunction(['a', 'b', 'r', 'rhs'], reductionSource(rows, n)) as Reduction['reduce']
  } catch {
    return undefined
  }
}

/** b is column n of the matrix; x3_5 is row 5 of its column 3. */
function reductionSource(rows: number, n: number): string {
  const x = (j: number, i: number) => `x${j}_${i}`
  const dot = (j: number, k: number) => {
    const products = range(rows - k).map((i) => `${x(j, k + i)} * ${x(k, k + i)}`)
    const [even, odd] = [0, 1].map((side) => products.filter((_, i) => i % 2 === side).join(' + '))
    return odd ? `${even} + (${odd})` : even
  }
  const load = (j: number) =>
    range(rows).map((i) => `let ${x(j, i)} = ${j < n ? `a[${j * rows + i}]` : `b[${i}]`}`)
  const reflect = (j: number, k: number) => [
    `const p${j}_${k} = scale${k} * (${dot(j, k)})`,
    ...range(rows - k).map((i) => `${x(j, k + i)} -= p${j}_${k} * ${x(k, k + i)}`),
  ]
  const eliminate = (k: number) => [
    `const squares${k} = ${dot(k, k)}`,
    `if (!(squares${k} > 1e-280 && squares${k} < 1e280)) return false`,
    `const head${k} = ${x(k, k)} > 0 ? -Math.sqrt(squares${k}) : Math.sqrt(squares${k})`,
    // v^T v = 2 head (head - first)
    `const scale${k} = 1 / (head${k} * (head${k} - ${x(k, k)}))`,
    `${x(k, k)} -= head${k}`,
    ...range(n - k).flatMap((j) => reflect(k + 1 + j, k)),
    ...range(k).map((i) => `r[${k * n + i}] = ${x(k, i)}`),
    `r[${k * (n + 1)}] = head${k}`,
    `rhs[${k}] = ${x(n, k)}`,
  ]
  return ["'use strict'", ...range(n + 1).flatMap(load), ...range(n).flatMap(eliminate), 'return true'].join(
    '\n',
  )
}
