/**
 * Eigenvalues, ascending, and unit eigenvectors, as the rows of `vectors` [n, n], of a symmetric matrix [n, n] of which
 * the lower triangle is read and overwritten: Householder's reduction to tridiagonal form, then implicit QL with
 * Wilkinson's shift (EISPACK tred2 and imtql2), arranged so that every inner loop runs along rows.
 * @throws when an element is not finite.
 */
export function symmetricEigen(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const scale = scaleOf(a)
  for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) / scale
  const { diagonal, beside, reflectors, factors } = tridiagonalize(a, n)
  const vectors = accumulate(reflectors, factors, n)
  diagonalize(diagonal, beside, vectors, n)
  return inOrder(diagonal, vectors, scale, n)
}

/** A power of two near the largest element, so that squares neither overflow nor underflow. */
function scaleOf(a: Float64Array): number {
  let largest = 0
  for (const x of a) {
    if (!Number.isFinite(x)) throw new Error(`eigh: the matrix holds ${x}, expected finite numbers`)
    largest = Math.max(largest, Math.abs(x))
  }
  return largest === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(largest)), -1000)
}

/**
 * Q^T A Q = T with Q = H_0 H_1 ..., H_k = I - factor_k v_k v_k^T, where v_k is row k of `reflectors`. The rank-two
 * update of one step and the product with the vector of the next go over the matrix together.
 */
function tridiagonalize(a: Float64Array, n: number) {
  const diagonal = new Float64Array(n)
  const beside = new Float64Array(n)
  const reflectors = new Float64Array(n * n)
  const factors = new Float64Array(n)
  let v: Float64Array = new Float64Array(n)
  let w: Float64Array = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    const [vk, wk] = [v[k] as number, w[k] as number]
    diagonal[k] = (a[k * n + k] as number) - 2 * vk * wk
    if (k === n - 1) break
    const u = reflectors.subarray(k * n, (k + 1) * n)
    for (let i = k + 1; i < n; i++)
      u[i] = (a[i * n + k] as number) - (v[i] as number) * wk - (w[i] as number) * vk
    const [factor, norm] = reflect(u, k + 1, n)
    beside[k] = norm
    factors[k] = factor
    const p = new Float64Array(n)
    updateAndMultiply(a, n, k + 1, v, w, u, p)
    let inner = 0
    for (let i = k + 1; i < n; i++) inner += (p[i] as number) * (u[i] as number)
    const shift = (factor * factor * inner) / 2
    for (let i = k + 1; i < n; i++) p[i] = factor * (p[i] as number) - shift * (u[i] as number)
    v = u
    w = p
  }
  return { diagonal, beside, reflectors, factors }
}

/** Makes x[from..] the vector v, v[from] = 1, of the reflection that takes x to (norm, 0, ...); returns [factor, norm]. */
function reflect(x: Float64Array, from: number, n: number): [factor: number, norm: number] {
  let rest = 0
  for (let i = from + 1; i < n; i++) rest += (x[i] as number) ** 2
  const first = x[from] as number
  x[from] = 1
  if (rest === 0) return [0, first]
  const norm = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest)
  const divisor = first - norm
  for (let i = from + 1; i < n; i++) x[i] = (x[i] as number) / divisor
  return [-divisor / norm, norm]
}

/** A -= v w^T + w v^T, then p = A u, for the symmetric block from row and column `from` on. */
function updateAndMultiply(
  a: Float64Array,
  n: number,
  from: number,
  v: Float64Array,
  w: Float64Array,
  u: Float64Array,
  p: Float64Array,
): void {
  const single = (i: number, start: number) => {
    const [vi, wi, ui] = [v[i] as number, w[i] as number, u[i] as number]
    const row = i * n
    for (let j = start; j < i; j++) {
      const x = (a[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number)
      a[row + j] = x
      p[i] = (p[i] as number) + x * (u[j] as number)
      p[j] = (p[j] as number) + x * ui
    }
    const x = (a[row + i] as number) - 2 * vi * wi
    a[row + i] = x
    p[i] = (p[i] as number) + x * ui
  }
  let i = from
  // Two rows at a time: their sums do not wait for each other.
  for (; i + 1 < n; i += 2) {
    const [v0, w0, u0] = [v[i] as number, w[i] as number, u[i] as number]
    const [v1, w1, u1] = [v[i + 1] as number, w[i + 1] as number, u[i + 1] as number]
    const row = i * n
    const next = row + n
    let sum0 = 0
    let sum1 = 0
    for (let j = from; j < i; j++) {
      const [vj, wj, uj] = [v[j] as number, w[j] as number, u[j] as number]
      const x = (a[row + j] as number) - v0 * wj - w0 * vj
      const y = (a[next + j] as number) - v1 * wj - w1 * vj
      a[row + j] = x
      a[next + j] = y
      sum0 += x * uj
      sum1 += y * uj
      p[j] = (p[j] as number) + x * u0 + y * u1
    }
    p[i] = (p[i] as number) + sum0
    p[i + 1] = (p[i + 1] as number) + sum1
    single(i, i)
    single(i + 1, i)
  }
  if (i < n) single(i, from)
}

/** Q^T, the product of the reflections from the last to the first, two at a time. */
function accumulate(reflectors: Float64Array, factors: Float64Array, n: number): Float64Array {
  const q = new Float64Array(n * n)
  for (let i = 0; i < n; i++) q[i * (n + 1)] = 1
  for (let k = n - 2; k >= 0; k -= 2) {
    const x = reflectors.subarray(k * n, (k + 1) * n)
    const y = k > 0 ? reflectors.subarray((k - 1) * n, k * n) : new Float64Array(n)
    const [fx, fy] = [factors[k] as number, k > 0 ? (factors[k - 1] as number) : 0]
    const from = Math.max(k, 1)
    let cross = 0
    for (let j = from; j < n; j++) cross += (x[j] as number) * (y[j] as number)
    let row = from * n
    for (; row + n < n * n; row += 2 * n) {
      const next = row + n
      let a0 = 0
      let b0 = 0
      let a1 = 0
      let b1 = 0
      for (let j = from; j < n; j++) {
        const [xj, yj, z0, z1] = [x[j] as number, y[j] as number, q[row + j] as number, q[next + j] as number]
        a0 += z0 * xj
        b0 += z0 * yj
        a1 += z1 * xj
        b1 += z1 * yj
      }
      a0 *= fx
      a1 *= fx
      b0 = fy * (b0 - a0 * cross)
      b1 = fy * (b1 - a1 * cross)
      for (let j = from; j < n; j++) {
        const [xj, yj] = [x[j] as number, y[j] as number]
        q[row + j] = (q[row + j] as number) - a0 * xj - b0 * yj
        q[next + j] = (q[next + j] as number) - a1 * xj - b1 * yj
      }
    }
    if (row < n * n) reflectRow(q.subarray(row, row + n), x, fx, y, fy)
  }
  return q
}

/** z (I - fx x x^T) (I - fy y y^T). */
function reflectRow(z: Float64Array, x: Float64Array, fx: number, y: Float64Array, fy: number): void {
  for (const [v, factor] of [
    [x, fx],
    [y, fy],
  ] as const) {
    let product = 0
    for (let j = 0; j < z.length; j++) product += (z[j] as number) * (v[j] as number)
    product *= factor
    for (let j = 0; j < z.length; j++) z[j] = (z[j] as number) - product * (v[j] as number)
  }
}

const mostSweeps = 60

type Rotate = (i: number, c: number, s: number) => void

/**
 * Makes `d` the eigenvalues of the tridiagonal matrix (d, e), and applies the rotations to the rows of z. They are first
 * found without z, which takes little time, to be the shifts: then almost every sweep brings out an eigenvalue.
 */
function diagonalize(d: Float64Array, e: Float64Array, z: Float64Array, n: number): void {
  const shifts = d.slice()
  implicitQL(shifts, e.slice(), n, () => {})
  const rotations = rotationQueue(z, n)
  implicitQL(d, e, n, rotations.add, shifts.sort())
  rotations.flush()
}

function implicitQL(
  d: Float64Array,
  e: Float64Array,
  n: number,
  rotate: Rotate,
  shifts?: Float64Array,
): void {
  // Of the largest row: sweeps leave rounding of this size even between eigenvalues near 0.
  let rounding = 0
  for (let i = 0; i < n; i++)
    rounding = Math.max(rounding, Number.EPSILON * (Math.abs(d[i] as number) + Math.abs(e[i] as number)))
  for (let l = 0; l < n; l++)
    for (let sweeps = 0; ; sweeps++) {
      let end = l
      while (end < n - 1 && Math.abs(e[end] as number) > rounding) end++
      if (end === l) break
      if (sweeps === mostSweeps)
        throw new Error(`eigh: eigenvalue ${l} of ${n} did not converge in ${mostSweeps} sweeps`)
      const shift = wilkinsonShift(d, e, l)
      // Rounding may hide that the eigenvalue is out; then the usual shift goes on from there.
      sweep(d, e, l, end, shifts && sweeps < 2 ? nearest(shifts, shift) : shift, rotate)
    }
}

/** The eigenvalue of the block of rows l and l + 1 that is nearer to d_l. */
function wilkinsonShift(d: Float64Array, e: Float64Array, l: number): number {
  const [first, beside] = [d[l] as number, e[l] as number]
  const g = ((d[l + 1] as number) - first) / (2 * beside)
  const r = Math.sqrt(g * g + 1)
  return first - beside / (g + (g >= 0 ? r : -r))
}

/** The nearest of ascending numbers. */
function nearest(numbers: Float64Array, x: number): number {
  let [low, high] = [0, numbers.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((numbers[middle] as number) <= x) low = middle
    else high = middle
  }
  const [a, b] = [numbers[low] as number, numbers[high] as number]
  return x - a < b - x ? a : b
}

/** One sweep over rows l..end; `rotate(i, c, s)` rotates rows i and i + 1. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  l: number,
  end: number,
  shift: number,
  rotate: Rotate,
): void {
  let g = (d[end] as number) - shift
  let r = 0
  let [s, c, p] = [1, 1, 0]
  for (let i = end - 1; i >= l; i--) {
    const f = s * (e[i] as number)
    const b = c * (e[i] as number)
    r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      d[i + 1] = (d[i + 1] as number) - p
      e[end] = 0
      return
    }
    s = f / r
    c = g / r
    g = (d[i + 1] as number) - p
    r = ((d[i] as number) - g) * s + 2 * c * b
    p = s * r
    d[i + 1] = g + p
    g = c * r - b
    rotate(i, c, s)
  }
  d[l] = (d[l] as number) - p
  e[l] = g
  e[end] = 0
}

/** Columns of z that are rotated together, and rotations that wait: both so that what is used again is in the cache. */
const blockWidth = 64
const mostWaiting = 1 << 15

/** Collects rotations of the rows of z and applies many to one block of columns after the other. */
function rotationQueue(z: Float64Array, n: number) {
  const rows = new Int32Array(mostWaiting)
  const turns = new Float64Array(2 * mostWaiting)
  let count = 0
  const flush = () => {
    for (let from = 0; from < n; from += blockWidth) {
      const width = Math.min(blockWidth, n - from)
      for (let t = 0; t < count; t++) {
        const at = (rows[t] as number) * n + from
        const [c, s] = [turns[2 * t] as number, turns[2 * t + 1] as number]
        if (t + 1 === count || rows[t + 1] !== (rows[t] as number) - 1) rotateRows(z, at, n, width, c, s)
        else {
          t++
          rotateTwice(z, at - n, n, width, c, s, turns[2 * t] as number, turns[2 * t + 1] as number)
        }
      }
    }
    count = 0
  }
  const add = (i: number, c: number, s: number) => {
    if (count === mostWaiting) flush()
    rows[count] = i
    turns[2 * count] = c
    turns[2 * count + 1] = s
    count++
  }
  return { add, flush }
}

function rotateRows(z: Float64Array, at: number, n: number, width: number, c: number, s: number): void {
  for (let k = at; k < at + width; k++) {
    const x = z[k] as number
    const y = z[k + n] as number
    z[k + n] = s * x + c * y
    z[k] = c * x - s * y
  }
}

/** Rotates the second and third of three rows by (c, s), then the first and second by (c2, s2). */
function rotateTwice(
  z: Float64Array,
  at: number,
  n: number,
  width: number,
  c: number,
  s: number,
  c2: number,
  s2: number,
): void {
  const end = at + width
  for (let first = at, second = at + n, third = second + n; first < end; first++, second++, third++) {
    const w = z[first] as number
    const x = z[second] as number
    const y = z[third] as number
    const middle = c * x - s * y
    z[third] = s * x + c * y
    z[second] = s2 * w + c2 * middle
    z[first] = c2 * w - s2 * middle
  }
}

/** Sorted, each eigenvector with its largest component positive. */
function inOrder(d: Float64Array, z: Float64Array, scale: number, n: number) {
  const order = Array.from(d.keys()).sort((i, j) => (d[i] as number) - (d[j] as number))
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    const sign = signOf(z.subarray(from * n, (from + 1) * n))
    for (let k = 0; k < n; k++) vectors[to * n + k] = sign * (z[from * n + k] as number)
  })
  return { values: Float64Array.from(order, (i) => (d[i] as number) * scale), vectors }
}

/** The sign of the largest component; of several that are equal up to rounding, of the first. */
export function signOf(x: Float64Array): number {
  let largest = 0
  for (const component of x) if (Math.abs(component) > Math.abs(largest) * (1 + 1e-6)) largest = component
  return largest < 0 ? -1 : 1
}
