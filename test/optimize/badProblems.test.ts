import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { type LeastSquaresOptions, leastSquares } from '../../src/optimize/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { jacobian } from '../../src/transforms/index.js'
import { type BadProblem, badProblems } from './badProblems.js'

type Bounds = readonly [lower: Float64Array, upper: Float64Array]

/**
 * The largest cosine of the residuals with a column of their Jacobian, in units of the problem before it was scaled; or,
 * where a bound is nearer, the part of the residuals that the way there is worth.
 */
function failure({ residual }: BadProblem, x: Float64Array, bounds?: Bounds): number {
  const r = residual(new Tensor(x)).data as Float64Array
  const j = jacobian(residual)(new Tensor(x)) as Tensor
  const size = Math.hypot(...r)
  const columns = Array.from(x, (_, k) => r.map((_, i) => j.data[i * x.length + k] as number))
  const lengths = columns.map((column) => Math.hypot(...column))
  // Residuals that are nothing but the rounding of their terms have no direction.
  if (lengths.some((length, k) => size < 1e-12 * length * Math.abs(x[k]!))) return 0
  return columns.reduce((most, column, k) => {
    const slope = column.reduce((sum, c, i) => sum + c * r[i]!, 0)
    const room = bounds ? (slope > 0 ? x[k]! - bounds[0][k]! : bounds[1][k]! - x[k]!) : Infinity
    if (slope === 0) return most
    return Math.max(most, Math.min(Math.abs(slope) / lengths[k]!, room * lengths[k]!) / size)
  }, 0)
}

const options: Readonly<Record<string, LeastSquaresOptions>> = {
  'dense Jacobian': { jacobian: 'dense' },
  dogleg: { jacobian: 'dense', method: 'dogleg' },
  'sparse Jacobian': { jacobian: 'sparse' },
  'products alone': { jacobian: 'matrixFree', maxSteps: 200 },
}

describe.each(Object.keys(options))('least squares with %s', (name) => {
  test.each(Object.keys(badProblems))(
    'in units from 1e-12 to 1e12, with %s: a claimed minimum is one, within bounds and without',
    async (kind) => {
      let converged = 0
      for (let seed = 0; seed < 8; seed++) {
        const random = new Random(`${kind} ${seed}`)
        const problem = badProblems[kind]!(random)
        const { start } = problem
        const units = start.map(() => 10 ** (24 * random.uniform() - 12))
        const scale = 10 ** (24 * random.uniform() - 12)
        const scaled = (x: Tensor) => np.multiply(scale, problem.residual(np.divide(x, units)))
        const inUnits = (x: Float64Array) => x.map((value, k) => value * units[k]!)
        const around = [start.map((x) => x - 0.7), start.map((x) => x + 0.7)] as const
        for (const bounds of name === 'dogleg' ? [undefined] : [undefined, around]) {
          const result = await leastSquares(scaled, inUnits(start), {
            ...options[name],
            ...(bounds && { bounds: [inUnits(bounds[0]), inUnits(bounds[1])] }),
          })
          if (!result.converged) continue
          converged++
          const x = result.values.map((value, k) => value / units[k]!)
          expect(
            failure(problem, x, bounds),
            `seed ${seed}, ${bounds ? 'bounded' : 'free'}: ${result.reason}`,
          ).toBeLessThan(1e-5)
        }
      }
      expect(converged).toBeGreaterThan(0)
    },
  )
})
