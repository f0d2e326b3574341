import { areaY, axisX, axisY, dot, gridY, lineY, type Markish, ruleX, ruleY } from '@observablehq/plot'
import type { Figure } from './document.js'
import { lineFigure, type Point } from './lines.js'
import { formatCount, formatNumber } from './number.js'
import { colors, plotSvg } from './plot.js'

/** An observation, and the value of the fitted model there. */
export type Observation = { x: number; y: number; fitted: number; sigma?: number }

/** Data beside what was fitted to it. */
export type FitPlot = {
  xLabel: string
  yLabel: string
  observations: readonly Observation[]
  /** The fitted model by rising x, `half` the half-width of its band; NaN where it is unknown. */
  curve: readonly (Point & { half: number })[]
  level: number
}

type Domain = [low: number, high: number]

const width = 720
const [upper, lower] = [360, 190]
/** More observations than this would only hide each other. */
const mostDots = 2000

/** The data, curve and band, and the residuals below; in text the data and the curve. */
export function fitFigure(plot: FitPlot): Figure {
  const thinned = thin(plot)
  return {
    kind: 'figure',
    svg: () => panels(thinned).join('\n'),
    text: (columns) => textOf(thinned, columns),
    caption: captionOf(plot),
  }
}

/** The same as one SVG document on white. */
export function fitSvg(plot: FitPlot): string {
  const [data, residuals] = panels(thin(plot)) as [string, string]
  const height = upper + lower
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="${width}" height="${height}" fill="white"/>${data}${residuals.replace('<svg', `<svg y="${upper}"`)}</svg>\n`
  )
}

function captionOf({ observations, curve, level }: FitPlot): string {
  const bars = observations.some(({ sigma }) => sigma !== undefined) ? ', bars their standard deviations' : ''
  const shown = observations.length > mostDots ? ` ${formatCount(mostDots)} observations are drawn.` : ''
  const band = curve.some(({ half }) => Number.isFinite(half))
    ? `the band holds the model at each place with a probability of ${formatNumber(100 * level)}%`
    : 'its error is unknown'
  return `The fitted model among the observations${bars}; ${band}. Below, observations less the model.${shown}`
}

function thin(plot: FitPlot): FitPlot {
  const { observations } = plot
  const stride = observations.length / mostDots
  if (stride <= 1) return plot
  return {
    ...plot,
    observations: Array.from({ length: mostDots }, (_, i) => observations[Math.floor(i * stride)]!),
  }
}

function panels({ xLabel, yLabel, observations, curve }: FitPlot): string[] {
  const x = widened([...observations, ...curve].map((point) => point.x))
  const residuals = observations.map((point) => ({ ...point, y: point.y - point.fitted }))
  const [y, r] = [widened(observations.flatMap(ends)), widened([0, ...residuals.flatMap(ends)])]
  return [
    panel({ height: upper, x, y, yLabel }, [
      bandMark(curve, y),
      ...observationMarks(observations),
      curveMark(curve, y),
    ]),
    panel({ height: lower, x, y: r, yLabel: 'residual', xLabel }, [
      ...observationMarks(residuals),
      ruleY([0], { className: 'series-line', stroke: colors.series, strokeWidth: 1.9 }),
    ]),
  ]
}

const ends = ({ y, sigma = 0 }: { y: number; sigma?: number }) => [y - sigma, y + sigma]

/** The interval of some numbers with room on both sides. */
function widened(values: readonly number[]): Domain {
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  const room = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1
  return [low - room, high + room]
}

/** The band within what the data span: a pole must not set the scale. */
function bandMark(curve: FitPlot['curve'], [low, high]: Domain): Markish {
  const within = (value: number) => Math.min(high, Math.max(low, value))
  const band = curve.map(({ x, y, half }) => ({ x, low: within(y - half), high: within(y + half) }))
  const fill = { className: 'series', fill: colors.series, fillOpacity: 0.18 }
  return areaY(band, { x: 'x', y1: 'low', y2: 'high', ...fill })
}

/** The curve, cut where it leaves what the data span. */
function curveMark(curve: FitPlot['curve'], [low, high]: Domain): Markish {
  const inside = curve.map(({ x, y }) => ({ x, y: y >= low && y <= high ? y : Number.NaN }))
  return lineY(inside, {
    x: 'x',
    y: 'y',
    className: 'series-line',
    stroke: colors.series,
    strokeWidth: 1.9,
  })
}

function observationMarks(observations: readonly { x: number; y: number; sigma?: number }[]): Markish[] {
  const barred = observations
    .filter(({ sigma }) => sigma !== undefined)
    .map((point) => ({ x: point.x, low: ends(point)[0], high: ends(point)[1] }))
  const many = observations.length > 300
  const dots = many ? { r: 1.7, fillOpacity: 0.5 } : { r: 3 }
  return [
    ruleX(barred, {
      x: 'x',
      y1: 'low',
      y2: 'high',
      className: 'accent-line',
      stroke: colors.accent,
      ...(many && { strokeOpacity: 0.3 }),
    }),
    dot([...observations], { x: 'x', y: 'y', className: 'accent', fill: colors.accent, ...dots }),
  ]
}

type Frame = { height: number; x: Domain; y: Domain; yLabel: string; xLabel?: string }

function panel({ height, x, y, yLabel, xLabel }: Frame, marks: Markish[]): string {
  const tickFormat = (value: number) => formatNumber(value, 4)
  const ticks = Math.round(height / 55)
  return plotSvg({
    width,
    height,
    marginLeft: 74,
    marginRight: 24,
    marginTop: 30,
    marginBottom: xLabel === undefined ? 24 : 48,
    style: { fontSize: '13px' },
    ariaLabel: `${yLabel} over x`,
    x: { domain: x },
    y: { domain: y },
    marks: [
      gridY({ className: 'muted', stroke: colors.muted, strokeOpacity: 0.22, ticks }),
      axisY({ label: yLabel, labelArrow: 'none', tickSize: 0, ticks, tickFormat }),
      axisX({
        label: xLabel ?? null,
        labelArrow: 'none',
        labelAnchor: 'center',
        tickSize: 4,
        ticks: 8,
        tickFormat: xLabel === undefined ? () => '' : tickFormat,
      }),
      ...marks,
    ],
  })
}

function textOf({ observations, curve, xLabel, yLabel }: FitPlot, columns: number): string {
  const figure = lineFigure({
    series: [
      { label: 'data', points: observations },
      { label: 'model', points: curve },
    ],
    x: { label: xLabel },
    y: { label: yLabel },
    caption: '',
  })
  return figure?.text(columns) ?? ''
}
