import { areaY, axisX, axisY, gridY, lineY, ruleX, text } from '@observablehq/plot'
import type { Figure } from './document.js'
import { formatNumber } from './number.js'
import { colors, plotSvg } from './plot.js'

export type Point = { x: number; y: number }

/** A curve; `band` is the half-width of its error at each point. */
export type Series = {
  label: string
  points: readonly Point[]
  /** The second of two curves takes the accent colour, a third is grey. */
  color?: 'series' | 'accent' | 'muted'
  dashed?: boolean
  band?: readonly number[]
}

/** `domain` fits the data where it is absent. */
export type Axis = {
  label: string
  log?: boolean
  domain?: readonly [number, number]
  ticks?: readonly number[]
  tickFormat?: (value: number) => string
}

export type LinePlot = {
  series: readonly Series[]
  x: Axis
  y: Axis
  rules?: readonly number[]
  caption: string
}

/** Curves over one axis, each named where it ends; null where there is nothing to draw. */
export function lineFigure({ series, x, y, rules = [], caption }: LinePlot): Figure | null {
  const visible = series
    .map((one) => ({ ...one, points: one.points.filter((point) => drawable(point, x, y)) }))
    .filter(({ points }) => points.length > 1)
  if (visible.length === 0) return null
  const all = visible.flatMap(({ points }) => [...points])
  const xs = x.domain ?? extent(all.map((point) => point.x))
  const ys = y.domain ?? extent(all.map((point) => point.y))
  if (xs[0] === xs[1]) return null
  const axes = { x: { ...x, domain: xs }, y: { ...y, domain: widened(ys, y.log) } }
  return {
    kind: 'figure',
    svg: () => svgOf({ series: visible, ...axes, rules, caption }),
    text: (width) => textOf(visible, axes.x, axes.y, width),
    caption,
  }
}

function drawable(point: Point, x: Axis, y: Axis): boolean {
  const fits = (value: number, { log, domain }: Axis) =>
    Number.isFinite(value) && (!log || value > 0) && (!domain || (value >= domain[0] && value <= domain[1]))
  return fits(point.x, x) && fits(point.y, y)
}

function extent(values: readonly number[]): [number, number] {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
}

/** Room above and below; a constant gets some of its own. */
function widened([low, high]: readonly [number, number], log = false): [number, number] {
  if (log) return low === high ? [low / 2, high * 2] : [low, high * (high / low) ** 0.05]
  const room = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1
  return [low - room, high + room]
}

type FixedAxis = Axis & { domain: readonly [number, number] }

function svgOf({
  series,
  x,
  y,
  rules,
}: Required<Omit<LinePlot, 'x' | 'y'>> & { x: FixedAxis; y: FixedAxis }): string {
  const scale = ({ log, domain }: FixedAxis) => ({
    domain: [...domain],
    ...(log && { type: 'log' as const }),
  })
  const ticks = ({ ticks, log, tickFormat }: Axis, count: number) => ({
    ...(ticks ? { ticks: [...ticks] } : { ticks: log ? 5 : count }),
    tickFormat: tickFormat ?? ((value: number) => formatNumber(value, 3)),
  })
  return plotSvg({
    width: 720,
    height: 340,
    marginLeft: 64,
    marginRight: 24,
    marginTop: 40,
    marginBottom: 50,
    style: { fontSize: '13px' },
    ariaLabel: `${y.label} over ${x.label}`,
    x: scale(x),
    y: scale(y),
    marks: [
      gridY({ className: 'muted', stroke: colors.muted, strokeOpacity: 0.22, ...ticks(y, 6) }),
      axisY({ label: y.label, labelArrow: 'none', tickSize: 0, ...ticks(y, 6) }),
      axisX({ label: x.label, labelArrow: 'none', labelAnchor: 'center', tickSize: 4, ...ticks(x, 8) }),
      ...rules.map((at) => ruleX([at], { className: 'muted', stroke: colors.muted, strokeDasharray: '2,3' })),
      ...series.flatMap((one, i) => marksOf(one, y, i)),
      ...(series.length > 1 ? legendOf(series, x, y) : []),
    ],
  })
}

const colorOf = ({ color }: Series, i: number) => color ?? (['series', 'accent', 'muted'] as const)[i % 3]!

function marksOf(one: Series, { domain }: FixedAxis, i: number) {
  const color = colorOf(one, i)
  const within = (value: number) => Math.min(domain[1], Math.max(domain[0], value))
  const band = one.band
    ? [
        areaY(
          one.points.map((point, k) => ({
            ...point,
            low: within(point.y - one.band![k]!),
            high: within(point.y + one.band![k]!),
          })),
          { x: 'x', y1: 'low', y2: 'high', className: color, fill: colors[color], fillOpacity: 0.16 },
        ),
      ]
    : []
  return [
    ...band,
    lineY([...one.points], {
      x: 'x',
      y: 'y',
      className: `${color}-line`,
      stroke: colors[color],
      strokeWidth: 1.9,
      ...(one.dashed && { strokeDasharray: '5,4' }),
    }),
  ]
}

/** The names of the curves in one row above the frame, in their colours. */
function legendOf(series: readonly Series[], x: FixedAxis, y: FixedAxis) {
  let from = 0
  const names = series.map((one, i) => {
    const at = from
    from += 7.2 * one.label.length + 34
    return { one, color: colorOf(one, i), dx: at }
  })
  return names.map(({ one, color, dx }) =>
    text([{ x: x.domain[0], y: y.domain[1] }], {
      x: 'x',
      y: 'y',
      text: () => `${one.dashed ? '╌╌' : '──'} ${one.label}`,
      className: color,
      fill: colors[color],
      textAnchor: 'start',
      dx: dx + 4,
      dy: -16,
    }),
  )
}

const rows = 9
const symbols = '●○·'

function textOf(series: readonly Series[], x: FixedAxis, y: FixedAxis, width: number): string {
  const margin = 11
  const columns = Math.max(8, width - margin)
  const place = (value: number, { domain, log }: FixedAxis, cells: number) => {
    const f = log ? Math.log : (v: number) => v
    const part = (f(value) - f(domain[0])) / (f(domain[1]) - f(domain[0]))
    return Math.min(cells - 1, Math.max(0, Math.floor(part * cells)))
  }
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ' '))
  for (const [i, { points }] of [...series.entries()].reverse())
    for (const point of points)
      cells[rows - 1 - place(point.y, y, rows)]![place(point.x, x, columns)] = symbols[i % 3]!
  const show = (axis: FixedAxis, value: number) => (axis.tickFormat ?? ((v) => formatNumber(v, 3)))(value)
  const side = (i: number) =>
    (i === 0 ? show(y, y.domain[1]) : i === rows - 1 ? show(y, y.domain[0]) : '').padStart(margin - 2)
  const lines = cells.map((row, i) => `${side(i)} │${row.join('')}`.trimEnd())
  const [low, high] = x.domain.map((end) => show(x, end)) as [string, string]
  const names = series.map(({ label }, i) => `${symbols[i % 3]} ${label}`).join('   ')
  return [
    ...lines,
    `${' '.repeat(margin - 1)}└${'─'.repeat(columns)}`,
    `${' '.repeat(margin)}${low.padEnd(columns - high.length)}${high}`.trimEnd(),
    ...(series.length > 1 ? [`${' '.repeat(margin)}${names}`.slice(0, width)] : []),
  ].join('\n')
}
