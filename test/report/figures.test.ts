import { DOMParser } from 'linkedom'
import { describe, expect, test } from 'vitest'
import { barFigure } from '../../src/report/bars.js'
import type { Figure } from '../../src/report/document.js'
import { lineFigure } from '../../src/report/lines.js'
import { planeFigure } from '../../src/report/plane.js'
import { assertWellFormed } from './wellFormed.js'

function check(figure: Figure | null): Document {
  const svg = figure!.svg()
  assertWellFormed(svg)
  expect(svg).not.toMatch(/NaN|Infinity|<script|url\(/)
  for (const width of [80, 50])
    for (const line of figure!.text(width).split('\n')) expect([...line].length).toBeLessThanOrEqual(width)
  return new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document
}

describe('lines', () => {
  const points = [1, 10, 100, 1000].map((x) => ({ x, y: 0.1 * Math.sqrt(x) }))
  const plot = {
    series: [
      { label: 'measured', points, band: points.map(({ y }) => y / 5) },
      { label: 'model <&>', points: points.map(({ x }) => ({ x, y: 2 })), dashed: true },
    ],
    x: { label: 'batch', log: true },
    y: { label: 'rate', log: true },
    caption: '',
  }

  test('are drawn with bands, dashes and a legend', () => {
    const document = check(lineFigure(plot))
    expect(document.documentElement.outerHTML).toContain('model &lt;&amp;&gt;')
    expect(document.querySelectorAll('.series-line path, path.series-line').length).toBe(1)
    expect(document.querySelectorAll('[stroke-dasharray="5,4"]').length).toBe(1)
  })

  test('in text rise where the values do', () => {
    const rows = lineFigure({ ...plot, series: [plot.series[0]!] })!
      .text(60)
      .split('\n')
    const columns = rows.map((row) => row.indexOf('●')).filter((column) => column >= 0)
    expect(columns.length).toBe(4)
    expect([...columns].sort((a, b) => b - a)).toEqual(columns)
  })

  test('leave out what a log axis cannot show, and draw nothing from nothing', () => {
    const some = [{ label: 'a', points: [{ x: -1, y: 1 }, { x: 1, y: Number.NaN }, ...points] }]
    check(lineFigure({ ...plot, series: some }))
    expect(lineFigure({ ...plot, series: [] })).toBeNull()
    expect(lineFigure({ ...plot, series: [{ label: 'a', points: points.slice(0, 1) }] })).toBeNull()
    check(lineFigure({ ...plot, series: [{ label: 'flat', points: points.map(({ x }) => ({ x, y: 3 })) }] }))
  })
})

describe('bars', () => {
  const bars = [
    { label: 'weight', value: 3, error: 0.2 },
    { label: 'bias', value: -1, error: Number.NaN },
    { label: 'unknown', value: Number.NaN, error: 1 },
  ]

  test('have the length of their values', () => {
    const document = check(barFigure(bars, 'trace', ''))
    const widths = [...document.querySelectorAll('rect')].map((rect) => Number(rect.getAttribute('width')))
    expect(widths).toHaveLength(2)
    expect(widths[0]! / widths[1]!).toBeCloseTo(3, 6)
    const lengths = barFigure(bars, 'trace', '')!
      .text(60)
      .split('\n')
      .map((line) => line.match(/[█▒]+/)![0].length)
    expect(lengths[0]! / lengths[1]!).toBeCloseTo(3, 0)
  })

  test('of nothing are nothing', () => {
    expect(barFigure([], 'trace', '')).toBeNull()
    expect(barFigure([{ label: 'zero', value: 0, error: 0 }], 'trace', '')).toBeNull()
  })
})

describe('a plane', () => {
  const grid = [-1, 0, 1]
  const loss = grid.map((y) => grid.map((x) => (x - 1) ** 2 + y ** 2))
  const plane = { x: grid, y: grid, loss, quadratic: loss }

  test('is stronger where the loss is higher, with a cross at the lowest point', () => {
    const document = check(planeFigure(plane, ['a', 'b'], ''))
    const opacities = [...document.querySelectorAll('rect')].map((rect) =>
      Number(rect.getAttribute('fill-opacity')),
    )
    expect(opacities).toHaveLength(9)
    expect(opacities[5]).toBe(Math.min(...opacities))
    expect(opacities[0]).toBe(Math.max(...opacities))
    expect(document.documentElement.outerHTML).toContain('×')
  })

  test('has no cross where the model itself is lowest, and does not exist with holes', () => {
    const own = grid.map((y) => grid.map((x) => x ** 2 + y ** 2))
    expect(planeFigure({ ...plane, loss: own }, ['a', 'b'], '')!.svg()).not.toContain('×')
    const holes = [
      [1, 2, 3],
      [1, Number.NaN, 3],
      [1, 2, 3],
    ]
    expect(planeFigure({ ...plane, loss: holes }, ['a', 'b'], '')).toBeNull()
  })
})
