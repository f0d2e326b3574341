import { describe, expect, test } from 'vitest'
import {
  frobeniusNorm,
  hutchinsonDiagonal,
  hutchinsonTrace,
  hutchPlusPlusTrace,
  type LinearOperator,
  lobpcg,
  logDeterminant,
  Random,
  spectralDensity,
  topEigenpairs,
  traceOfFunction,
  xdiag,
  xtrace,
} from '../../src/linalg/index.js'
import { operatorOf, randomSymmetric, withEigenvalues } from './operators/dense.js'

type Options = Record<string, unknown>
// Each estimator takes checkpoints of its own type, which only it makes: here they pass through as they come.
type Estimator = (operator: LinearOperator, options: Options) => Promise<{ readonly products: number }>
const estimator = (f: unknown) => f as Estimator
const range = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i))

const flat = operatorOf(randomSymmetric(30, 1))
const repeated = operatorOf(withEigenvalues([9, 9, 9, 7, 7, ...range(35, Math.sin)], 2))
const positive = operatorOf(withEigenvalues([9, ...range(29, (i) => 1 + i / 10)], 3))

const runs: [string, Estimator, LinearOperator, Options][] = [
  ['hutchinsonTrace', estimator(hutchinsonTrace), flat, { probes: 12, block: 2 }],
  ['hutchinsonTrace to a tolerance', estimator(hutchinsonTrace), positive, { probes: 16, tolerance: 0.01 }],
  ['hutchPlusPlusTrace', estimator(hutchPlusPlusTrace), flat, { probes: 8 }],
  ['xtrace', estimator(xtrace), flat, { probes: 9, block: 2 }],
  ['xtrace to a tolerance', estimator(xtrace), flat, { probes: 16, absoluteTolerance: 1e-6 }],
  ['hutchinsonDiagonal', estimator(hutchinsonDiagonal), flat, { probes: 12 }],
  ['xdiag', estimator(xdiag), flat, { probes: 9 }],
  ['frobeniusNorm', estimator(frobeniusNorm), flat, { probes: 12 }],
  ['spectralDensity', estimator(spectralDensity), flat, { probes: 5, steps: 6, block: 2, gridSize: 50 }],
  ['spectralDensity of an operator that ends early', estimator(spectralDensity), repeated, { probes: 3 }],
  ['logDeterminant', estimator(logDeterminant), positive, { probes: 4, steps: 6 }],
  ['topEigenpairs', estimator(topEigenpairs), flat, { count: 3 }],
  ['topEigenpairs with copies', estimator(topEigenpairs), repeated, { count: 5, tolerance: 1e-10 }],
  ['lobpcg', estimator(lobpcg), repeated, { count: 3 }],
]

/** Runs until the operator has been called `calls` times, and returns the last checkpoint as a file would keep it. */
async function interrupted(run: Estimator, operator: LinearOperator, options: Options, calls: number) {
  const controller = new AbortController()
  let called = 0
  let checkpoint: unknown
  const stopping: LinearOperator = {
    ...operator,
    apply(x) {
      if (++called === calls) controller.abort('stop')
      return operator.apply(x)
    },
  }
  const onCheckpoint = (state: unknown) => {
    checkpoint = state
  }
  const stopped = run(stopping, { ...options, onCheckpoint, signal: controller.signal })
  await expect(stopped).rejects.toBe('stop')
  return structuredClone(checkpoint)
}

describe('a run that was stopped and continued', () => {
  test.each(runs)(
    '%s: gives the digits of an uninterrupted one, wherever it was stopped',
    async (...args) => {
      const [, run, operator, options] = args
      let calls = 0
      const counting: LinearOperator = {
        ...operator,
        apply(x) {
          calls++
          return operator.apply(x)
        },
      }
      const whole = await run(counting, options)
      const random = new Random(7).split('stops')
      for (let i = 0; i < 6; i++) {
        const stop = 1 + Math.floor(random.uniform() * (calls - 1))
        const checkpoint = await interrupted(run, operator, options, stop)
        expect(await run(operator, { ...options, checkpoint })).toEqual(whole)
      }
    },
  )

  test.each(runs)(
    '%s: a checkpoint stays what it was while the run goes on, and is not written to',
    async (...args) => {
      const [, run, operator, options] = args
      const taken: unknown[] = []
      const copies: unknown[] = []
      const onCheckpoint = (state: unknown) => {
        taken.push(state)
        copies.push(structuredClone(state))
      }
      const whole = await run(operator, { ...options, onCheckpoint })
      expect(taken).toEqual(copies)
      const middle = Math.floor(taken.length / 2)
      expect(await run(operator, { ...options, checkpoint: taken[middle] })).toEqual(whole)
      expect(taken).toEqual(copies)
    },
  )

  test('takes up the products it had, and no more than are left', async () => {
    let called = 0
    const counting: LinearOperator = {
      ...flat,
      apply(x) {
        called++
        return flat.apply(x)
      },
    }
    const checkpoint = (await interrupted(estimator(hutchinsonTrace), flat, { probes: 12 }, 8)) as never
    const { products } = await hutchinsonTrace(counting, { probes: 12, checkpoint })
    expect(products).toBe(12)
    expect(called).toBe(12 - 7)
  })

  test('may take more probes, or more steps, than it was first asked for', async () => {
    let checkpoint: unknown
    const onCheckpoint = (state: unknown) => {
      checkpoint = state
    }
    await hutchinsonTrace(flat, { probes: 5, onCheckpoint })
    const more = await hutchinsonTrace(flat, { probes: 9, checkpoint: checkpoint as never })
    expect(more).toEqual(await hutchinsonTrace(flat, { probes: 9 }))
    const short = await topEigenpairs(flat, { count: 2, maxSteps: 5, onCheckpoint })
    expect(short.reason).toBe('step limit')
    const longer = await topEigenpairs(flat, { count: 2, maxSteps: 30, checkpoint: checkpoint as never })
    expect(longer.eigenvalues).toEqual((await topEigenpairs(flat, { count: 2, maxSteps: 30 })).eigenvalues)
  })

  test('is refused with the checkpoint of another run', async () => {
    let checkpoint: unknown
    const onCheckpoint = (state: unknown) => {
      checkpoint = state
    }
    await hutchinsonTrace(flat, { probes: 2, onCheckpoint })
    const taken = checkpoint as never
    await expect(hutchinsonTrace(flat, { seed: 1, checkpoint: taken })).rejects.toThrow(
      'hutchinsonTrace: checkpoint is of a run with seed 0, expected 1; continue with the options',
    )
    await expect(hutchinsonTrace(repeated, { checkpoint: taken })).rejects.toThrow(
      'with rows 30, expected 40',
    )
    await expect(frobeniusNorm(flat, { checkpoint: taken })).rejects.toThrow('with method hutchinsonTrace')
    await expect(hutchinsonTrace(flat, { checkpoint: {} as never })).rejects.toThrow('with method undefined')
    await expect(traceOfFunction(flat, Math.exp, { checkpoint: taken })).rejects.toThrow(
      'expected Lanczos quadrature',
    )
  })
})
