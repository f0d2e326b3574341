import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { leastSquares, prepareLeastSquares } from '../../src/optimize/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { ceresProblems, isSolved, type MghProblem, minpackProblem, minpackRuns, scaledStart } from './mgh.js'

const data = process.env.EVOLUTE_DATA

/** Traces a problem once, to be solved from its start times any factor. */
async function solver(problem: MghProblem) {
  const start = Object.fromEntries(problem.start.map((x, i) => [`x${i}`, x]))
  const prepared = await prepareLeastSquares(
    (x: Record<string, Tensor>) => problem.residual(Object.values(x)),
    start,
  )
  return (factor: number) => prepared.solve({ start: Float64Array.from(scaledStart(problem, factor)) })
}

test.skipIf(!data)('at least as many of MINPACK’s runs are solved as by MINPACK', async () => {
  const runs = minpackRuns(join(data!, 'mgh'))
  expect(runs.length).toBe(53)
  let [ours, theirs] = [0, 0]
  for (const run of runs) {
    if (run.factor !== 1) continue
    const { number, n, m } = run
    const problem = minpackProblem(number, n, m)
    const solve = await solver(problem)
    for (const same of runs.filter((other) => other.number === number && other.n === n && other.m === m)) {
      const { value, history } = await solve(same.factor)
      // The reference's first norm shows that the problem is the same.
      expect(Math.sqrt(2 * history[0]!.value) / same.initialNorm - 1).toBeCloseTo(0, 6)
      if (isSolved(2 * value, problem.minimum)) ours++
      if (isSolved(same.finalNorm ** 2, problem.minimum)) theirs++
    }
  }
  expect(theirs).toBe(45)
  expect(ours).toBeGreaterThanOrEqual(theirs)
})

test('more of Ceres’ 57 runs are solved than the 41 by Ceres', async () => {
  let solved = 0
  for (const problem of ceresProblems) {
    const solve = await solver(problem)
    for (const factor of [1, 10, 100]) {
      // Jennrich and Sampson's residuals overflow at 100 times the start.
      const result = await solve(factor).catch((error: Error) => error)
      if (result instanceof Error) expect(result.message).toMatch(/^start .*Infinity/)
      else if (isSolved(2 * result.value, problem.minimum)) solved++
    }
  }
  expect(solved).toBeGreaterThan(41)
})

/** Gay's bounds (1984) for problems of the collection, and sums of squares at their global minima. */
describe('with bounds', () => {
  const named = (name: string) => ceresProblems.find((problem) => problem.name === name)!
  test.each([
    ['Powell badly scaled', [0, 1], [0, 1], [1, 9], 0.151259e-9],
    ['Brown badly scaled', [1, 1], [0, 0.00003], [1e6, 100], 784],
    ['Beale', [1, 1], [0.6, 0.5], [10, 100], 0],
    ['helical valley', [-1, 0, 0], [-100, -1, -1], [0.8, 1, 1], 0.99042212],
    ['Gaussian', [0.4, 1, 0], [0.398, 1, -0.5], [4.2, 2, 0.1], 0.112793e-7],
  ])('%s reaches the published minimum', async (name, start, lower, upper, minimum) => {
    const { residual } = named(name)
    const result = await leastSquares((x: Tensor) => residual(start.map((_, i) => np.take(x, i))), start, {
      bounds: [lower, upper],
    })
    expect(result.converged, result.message).toBe(true)
    expect(2 * result.value).toBeLessThan(minimum * (1 + 1e-5) + 1e-12)
    result.values.forEach((x, i) => {
      expect(x).toBeGreaterThanOrEqual(lower[i]!)
      expect(x).toBeLessThanOrEqual(upper[i]!)
    })
  })
})
