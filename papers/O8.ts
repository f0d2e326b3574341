import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { latinHypercube, leastSquares, multiStart, prepareLeastSquares } from 'evolute/optimize'
import type { Tensor } from 'evolute/tensor'
import { deviations, type LightCurve, lightCurve, type Profile, profiles, waveColumns } from './lightCurve.js'
import type { Paper } from './paper.js'

interface Fit {
  readonly name: string
  readonly profile?: Profile
  /** n ln(sum of squares / n) + parameters ln n (Schwarz). */
  readonly criterion: number
  /** The root of the mean square. */
  readonly deviation: number
  readonly parameters: number
  readonly reached?: number
}

function fitOf(name: string, value: number, parameters: number, n: number): Fit {
  const meanSquare = (2 * value) / n
  const criterion = n * Math.log(meanSquare) + parameters * Math.log(n)
  return { name, criterion, deviation: Math.sqrt(meanSquare), parameters }
}

/** The best of several starts, which differ in the eclipses' centre, width and shape. */
async function fitProfile(
  curve: LightCurve,
  profile: Profile,
  count: number,
  signal: AbortSignal,
): Promise<Fit> {
  const sorted = [...curve.magnitude].sort((a, b) => a - b)
  const bright = sorted[sorted.length >> 1]!
  const start = {
    waves: [bright, 0, 0, 0, 0],
    depths: [sorted.at(-1)! - bright, 0.1 * (sorted.at(-1)! - bright)],
    centre: 0,
    logWidth: Math.log(profile.limited ? 0.08 : 0.04),
    logShapes: [...profile.shape, ...profile.shape].map(Math.log),
  }
  const problem = await prepareLeastSquares(deviations(curve, profile), start)
  const middle = problem.parameters.start
  const reach = problem.parameters.names.map((name) =>
    name === 'centre' ? 0.01 : name.startsWith('log') ? 0.4 : 0,
  )
  const starts = latinHypercube(
    count,
    middle.map((x, j) => x - reach[j]!),
    middle.map((x, j) => x + reach[j]!),
    profile.name,
  )
  const solve = (from: Float64Array) => problem.solve({ start: from, signal, maxSteps: 200 })
  const { best, reached } = await multiStart(solve, starts, { signal })
  await problem.dispose()
  return {
    ...fitOf(profile.name, best.value, middle.length, curve.phase.length),
    profile,
    reached: reached / count,
  }
}

/** The trigonometric polynomial of the order that the criterion likes best. */
async function bestWaves(curve: LightCurve, signal: AbortSignal): Promise<Fit> {
  const fits: Fit[] = []
  for (let order = 2; order <= 24; order++) {
    const columns = waveColumns(curve.phase, order)
    const residual = (p: Tensor) => np.subtract(np.matmul(columns, p), curve.magnitude)
    const { value } = await leastSquares(residual, new Float64Array(2 * order + 1), { signal })
    fits.push(fitOf(`trigonometric polynomial of order ${order}`, value, 2 * order + 1, curve.phase.length))
  }
  return fits.reduce((best, fit) => (fit.criterion < best.criterion ? fit : best))
}

export const paper: Paper = {
  id: 'O8',
  title:
    'Comparative analysis of phenomenological approximations of the light curves of eclipsing binary stars with additional parameters',
  authors: 'Andronov, Tkachenko, Chinarova',
  year: 2016,
  source: 'arXiv 1611.03486',
  claim:
    'Of dozens of shapes for eclipses, those that end at a phase and have an additional parameter fit a light curve best, better than ' +
    'ones without end after Gauss’s curve.',
  async run({ full, signal, onStep, log }) {
    const curve = lightCurve(new Random('O8'))
    const fits: Fit[] = []
    for (const [k, profile] of profiles.entries()) {
      await onStep(k / (profiles.length + 1), profile.name)
      fits.push(await fitProfile(curve, profile, full ? 40 : 6, signal))
    }
    await onStep(profiles.length / (profiles.length + 1), 'trigonometric polynomials')
    const waves = await bestWaves(curve, signal)
    const ranked = [...fits].sort((a, b) => a.criterion - b.criterion)
    const first = ranked[0]!
    for (const { name, parameters, deviation, criterion, reached } of [...ranked, waves])
      log(
        `${name.padEnd(36)} ${parameters} parameters, deviation ${(1000 * deviation).toFixed(3)} mmag, criterion +` +
          `${(criterion - first.criterion).toFixed(1)}${reached === undefined ? '' : `, reached from ${reached.toFixed(2)}`}`,
      )
    const [limited, unlimited] = [true, false].map(
      (which) => ranked.find(({ profile }) => profile?.limited === which)!,
    ) as [Fit, Fit]
    const rigid = ranked.find(({ profile }) => profile?.shape.length === 0)!
    const margin = unlimited.criterion - limited.criterion
    const holds = margin > 0 && limited.profile!.shape.length > 0 && waves.criterion > limited.criterion
    return {
      figures: [
        {
          name: 'deviation of the best profile that ends',
          paper: null,
          measured: 1000 * limited.deviation,
          unit: 'mmag',
          note: `${limited.name}, of ${curve.phase.length} magnitudes of ${curve.name}`,
        },
        {
          name: 'deviation of the best without end',
          paper: null,
          measured: 1000 * unlimited.deviation,
          unit: 'mmag',
          note: unlimited.name,
        },
        {
          name: 'by how much its criterion is worse',
          paper: '> 0',
          measured: margin,
          note: 'n ln(sum of squares / n) + parameters ln n; 10 is strong evidence',
        },
        {
          name: 'the same for the best without additional parameter',
          paper: '> 0',
          measured: rigid.criterion - limited.criterion,
          note: rigid.name,
        },
        {
          name: 'the same for a trigonometric polynomial',
          paper: '> 0',
          measured: waves.criterion - limited.criterion,
          note: `${waves.parameters} parameters, where the profile has ${limited.parameters}`,
        },
      ],
      holds,
      verdict: holds
        ? `profiles that end and have an additional parameter come first of ${profiles.length} families on ${curve.name}; the paper’s own star is not shipped, so its table is not compared.`
        : `on ${curve.name} the first of ${profiles.length} families is ${first.name}, against the paper’s finding on its own star, which is not shipped.`,
    }
  },
}
