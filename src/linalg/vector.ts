import type { Random } from './random.js'

/** A float64 vector, or a float32 one where memory matters more than digits. */
export type Vector = Float64Array | Float32Array

/** sum_i x_i y_i, accumulated in float64. Four partial sums keep the processor's adders busy. */
export function dot(x: Vector, y: Vector): number {
  const n = x.length
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i + 3 < n; i += 4) {
    a += x[i]! * y[i]!
    b += x[i + 1]! * y[i + 1]!
    c += x[i + 2]! * y[i + 2]!
    d += x[i + 3]! * y[i + 3]!
  }
  for (; i < n; i++) a += x[i]! * y[i]!
  return a + b + (c + d)
}

/** The Euclidean length, without overflow or underflow of the squares. */
export function norm(x: Vector): number {
  const squared = dot(x, x)
  if (squared > 1e-280 && squared < 1e280) return Math.sqrt(squared)
  let largest = 0
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!))
  if (largest === 0 || !Number.isFinite(largest)) return largest
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i]! / largest) ** 2
  return largest * Math.sqrt(sum)
}

/** y += a x, in place. */
export function axpy(a: number, x: Vector, y: Vector): void {
  for (let i = 0; i < y.length; i++) y[i] = y[i]! + a * x[i]!
}

/** x / a, in place. */
export function divide(x: Vector, a: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! / a
}

/** The first index whose number is not finite, -1 where all are: several times as fast as `findIndex`. */
export function firstNotFinite(x: ArrayLike<number>): number {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return i
  return -1
}

/**
 * Removes from `x`, in place, its parts along the orthonormal `basis`, by modified Gram-Schmidt, and returns the length
 * of what is left. A pass that takes away more than a factor sqrt(1/2) of the length is followed by a second, after
 * which `x` is orthogonal to working precision ("twice is enough": Daniel, Gragg, Kaufman, Stewart 1976).
 */
export function orthogonalize(x: Vector, basis: readonly Vector[]): number {
  const before = norm(x)
  project(x, basis)
  const after = norm(x)
  if (after > Math.SQRT1_2 * before) return after
  project(x, basis)
  return norm(x)
}

function project(x: Vector, basis: readonly Vector[]): void {
  for (const v of basis) axpy(-dot(v, x), v, x)
}

/** A random unit vector of length `n` orthogonal to the orthonormal `basis`, which has fewer than `n` vectors. */
export function randomDirection(n: number, basis: readonly Vector[], random: Random): Float64Array {
  for (;;) {
    const x = random.normals(n)
    const before = norm(x)
    // What is left of a vector almost within the basis is mostly rounding: draw again.
    if (orthogonalize(x, basis) <= 1e-8 * before) continue
    divide(x, norm(x))
    divide(x, orthogonalize(x, basis))
    return x
  }
}
