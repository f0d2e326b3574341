import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type LeastSquaresResult,
  leastSquares,
  separableLeastSquares,
  uncertainty,
} from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { logRelativeError, type NistProblem, nistProblems, nistResidual } from './nist.js'
import { inOrder, isSeparable, separable } from './nistSeparable.js'

const data = process.env.EVOLUTE_DATA

describe.skipIf(!data)(
  'NIST StRD by variable projection, without starts of the linear parameters',
  async () => {
    const problems = data ? nistProblems(join(data, 'nist_strd')).filter(isSeparable) : []
    const runs: { problem: NistProblem; result: LeastSquaresResult<unknown>; digits: number }[] = []
    for (const problem of problems) {
      const { basis, y, starts } = separable(problem)
      for (const start of starts) {
        const result = await separableLeastSquares(basis, y, start)
        const digits = logRelativeError(inOrder(result.names, result.values), problem.certified)
        runs.push({ problem, result, digits })
      }
    }

    test('all separable ones are solved from both starts, to the certified digits', () => {
      expect(runs.length).toBe(48)
      const failed = runs
        .filter(({ digits, result }) => !(digits >= 8 && result.converged))
        .map(({ problem, result }) => [problem.name, result.message])
      expect(failed).toEqual([])
      const mean = runs.reduce((sum, { digits }) => sum + digits, 0) / runs.length
      expect(mean).toBeGreaterThan(10.6)
    })

    test('far fewer steps are taken than with all parameters alike', async () => {
      for (const name of ['Bennett5', 'MGH17', 'Nelson', 'Misra1a']) {
        const { problem, result } = runs.find((run) => run.problem.name === name)!
        const residual = nistResidual(problem)
        const named = Object.fromEntries(problem.starts[0]!.map((x, i) => [`b${i + 1}`, x]))
        const full = await leastSquares((b: Record<string, Tensor>) => residual(Object.values(b)), named)
        expect(result.iterations, name).toBeLessThan(0.5 * full.iterations)
      }
    })

    test('standard errors of parameters and coefficients are the certified ones', () => {
      const digits = runs
        // The residuals of Lanczos1 are rounding of its data.
        .filter(({ problem }) => problem.name !== 'Lanczos1')
        .map(({ problem, result: { names, ...result } }) => {
          const { standardErrors } = uncertainty({ names, ...result })
          return logRelativeError(inOrder(names, standardErrors), problem.standardErrors)
        })
      expect(Math.min(...digits)).toBeGreaterThan(9)
    })
  },
)
