import { describe, expect, test } from 'vitest'
import { loadPaper } from '../../papers/library.js'
import { deviations, type LightCurve, profiles, waveColumns } from '../../papers/lightCurve.js'
import { cumulativeFrequency, fitSCurves, Superposition } from '../../papers/sCurve.js'
import { huberFit, resampled, type ScalingLaw, startingGrid } from '../../papers/scalingLaw.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'

const { signal } = new AbortController()

describe('the scaling law', () => {
  const law: ScalingLaw<number> = { a: 6, b: 7.5, e: 0.6, alpha: 0.35, beta: 0.37 }
  const random = new Random('law')
  const runs = Array.from({ length: 30 }, () => {
    const [parameters, tokens] = [10 ** (7 + 3 * random.uniform()), 10 ** (9 + 2 * random.uniform())]
    const loss =
      Math.exp(law.e) + Math.exp(law.a) / parameters ** law.alpha + Math.exp(law.b) / tokens ** law.beta
    return { parameters, tokens, loss: loss * Math.exp(0.003 * random.normal()) }
  })

  test('is fitted by the sum of Huber’s losses, each as often as it was drawn', async () => {
    const times = resampled(random, runs.length)
    expect(times.reduce((sum, x) => sum + x)).toBe(runs.length)
    expect(times.some((x) => x === 0)).toBe(true)
    const problem = await huberFit(runs, law, times)
    const { history } = await problem.solve({ maxSteps: 1 })
    const expected = runs.reduce((sum, { parameters, tokens, loss }, i) => {
      const model =
        Math.exp(law.e) + Math.exp(law.a) / parameters ** law.alpha + Math.exp(law.b) / tokens ** law.beta
      const away = Math.abs(Math.log(model) - Math.log(loss))
      return sum + times[i]! * (away <= 1e-3 ? away ** 2 / 2 : 1e-3 * (away - 5e-4))
    }, 0)
    expect(history[0]!.value).toBeCloseTo(expected, 15)
  })

  test('is found again from far away where the losses are exact', async () => {
    const exact = runs.map((run) => ({
      ...run,
      loss:
        Math.exp(law.e) +
        Math.exp(law.a) / run.parameters ** law.alpha +
        Math.exp(law.b) / run.tokens ** law.beta,
    }))
    const problem = await huberFit(exact, { a: 5, b: 5, e: 0, alpha: 0.5, beta: 0.5 })
    const { values } = await problem.solve()
    Object.values(law).forEach((x, j) => {
      expect(values[j]! / x).toBeCloseTo(1, 4)
    })
  })

  test('has 4500 starts, all different', () => {
    const grid = startingGrid().map((start) => start.join())
    expect(grid.length).toBe(4500)
    expect(new Set(grid).size).toBe(4500)
    expect(grid[0]).toBe('0,0,-1,0,0')
    expect(grid.at(-1)).toBe('25,25,1,2,2')
  })
})

describe('profiles of eclipses', () => {
  const phase = Float64Array.from({ length: 24 }, (_, i) => (i + 0.3) / 24 - 0.5)
  const curve: LightCurve = { name: 'none', phase, magnitude: new Float64Array(24) }

  test.each(profiles.map((profile) => [profile.name, profile] as const))(
    '%s is 1 in the middle and 0 far away, and falls between',
    (_, profile) => {
      const shape = profile.shape.map((x) => np.asarray(x) as Tensor)
      const at = (z: number) => profile.at(np.asarray(z) as Tensor, shape).item()
      expect(at(1e-4)).toBeGreaterThan(0.99)
      expect(at(profile.limited ? 1 : 30)).toBeLessThan(1e-4)
      const values = [0.1, 0.3, 0.5, 0.7, 0.9].map(at)
      expect(values).toEqual([...values].sort((a, b) => b - a))
    },
  )

  test.each(profiles.map((profile) => [profile.name, profile] as const))(
    'the model with %s is that of its formula, and its derivatives those of differences',
    (_, profile) => {
      const logShapes = [...profile.shape, ...profile.shape].map((x, i) => Math.log(x) + 0.1 * i)
      const [waves, depths, centre, logWidth] = [
        [0.1, 0.02, -0.01, 0.03, 0],
        [0.4, 0.1],
        0.004,
        Math.log(0.13),
      ]
      const parameters = { waves, depths, centre, logWidth, logShapes }
      const each = profile.shape.length
      const eclipse = (distance: number, k: number) => {
        const z = Math.max(Math.abs(distance - centre) / 0.13, 1e-4)
        if (profile.limited && z >= 1) return 0
        const shape = logShapes.slice(k * each, (k + 1) * each).map((x) => np.asarray(Math.exp(x)) as Tensor)
        return depths[k]! * profile.at(np.asarray(z) as Tensor, shape).item()
      }
      const model = deviations(curve, profile) as (p: unknown) => Tensor
      phase.forEach((p, i) => {
        const angle = 2 * Math.PI * p
        const wave = 0.1 + 0.02 * Math.cos(angle) - 0.01 * Math.sin(angle) + 0.03 * Math.cos(2 * angle)
        const expected = wave + eclipse(p, 0) + eclipse(p < 0 ? p + 0.5 : p - 0.5, 1)
        const tensors = Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, np.asarray(v)]))
        expect(model(tensors).data[i]).toBeCloseTo(expected, 12)
      })
    },
  )

  test('waves are orthogonal over a turn', () => {
    const even = Float64Array.from({ length: 16 }, (_, i) => i / 16 - 0.5)
    const columns = waveColumns(even, 3)
    const gram = np.matmul(np.transpose(columns), columns)
    gram.data.forEach((x, i) => {
      const [row, column] = [Math.floor(i / 7), i % 7]
      expect(x).toBeCloseTo(row === column ? (row === 0 ? 16 : 8) : 0, 12)
    })
  })
})

describe('S-curves', () => {
  const truth = new Superposition([
    { logA: 4, logM: 0, centre: 0.5 },
    { logA: 5, logM: 0.5, centre: 2 },
  ])

  test('have the slope of their sum for density', () => {
    for (const x of [0.3, 0.6, 1, 1.7, 2.1]) {
      const slope = (truth.cumulative(x + 1e-5) - truth.cumulative(x - 1e-5)) / 2e-5
      expect(truth.cumulative(x)).toBeGreaterThan(0)
      expect(truth.cumulative(x)).toBeLessThan(1)
      expect(truth.density(x)).toBeCloseTo(slope, 6)
    }
    expect(truth.density(1e6)).toBe(0)
  })

  test('count equal values by half', () => {
    expect(cumulativeFrequency([2, 1, 2, 5])).toEqual({ x: [1, 2, 5], below: [0.125, 0.5, 0.875] })
  })

  test('of two groups are told apart by a sum of two', async () => {
    const random = new Random('groups')
    const values = Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 8) + random.normal())
    const [one, two] = [
      await fitSCurves(values, 1, { starts: 8, signal }),
      await fitSCurves(values, 2, { starts: 8, signal }),
    ]
    expect(two.deviation).toBeLessThan(one.deviation / 2)
    const again = await fitSCurves(values, 2, { starts: 8, signal })
    expect(again.deviation).toBe(two.deviation)
  })

  test('describe flowers as the paper claims', { timeout: 30_000 }, async () => {
    const { paper } = { paper: await loadPaper('O10') }
    const outcome = await paper.run({
      signal,
      full: false,
      onStep: async () => undefined,
      log: () => undefined,
    })
    expect(outcome.holds).toBe(true)
  })
})
