import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LeastSquaresResult, leastSquares, uncertainty } from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { logRelativeError, type NistProblem, nistProblems, nistResidual } from './nist.js'

const data = process.env.EVOLUTE_DATA

function solve(problem: NistProblem, start: readonly number[]) {
  const residual = nistResidual(problem)
  const named = Object.fromEntries(start.map((x, i) => [`b${i + 1}`, x]))
  return leastSquares((b: Record<string, Tensor>) => residual(Object.values(b)), named)
}

describe.skipIf(!data)('NIST StRD, both starts of all problems with default options', async () => {
  const problems = data ? nistProblems(join(data, 'nist_strd')) : []
  const runs: { problem: NistProblem; result: LeastSquaresResult<unknown>; digits: number }[] = []
  for (const problem of problems)
    for (const start of problem.starts) {
      const result = await solve(problem, start)
      runs.push({ problem, result, digits: logRelativeError(result.values, problem.certified) })
    }

  test('all 54 are solved, with at least 9.4 digits on average', () => {
    expect(runs.length).toBe(54)
    const failed = runs.filter(({ digits }) => !(digits >= 8)).map(({ problem }) => problem.name)
    expect(failed).toEqual([])
    const mean = runs.reduce((sum, { digits }) => sum + digits, 0) / runs.length
    expect(mean).toBeGreaterThan(10.5)
  })

  test('all say that they converged, and where they did the gradient vanishes', () => {
    for (const { problem, result } of runs) {
      expect(result.converged, `${problem.name}: ${result.message}`).toBe(true)
      expect(result.undetermined).toEqual([])
      // The residuals of Lanczos1 are rounding of its data in the fourteenth digit.
      if (problem.name !== 'Lanczos1') expect(result.history.at(-1)!.optimality).toBeLessThan(1e-6)
    }
  })

  test('certified standard errors have 10 digits in the median', () => {
    const digits = runs
      .map(({ problem, result }) =>
        logRelativeError(uncertainty(result).standardErrors, problem.standardErrors),
      )
      .sort((a, b) => a - b)
    expect(digits[27]).toBeGreaterThan(10)
    // All but Lanczos1, whose certified residuals are rounding.
    expect(digits[2]).toBeGreaterThan(9)
  })
})
