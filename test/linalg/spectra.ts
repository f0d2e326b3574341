import type { Matrix } from 'ml-matrix'
import { expect } from 'vitest'
import { randomSymmetric, withEigenvalues } from './operators/dense.js'

const eigenvalues = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i))

/** Symmetric matrices of order 60: what a trace or diagonal estimator meets. */
export const spectra: [string, Matrix][] = [
  ['flat and indefinite', randomSymmetric(60, 1)],
  [
    'decaying as 1 / i^2',
    withEigenvalues(
      eigenvalues(60, (i) => (i + 1) ** -2),
      2,
    ),
  ],
  [
    'decaying as 0.7^i',
    withEigenvalues(
      eigenvalues(60, (i) => 0.7 ** i),
      3,
    ),
  ],
  [
    'decaying and indefinite',
    withEigenvalues(
      eigenvalues(60, (i) => (-1) ** i / (i + 1)),
      4,
    ),
  ],
  [
    'repeated, with outliers',
    withEigenvalues(
      eigenvalues(60, (i) => (i < 3 ? 6 : i < 30 ? 1 : 0.5)),
      5,
    ),
  ],
]

/** The fraction of `seeds` runs whose two standard errors reach the truth. */
export async function coverage(
  run: (seed: number) => Promise<{ estimate: number; standardError: number }>,
  truth: number,
  seeds = 200,
): Promise<number> {
  let covered = 0
  for (let seed = 0; seed < seeds; seed++) {
    const { estimate, standardError } = await run(seed)
    if (Math.abs(estimate - truth) <= 2 * standardError) covered++
  }
  return covered / seeds
}

/** 95 % intervals: 90 to 99 % over 200 seeds, with a little room for leave-one-out errors, which are wide. */
export function expectNominal(fraction: number, most = 0.99): void {
  expect(fraction).toBeGreaterThanOrEqual(0.9)
  expect(fraction).toBeLessThanOrEqual(most)
}
