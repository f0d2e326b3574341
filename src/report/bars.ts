import { axisX, axisY, barX, ruleX, ruleY } from '@observablehq/plot'
import type { Figure } from './document.js'
import { formatNumber } from './number.js'
import { colors, plotSvg } from './plot.js'

/** A value and its error; NaN where it is unknown. */
export type Bar = { label: string; value: number; error: number }

/** Horizontal bars with error bars; null where there is nothing to draw. */
export function barFigure(bars: readonly Bar[], xLabel: string, caption: string): Figure | null {
  const known = bars.filter(({ value }) => Number.isFinite(value))
  if (known.length === 0 || known.every(({ value }) => value === 0)) return null
  return { kind: 'figure', svg: () => svgOf(known, xLabel), text: (width) => textOf(known, width), caption }
}

function svgOf(bars: readonly Bar[], xLabel: string): string {
  const ends = bars.map(({ label, value, error }) => {
    const reach = Number.isFinite(error) ? error : 0
    return { label, value, low: value - reach, high: value + reach }
  })
  const longest = Math.max(...bars.map(({ label }) => label.length))
  return plotSvg({
    width: 720,
    height: 64 + 24 * bars.length,
    marginLeft: Math.min(240, 24 + 7.4 * longest),
    marginRight: 28,
    marginTop: 8,
    marginBottom: 48,
    style: { fontSize: '13px' },
    ariaLabel: xLabel,
    x: {
      domain: [Math.min(0, ...ends.map(({ low }) => low)), Math.max(0, ...ends.map(({ high }) => high))],
      nice: true,
    },
    y: { domain: bars.map(({ label }) => label), padding: 0.3 },
    marks: [
      axisY({ label: null, tickSize: 0 }),
      axisX({
        label: xLabel,
        labelArrow: 'none',
        labelAnchor: 'center',
        ticks: 6,
        tickSize: 4,
        tickFormat: (value: number) => formatNumber(value, 3),
      }),
      barX(ends, { x: 'value', y: 'label', className: 'series', fill: colors.series, fillOpacity: 0.75 }),
      ruleY(ends, {
        x1: 'low',
        x2: 'high',
        y: 'label',
        className: 'accent-line',
        stroke: colors.accent,
        strokeWidth: 2,
      }),
      ruleX([0], { className: 'muted', stroke: colors.muted }),
    ],
  })
}

function textOf(bars: readonly Bar[], width: number): string {
  const label = Math.min(Math.floor(width / 3), Math.max(...bars.map((bar) => bar.label.length)))
  const numbers = bars.map(({ value }) => formatNumber(value, 3))
  const number = Math.max(...numbers.map((text) => text.length))
  const cells = Math.max(4, width - label - number - 4)
  const largest = Math.max(...bars.map(({ value }) => Math.abs(value)))
  return bars
    .map((bar, i) => {
      const name = bar.label.length > label ? `${bar.label.slice(0, label - 1)}…` : bar.label
      const filled = Math.round((cells * Math.abs(bar.value)) / largest)
      return `${name.padEnd(label)}  ${numbers[i]!.padStart(number)}  ${(bar.value < 0 ? '▒' : '█').repeat(filled)}`.trimEnd()
    })
    .join('\n')
}
