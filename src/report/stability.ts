import type { CurvatureReport } from '../curvature/index.js'
import type { Block, Section } from './document.js'
import { lineFigure } from './lines.js'
import { formatCount, formatNumber, formatWithError } from './number.js'
import { pairs } from './tables.js'

/** The largest stable learning rate by batch size, and the noise of the gradient; null where neither was measured. */
export function stabilitySection({ learningRate, noise }: CurvatureReport): Section | null {
  if (!learningRate && !noise) return null
  return {
    title: 'Learning rate and batch size',
    blocks: [...(learningRate ? lawBlocks(learningRate) : []), ...(noise ? noiseBlocks(noise) : [])],
  }
}

function lawBlocks({
  points,
  saturation,
  limit,
  noise,
}: NonNullable<CurvatureReport['learningRate']>): Block[] {
  const figure = lineFigure({
    series: [
      {
        label: 'largest stable learning rate',
        points: points.map(({ batch, learningRate }) => ({ x: batch, y: learningRate.estimate })),
        band: points.map(({ learningRate }) => learningRate.standardError),
      },
      {
        label: 'limit of large batches',
        points: points.map(({ batch }) => ({ x: batch, y: limit })),
        dashed: true,
      },
    ],
    x: { label: 'batch size', log: true, tickFormat: formatCount },
    y: { label: 'learning rate', log: true },
    caption:
      'The largest learning rate at which steps along the gradient of a batch are stable in the sharpest direction, by ' +
      'the law of a Hessian with noise; the band is its standard error.',
  })
  return [
    {
      kind: 'text',
      text:
        `Batches disagree about the curvature along the sharpest direction: one sample’s scatters with a variance of ${formatWithError(noise.estimate, noise.standardError)}. ` +
        `So small batches bear smaller steps. Up to batches of about ${formatCount(Math.max(1, saturation))} the largest stable learning rate ` +
        `grows with the batch; beyond, it nears ${formatNumber(limit, 3)} and larger batches gain little.`,
    },
    ...(figure ? [figure] : []),
    {
      kind: 'table',
      columns: [
        { label: 'batch', align: 'right' },
        { label: 'sharpness of a batch', align: 'right' },
        { label: 'learning rate at most', align: 'right' },
        { label: 'for Adam, relative', align: 'right' },
      ],
      rows: points.map(({ batch, sharpness, learningRate, adaptive }) => [
        formatCount(batch),
        formatWithError(sharpness.estimate, sharpness.standardError),
        formatWithError(learningRate.estimate, learningRate.standardError),
        adaptive === null ? '–' : formatNumber(adaptive, 3),
      ]),
      caption:
        'Adam’s preconditioner flattens the sharp directions and leaves the noise: its learning rate grows as the square root of the batch, here over that of the first.',
    },
  ]
}

function noiseBlocks(noise: NonNullable<CurvatureReport['noise']>): Block[] {
  const { covariance, simple, critical, gradient, learningRate } = noise
  const worth = critical ?? simple
  return [
    {
      kind: 'text',
      text:
        `Gradients of single samples scatter about the mean gradient: a batch of ${formatWithError(simple.estimate, simple.standardError)} ` +
        'has as much noise as gradient. ' +
        (critical
          ? `Weighed by the curvature that batch is ${formatWithError(worth.estimate, worth.standardError)}: a step with as many samples gains half of what the whole gradient would, and far larger batches are wasted.`
          : 'The loss does not curve upwards along the gradient, so the curvature gives no critical batch here.'),
    },
    pairs([
      ['squared gradient |g|²', formatNumber(gradient)],
      ['variance tr Σ of single gradients', formatWithError(covariance.estimate, covariance.standardError)],
      ['noise scale tr Σ / |g|²', formatWithError(simple.estimate, simple.standardError)],
      [
        'critical batch tr HΣ / gᵀHg',
        critical ? formatWithError(critical.estimate, critical.standardError) : 'none',
      ],
      ['best learning rate along g', learningRate === null ? 'none' : formatNumber(learningRate)],
    ]),
  ]
}
