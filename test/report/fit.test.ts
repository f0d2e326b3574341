import { DOMParser } from 'linkedom'
import { describe, expect, test } from 'vitest'
import { type FitReport, fitDocument } from '../../src/report/fit.js'
import { type FitPlot, fitFigure, fitSvg } from '../../src/report/fitFigure.js'
import { documentText, htmlPage } from '../../src/report/index.js'
import { assertWellFormed } from './wellFormed.js'

const x = Array.from({ length: 12 }, (_, i) => i)
const plot: FitPlot = {
  xLabel: 'time <s>',
  yLabel: 'height & more',
  observations: x.map((at) => ({ x: at, y: at * at + (at % 2), fitted: at * at, sigma: 2 })),
  curve: x.map((at) => ({ x: at, y: at * at, half: 1 + at / 4 })),
  level: 0.95,
}

const report: FitReport = {
  expression: 'a*x^2 + <b>',
  source: 'data.csv',
  parameters: [
    { name: 'a', value: 1.0001, standardError: 0.012, interval: [0.97, 1.03], atBound: false },
    { name: 'b', value: 0, standardError: Infinity, interval: [-Infinity, Infinity], atBound: true },
  ],
  level: 0.95,
  correlations: [{ names: ['a', 'b'], value: -0.987 }],
  residualSumOfSquares: 6,
  degreesOfFreedom: 10,
  weighted: true,
  absolute: false,
  loss: 'huber',
  converged: false,
  message: 'The largest number of steps was reached.',
  plot,
}

function parsed(svg: string): Document {
  assertWellFormed(svg)
  expect(svg).not.toMatch(/NaN|Infinity|<script|url\(/)
  return new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document
}

const circles = (document: Document) =>
  [...document.querySelectorAll('circle')].map((c) => [
    Number(c.getAttribute('cx')),
    Number(c.getAttribute('cy')),
  ])

describe('the plot of a fit', () => {
  test('shows each observation with its bar, and its residual straight below', () => {
    const document = parsed(fitSvg(plot))
    const found = circles(document)
    const above = found.slice(0, x.length)
    const below = found.slice(x.length)
    expect(below.map(([cx]) => cx)).toEqual(above.map(([cx]) => cx))
    // Residuals are 0 and 1 in turn: two heights.
    expect(new Set(below.map(([, cy]) => cy)).size).toBe(2)
    expect(below[1]![1]).toBeLessThan(below[0]![1]!)
    expect(document.querySelectorAll('.accent-line line').length).toBe(2 * x.length)
    expect(document.documentElement.outerHTML).toContain('time &lt;s&gt;')
  })

  test('has no bars without sigma, and no band without errors, and says so', () => {
    const bare = {
      ...plot,
      observations: plot.observations.map(({ sigma: _, ...rest }) => rest),
      curve: plot.curve.map((point) => ({ ...point, half: Number.NaN })),
    }
    const document = parsed(fitSvg(bare))
    expect(document.querySelectorAll('.accent-line line').length).toBe(0)
    expect(fitFigure(bare).caption).toContain('its error is unknown')
    expect(fitFigure(plot).caption).toContain('probability of 95%')
    expect(fitFigure(plot).caption).toContain('bars')
  })

  test('keeps its scale where the curve has a pole', () => {
    const pole = { ...plot, curve: plot.curve.map((point, i) => (i === 5 ? { ...point, y: 1e9 } : point)) }
    expect(circles(parsed(fitSvg(pole)))).toEqual(circles(parsed(fitSvg(plot))))
  })

  test('draws at most 2000 observations, and says so', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ x: i, y: i, fitted: i }))
    const figure = fitFigure({ ...plot, observations: many })
    expect(figure.svg().match(/<circle /g)).toHaveLength(4000)
    expect(figure.caption).toContain('2,000 observations are drawn')
  })

  test('is drawn of a single place and a constant', () => {
    const one = { x: 3, y: 2, fitted: 2 }
    const flat = { ...plot, observations: [one, one], curve: [{ x: 3, y: 2, half: 0 }] }
    expect(circles(parsed(fitSvg(flat))).length).toBe(4)
    expect(fitFigure(flat).text(80)).toBe('')
  })
})

describe('the report of a fit', () => {
  test('as a page escapes the formula, and holds the table, the sentences and the figure', () => {
    const page = htmlPage(fitDocument(report))
    expect(page).toContain('a*x^2 + &lt;b&gt;')
    expect(page).toContain('Not converged: The largest number of steps was reached.')
    expect(page).toContain('residual sum of squares after huber')
    expect(page.match(/<svg /g)).toHaveLength(2)
  })

  test('as text keeps to its width and names what is not to be trusted', () => {
    const text = documentText(fitDocument(report), 72)
    for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(72)
    expect(text).toMatch(/b +0 +∞ +−∞ to ∞/)
    expect(text).toContain('At the end of the bounds: b.')
    expect(text).toContain('a and b are correlated by −0.987')
    expect(text).toMatch(/reduced chi-square +0\.6/)
    expect(text).not.toContain('residual standard deviation')
  })
})
