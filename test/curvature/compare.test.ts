import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Comparison,
  compare,
  losses,
  type Problem,
  type StagesCheckpoint,
} from '../../src/curvature/index.js'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { ravel } from '../../src/transforms/index.js'
import { handGradient, type TinyNetwork, tinyLogits, tinyProblem } from '../helpers/tinyNetwork.js'

const { parameters, x, y } = tinyProblem(3)
const other = tinyProblem(8).parameters
const problem = (network: TinyNetwork, apply: Problem['apply'] = tinyLogits): Problem => ({
  parameters: network,
  apply,
  loss: losses['cross-entropy']!,
  inputs: x,
  targets: y,
})
const flat = (network: TinyNetwork) => ravel<TinyNetwork>(network)[0].data as Float64Array
const options = { top: 3, bottom: 0, steps: 20, probes: 20, linePoints: 6, seed: 1 }

describe('compare', () => {
  const states: StagesCheckpoint[] = []
  let found: Comparison

  beforeAll(async () => {
    const onCheckpoint = (state: StagesCheckpoint) => states.push(structuredClone(state))
    found = await compare(problem(parameters), problem(other), { ...options, onCheckpoint })
  })

  test('has the differences of the hand-written losses and hits, with errors over the samples', () => {
    const [a, b] = [handGradient(flat(parameters), x, y), handGradient(flat(other), x, y)]
    expect(found.loss.difference).toBeCloseTo(b.loss - a.loss, 12)
    expect(found.accuracy!.difference).toBeCloseTo((b.right - a.right) / 90, 12)
    expect(found.loss.error).toBeGreaterThan(0)
    expect(found.loss.differs).toBe(Math.abs(b.loss - a.loss) > 1.96 * found.loss.error)
    expect(found.first.loss).toBeCloseTo(a.loss, 12)
  })

  test('says of eigenvalues and traces whether they differ beyond their errors', () => {
    found.eigenvalues.forEach(({ difference, error, differs }, i) => {
      const [a, b] = [found.first.eigenvalues[i]!, found.second.eigenvalues[i]!]
      expect(difference).toBe(b.value - a.value)
      expect(error).toBe(a.residual + b.residual)
      expect(differs).toBe(true)
    })
    const { first, second, trace } = found
    expect(trace.error).toBe(Math.hypot(first.trace.standardError, second.trace.standardError))
    expect(found.layers.map(({ name }) => name)).toEqual(['w1', 'b1', 'w2', 'b2'])
  })

  test('has the hand-written loss on the straight line, and its barrier', () => {
    const line = found.line
    if (typeof line === 'string') throw new Error(line)
    const [a, b] = [flat(parameters), flat(other)]
    const exact = line.t.map(
      (t) =>
        handGradient(
          a.map((value, i) => (1 - t) * value + t * b[i]!),
          x,
          y,
        ).loss,
    )
    expect(line.loss).toEqual(exact.map((value) => expect.closeTo(value, 10)))
    expect(line.distance).toBeCloseTo(Math.hypot(...a.map((value, i) => value - b[i]!)), 10)
    const above = exact.map((value, i) => value - exact[0]! - line.t[i]! * (exact.at(-1)! - exact[0]!))
    expect(line.barrier).toBeCloseTo(Math.max(...above), 10)
  })

  test('finds no difference, and no barrier, between a model and itself', async () => {
    const same = await compare(problem(parameters), problem(parameters), options)
    for (const difference of [same.loss, same.accuracy!, same.trace, ...same.eigenvalues, ...same.layers])
      expect(difference).toMatchObject({ difference: 0, differs: false })
    expect(same.line).toMatchObject({ distance: 0 })
    expect((same.line as { barrier: number }).barrier).toBeCloseTo(0, 10)
  })

  test('says why there is no line: other parameters, or another function of them', async () => {
    const { w1, b1, w2, b2 } = parameters
    const renamed = { v1: w1, b1, w2, b2 }
    const moved = (p: typeof renamed, inputs: Tensor) => tinyLogits({ ...p, w1: p.v1 }, inputs)
    const quick = { ...options, steps: 4, top: 1, probes: 2 }
    const names = await compare(
      problem(parameters),
      { ...problem(parameters), parameters: renamed, apply: moved },
      quick,
    )
    expect(names.line).toBe(
      'There is no line between the models: parameter 1 is w1 [6,7] in one and v1 [6,7] in the other.',
    )
    expect(names.layers.map(({ name }) => name)).toEqual(['b1', 'w2', 'b2'])
    const doubled: Problem['apply'] = (p, inputs) => np.multiply(tinyLogits(p, inputs), 2)
    const { line } = await compare(problem(parameters), problem(other, doubled), quick)
    expect(line).toMatch(/so they are different functions of them/)
  })

  test('stopped at any moment goes on to the same digits', async () => {
    const without = ({ first, second, ...rest }: Comparison) => ({
      ...rest,
      first: { ...first, cost: first.cost.products },
      second: { ...second, cost: second.cost.products },
    })
    for (const i of [4, states.length >> 1, states.length - 3]) {
      const again = await compare(problem(parameters), problem(other), { ...options, checkpoint: states[i]! })
      expect(without(again)).toEqual(without(found))
    }
    await expect(
      compare(problem(parameters), problem(parameters), { ...options, checkpoint: states[4]! }),
    ).rejects.toThrow(/compare: the checkpoint is of a run with second/)
  })

  test('refuses two data sets, two losses and a line of one point', async () => {
    const fewer = { ...problem(other), inputs: tinyProblem(1).x, targets: y }
    const short = { ...fewer, inputs: np.take(x, Int32Array.of(1, 2, 3), { axis: 0 }) }
    await expect(compare(problem(parameters), short, options)).rejects.toThrow(/given 90 and 3 samples/)
    const nll = { ...problem(other), loss: losses.nll! }
    await expect(compare(problem(parameters), nll, options)).rejects.toThrow(
      /losses are cross-entropy and nll/,
    )
    await expect(compare(problem(parameters), problem(other), { linePoints: 1 })).rejects.toThrow(
      /linePoints is 1/,
    )
  })
})
