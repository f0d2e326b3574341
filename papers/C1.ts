import { type DigitData, digitData, ofClasses } from './digitData.js'
import { pixels } from './digitNetwork.js'
import { trainDigits } from './digitTraining.js'
import type { Figure, Paper } from './paper.js'
import { apart, type HessianSpectrum, hessianSpectrum, near } from './spectralOutliers.js'
import { showNumber } from './table.js'

type Measured = HessianSpectrum & { readonly width: number; readonly classes: number }

/** The spectrum at the weights that a network of one hidden layer learns from the digits below `classes`. */
async function measure(
  data: DigitData,
  width: number,
  classes: number,
  signal: AbortSignal,
  onStep: (share: number) => Promise<void>,
): Promise<Measured> {
  const train = ofClasses(data.train, classes)
  const weights = await trainDigits(train, {
    sizes: [pixels, width, classes],
    steps: 40 * classes,
    seed: `C1/${width}/${classes}`,
    onStep: (fraction) => onStep(fraction / 4),
  })
  return { width, classes, ...(await hessianSpectrum(weights, train, signal)) }
}

/** `9.9 7.1 ... 2.7 | 1.2 0.96 ...`: the outliers, then the largest of the bulk. */
function showTop({ top, outliers }: Measured): string {
  const show = (from: number, to: number) => top.slice(from, to).map(showNumber).join(' ')
  return `${show(0, outliers.count)} | ${show(outliers.count, outliers.count + 4)} ...`
}

const outlierFigure = ({ width, classes, outliers, above, top }: Measured): Figure => ({
  name: `outliers of ${classes} classes, ${width} hidden units`,
  paper: null,
  measured: outliers.count,
  note: `classes - 1 = ${classes - 1}; ${showNumber(above)} by the density; from ${showNumber(top[0]!)} down to ${showNumber(outliers.gap)} times the next`,
})

export const paper: Paper = {
  id: 'C1',
  title: 'Empirical analysis of the Hessian of over-parametrized neural networks',
  authors: 'Sagun, Evci, Guney, Dauphin, Bottou',
  year: 2017,
  source: 'arXiv 1706.04454',
  claim:
    'The spectrum of a network’s Hessian is a bulk at zero and outliers away from it: more parameters merely enlarge the ' +
    'bulk, and other data, as of more classes, only change the outliers.',
  async run(context) {
    const samples = context.full ? 10_000 : 2000
    const data = digitData(samples, 1)
    const [widths, classes] = [context.full ? [16, 32, 64, 128, 256] : [16, 32, 64, 128], [3, 5]]
    const runs = [
      ...widths.map((width) => [width, 10] as const),
      ...classes.map((classes) => [32, classes] as const),
    ]
    const results: Measured[] = []
    for (const [i, [width, classes]] of runs.entries()) {
      const stage = `${width} hidden units, ${classes} classes`
      const onStep = (share: number) => context.onStep((i + share) / runs.length, stage)
      const result = await measure(data, width, classes, context.signal, onStep)
      context.log(`${stage}: ${showTop(result)}`)
      results.push(result)
    }
    const byWidth = results.slice(0, widths.length)
    const [narrow, wide] = [byWidth[0]!, byWidth.at(-1)!]
    const counted = results.every(({ outliers, classes }) => outliers.count === classes - 1)
    const growing = byWidth.every(({ bulk }, i) => i === 0 || bulk > byWidth[i - 1]!.bulk)
    const holds = counted && growing
    return {
      figures: [
        ...results.map(outlierFigure),
        ...byWidth.map(({ width, parameters, bulk }) => ({
          name: `share of the bulk at zero, ${width} hidden units`,
          paper: null,
          measured: bulk,
          note: `of ${parameters} eigenvalues, below ${near} of the largest; ${Math.round((1 - bulk) * parameters)} are not`,
        })),
      ],
      holds,
      verdict: holds
        ? `on ${data.name} (${samples} images) classes - 1 eigenvalues stand apart at every width (the last eigenvalue at least ${apart} times the next ends the outliers), and the bulk’s share grows from ${narrow.bulk.toFixed(3)} to ${wide.bulk.toFixed(3)}.`
        : `on ${data.name} not always do classes - 1 eigenvalues stand apart by ${apart} times, or the bulk’s share does not grow with width.`,
    }
  },
}
