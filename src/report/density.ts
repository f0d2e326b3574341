import { areaY, axisX, axisY, dot, gridY, lineY, ruleX, ruleY, text } from '@observablehq/plot'
import type { CurvatureReport } from '../curvature/index.js'
import type { Figure } from './document.js'
import { formatNumber, powerOfTen } from './number.js'
import { colors, plotSvg } from './plot.js'

/** `low` to `high` is one standard error to both sides. */
type Point = { x: number; y: number; low: number; high: number }
type Mark = { x: number; y: number; rank: number }
type Shape = { points: Point[]; marks: Mark[]; x: [number, number]; y: [number, number] }

/** One way to draw the spectrum: its axis, its curve, and the places of eigenvalues on it. */
type View = {
  curve: CurvatureReport['density']
  label: string
  place: (eigenvalue: number) => number
  ticks: (domain: [number, number]) => number[] | number
  tickFormat: (value: number) => string
  caption: string
}

/** The density over the size of the eigenvalues, on a logarithmic axis; null where there is nothing to draw. */
export function logDensityFigure(report: CurvatureReport): Figure | null {
  const curve = report.density.logarithmic
  if (!curve) return null
  return figureOf(report, {
    curve,
    label: 'size |λ| of the eigenvalue',
    place: (value) => (value > 0 ? Math.log10(value) : Number.NaN),
    ticks: ([low, high]) => wholeNumbers(low, high, 9),
    tickFormat: (value) => powerOfTen(Math.round(value)),
    caption:
      'Spectral density over the size of the eigenvalues, both axes logarithmic, by stochastic Lanczos quadrature; ' +
      'a peak at the far left stands for all that the Lanczos steps cannot tell from zero.',
  })
}

/** The spectral density with the computed eigenvalues marked; null where there is nothing to draw. */
export function densityFigure(report: CurvatureReport): Figure | null {
  return figureOf(report, {
    curve: report.density,
    label: 'eigenvalue λ',
    place: (value) => value,
    ticks: () => 8,
    tickFormat: (value) => formatNumber(value, 3),
    caption:
      'Spectral density by stochastic Lanczos quadrature, its height on a logarithmic axis; the area under it ' +
      'is one, and every eigenvalue is broadened by the smoothing.',
  })
}

function figureOf(report: CurvatureReport, view: View): Figure | null {
  const shape = densityShape(report, view)
  if (shape === null) return null
  const marked =
    shape.marks.length > 0
      ? ' Marks show the computed eigenvalues, numbered by rank where there is room.'
      : ''
  const error = view.curve.standardError ? ' The band is its standard error over the random starts.' : ''
  return {
    kind: 'figure',
    svg: () => densitySvg(shape, view),
    text: (width) => densityText(shape, view, width),
    caption: view.caption + error + marked,
  }
}

function densityShape({ eigenvalues, parameters }: CurvatureReport, { curve, place }: View): Shape | null {
  const points = curve.grid
    .map((x, i) => ({ x, y: curve.values[i] ?? Number.NaN, error: curve.standardError?.[i] ?? 0 }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
  const peak = points.reduce((most, { y }) => Math.max(most, y), 0)
  if (points.length < 2 || peak <= 0) return null

  // A single eigenvalue peaks near peak / parameters: the axis must reach below that, and need not go much further.
  const lowest = points.reduce((least, { y }) => (y > 0 ? Math.min(least, y) : least), peak)
  const floor = 10 ** Math.floor(Math.log10(Math.max(lowest * 0.999, peak / (30 * Math.max(1, parameters)))))
  const above = (y: number) => Math.max(y, floor)
  const clipped = points.map(({ x, y, error }) => ({
    x,
    y: above(y),
    low: above(y - error),
    high: above(y + error),
  }))

  const marks = eigenvalues
    .map(({ value }) => value)
    .filter(Number.isFinite)
    .sort((a, b) => b - a)
    .map((value, i) => ({ x: place(value), rank: i + 1 }))
    .filter(({ x }) => Number.isFinite(x))
    .map(({ x, rank }) => ({ x, y: interpolate(clipped, x) ?? floor, rank }))
  const xs = [...clipped, ...marks].map(({ x }) => x)
  const [low, high] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))]
  if (low === high) return null
  return { points: clipped, marks, x: [low, high], y: [floor, peak] }
}

/** Whole numbers between, thinned to at most `most`. */
function wholeNumbers(low: number, high: number, most: number): number[] {
  const first = Math.ceil(low)
  const count = Math.floor(high) - first + 1
  const stride = Math.max(1, Math.ceil(count / most))
  return Array.from({ length: Math.max(0, Math.ceil(count / stride)) }, (_, i) => first + i * stride)
}

function interpolate(points: Point[], x: number): number | null {
  const next = points.findIndex((point) => point.x >= x)
  const [a, b] = [points[next - 1], points[next]]
  if (b === undefined) return null
  if (a === undefined) return b.x === x ? b.y : null
  const share = (x - a.x) / (b.x - a.x)
  // On a log axis a straight segment is geometric.
  return a.y ** (1 - share) * b.y ** share
}

function densitySvg({ points, marks, x, y }: Shape, { label, place, ticks, tickFormat }: View): string {
  const [floor, peak] = y
  const [width, height] = [720, 400]
  const top = peak * (peak / floor) ** 0.09
  const labelled = spaced(marks, (16 * (x[1] - x[0])) / (width - 88))
  const position = { x: 'x', y: 'y' } as const
  return plotSvg({
    width,
    height,
    marginLeft: 60,
    marginRight: 28,
    marginTop: 34,
    marginBottom: 54,
    style: { fontSize: '13px' },
    ariaLabel: `Spectral density from ${formatNumber(x[0])} to ${formatNumber(x[1])}`,
    x: { domain: x },
    y: { type: 'log', domain: [floor, top] },
    marks: [
      gridY(decades(floor, peak, 8), { className: 'muted', stroke: colors.muted, strokeOpacity: 0.22 }),
      axisY(decades(floor, peak, 8), {
        label: 'density',
        labelArrow: 'none',
        tickSize: 0,
        tickFormat: (value: number) => powerOfTen(Math.round(Math.log10(value))),
      }),
      axisX({
        label,
        labelArrow: 'none',
        labelAnchor: 'center',
        ticks: ticks(x),
        tickSize: 4,
        tickFormat,
      }),
      areaY(points, {
        x: 'x',
        y1: floor,
        y2: 'y',
        className: 'series',
        fill: colors.series,
        fillOpacity: 0.16,
      }),
      areaY(points, {
        x: 'x',
        y1: 'low',
        y2: ({ high }: Point) => Math.min(high, top),
        className: 'series',
        fill: colors.series,
        fillOpacity: 0.28,
      }),
      lineY(points, { ...position, className: 'series-line', stroke: colors.series, strokeWidth: 1.75 }),
      ruleY([floor], { className: 'muted', stroke: colors.muted }),
      ...(place(0) === 0 && x[0] < 0 && x[1] > 0
        ? [ruleX([0], { className: 'muted', stroke: colors.muted, strokeDasharray: '2,3' })]
        : []),
      ruleX(marks, {
        x: 'x',
        y1: floor,
        y2: 'y',
        className: 'accent-line',
        stroke: colors.accent,
        strokeOpacity: 0.5,
      }),
      dot(marks, { ...position, className: 'accent', fill: colors.accent, r: 3.2 }),
      text(labelled, {
        ...position,
        text: ({ rank }: Mark) => String(rank),
        className: 'accent',
        fill: colors.accent,
        dy: -13,
      }),
    ],
  })
}

/** Whole powers of ten from `low` to `high`, thinned to at most `most`. */
function decades(low: number, high: number, most: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9)
  const count = Math.floor(Math.log10(high) + 1e-9) - first + 1
  const stride = Math.max(1, Math.ceil(count / most))
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => 10 ** (first + i * stride))
}

/** The marks with no neighbour nearer than `distance`, which leave room for a label. */
function spaced(marks: Mark[], distance: number): Mark[] {
  return marks.filter(({ x }, i) => {
    const [above, below] = [marks[i - 1], marks[i + 1]]
    return (
      (above === undefined || above.x - x >= distance) && (below === undefined || x - below.x >= distance)
    )
  })
}

const bars = ' ▁▂▃▄▅▆▇█'
const rows = 7

function densityText({ points, marks, x, y }: Shape, { place, tickFormat }: View, width: number): string {
  const margin = 7
  const columns = Math.max(8, width - margin)
  const column = (value: number) =>
    Math.min(columns - 1, Math.floor(((value - x[0]) / (x[1] - x[0])) * columns))
  const heights = Array.from({ length: columns }, (_, c) => {
    const middle = x[0] + ((c + 0.5) / columns) * (x[1] - x[0])
    return interpolate(points, middle) ?? y[0]
  })
  for (const point of points) heights[column(point.x)] = Math.max(heights[column(point.x)] ?? 0, point.y)
  const levels = heights.map((height) => (8 * rows * Math.log(height / y[0])) / Math.log(y[1] / y[0] || 1))

  const decade = (value: number) => powerOfTen(Math.round(Math.log10(value))).padStart(margin - 2)
  const lines = Array.from({ length: rows }, (_, i) => {
    const base = 8 * (rows - 1 - i)
    const label = i === 0 ? decade(y[1]) : i === rows - 1 ? decade(y[0]) : ' '.repeat(margin - 2)
    const cells = levels.map((level) => bars[Math.max(0, Math.min(8, Math.round(level - base)))])
    return `${label} │${cells.join('')}`
  })
  const rug = Array.from({ length: columns }, () => '─')
  for (const mark of marks) rug[column(mark.x)] = '▲'
  const [low, high] = [tickFormat(x[0]), tickFormat(x[1])]
  const ends = [...(low.padEnd(columns - high.length) + high)]
  if (
    place(0) === 0 &&
    x[0] < 0 &&
    x[1] > 0 &&
    column(0) >= low.length + 1 &&
    column(0) < columns - high.length - 1
  )
    ends[column(0)] = '0'
  return [...lines, `${' '.repeat(margin - 1)}└${rug.join('')}`, `${' '.repeat(margin)}${ends.join('')}`]
    .map((line) => line.trimEnd())
    .join('\n')
}
