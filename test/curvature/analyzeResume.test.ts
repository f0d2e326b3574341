import { beforeAll, describe, expect, test } from 'vitest'
import { analyze, type Measured, type Problem, type StagesCheckpoint } from '../../src/curvature/index.js'
import { tinyProblem } from '../helpers/tinyNetwork.js'

const seed = 3
const { problem } = tinyProblem(seed)

/** Everything but how long it took. */
function digits(report: Measured) {
  const { cost, ...rest } = report
  return {
    ...rest,
    products: cost.products,
    stages: cost.stages!.map(({ stage, products }) => [stage, products]),
  }
}

describe('a stopped analysis', () => {
  const options = {
    seed: 6,
    top: 4,
    bottom: 2,
    steps: 15,
    probes: 6,
    layers: true,
    stability: true,
    landscape: { points: 5, planePoints: 3 },
  }
  const states: StagesCheckpoint[] = []
  let whole: Measured

  beforeAll(async () => {
    whole = await analyze(problem, {
      ...options,
      onCheckpoint: (state) => states.push(structuredClone(state)),
    })
  })

  test('goes on from any checkpoint to the digits of an uninterrupted one', async () => {
    expect(states.length).toBeGreaterThan(60)
    for (let i = 3; i < states.length; i += Math.floor(states.length / 6)) {
      const continued = await analyze(problem, { ...options, checkpoint: states[i]! })
      expect(digits(continued)).toEqual(digits(whole))
    }
  })

  test('takes no product of a finished stage again, and may be given further stages', async () => {
    let steps = 0
    const more = await analyze(problem, {
      ...options,
      activations: true,
      checkpoint: states.at(-1)!,
      onStep: ({ stage }) => {
        if (stage !== 'linearising' && stage !== 'curvature in outputs') steps++
      },
    })
    expect(steps).toBe(0)
    expect(more.activations).toHaveLength(2)
    expect(more.trace).toEqual(whole.trace)
  })

  test('is not continued with other data, parameters or options', async () => {
    const checkpoint = states[20]!
    const other = tinyProblem(seed + 1)
    const refused = (changed: Partial<Problem>, more: object = {}) =>
      analyze({ ...problem, ...changed }, { ...options, ...more, checkpoint })
    await expect(refused({ inputs: other.x })).rejects.toThrow(
      /is of a run with inputs .*begin anew without it/,
    )
    await expect(refused({ targets: other.y })).rejects.toThrow(/with targets/)
    await expect(refused({ parameters: other.parameters })).rejects.toThrow(/with parameters/)
    await expect(refused({}, { seed: 7 })).rejects.toThrow(/with seed 6, this one has 7/)
    await expect(refused({}, { curvature: 'ggn' })).rejects.toThrow(/with curvature hessian/)
    const late = states.at(-1)!
    const changed = analyze(problem, { ...options, probes: 7, checkpoint: late })
    await expect(changed).rejects.toThrow(/analyze: trace: .*probes 6, this one has 7/)
  })
})
