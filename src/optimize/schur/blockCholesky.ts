/**
 * L of a small symmetric positive definite matrix A = L L^T, in place: reads the upper triangle of the n by n numbers
 * from `at` on, leaves L^T there. Whether A is positive definite.
 */
export function factorBlock(a: Float64Array, at: number, n: number): boolean {
  for (let j = 0; j < n; j++) {
    for (let i = 0; i <= j; i++) {
      let sum = a[at + i * n + j]!
      for (let k = 0; k < i; k++) sum -= a[at + k * n + i]! * a[at + k * n + j]!
      if (i < j) a[at + i * n + j] = sum / a[at + i * n + i]!
      else if (sum > 0) a[at + j * n + j] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

/** L^-1 X, in place, for the [n, columns] numbers of X from `from` on; L^T as {@link factorBlock} leaves it. */
export function solveLower(
  l: Float64Array,
  at: number,
  n: number,
  x: Float64Array,
  from: number,
  columns = 1,
): void {
  for (let i = 0; i < n; i++) {
    const row = from + i * columns
    for (let k = 0; k < i; k++) {
      const factor = l[at + k * n + i]!
      for (let j = 0; j < columns; j++) x[row + j]! -= factor * x[from + k * columns + j]!
    }
    const pivot = l[at + i * n + i]!
    for (let j = 0; j < columns; j++) x[row + j]! /= pivot
  }
}

/** L^-T x, in place. */
export function solveUpper(l: Float64Array, at: number, n: number, x: Float64Array, from: number): void {
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[from + i]!
    for (let k = i + 1; k < n; k++) sum -= l[at + i * n + k]! * x[from + k]!
    x[from + i] = sum / l[at + i * n + i]!
  }
}

/** The inverse of an upper triangle, in place: reads and writes the upper triangle, and fills what is below with zeros. */
export function invertUpper(u: Float64Array, at: number, n: number): void {
  for (let j = 0; j < n; j++) {
    const diagonal = 1 / u[at + j * n + j]!
    for (let i = 0; i < j; i++) {
      let sum = 0
      for (let k = i; k < j; k++) sum += u[at + i * n + k]! * u[at + k * n + j]!
      u[at + i * n + j] = -sum * diagonal
    }
    u[at + j * n + j] = diagonal
    for (let i = j + 1; i < n; i++) u[at + i * n + j] = 0
  }
}
